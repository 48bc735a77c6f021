"""alerts.cap as CAP 1.2 XML, strictly: what breaks the standard is refused. Pure: values in, bytes out.

Element order, names and dates follow the schema of CAP 1.2 (OASIS, July 2010).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lxml import etree

from alerts.cap import Alert, Area, Info, MsgType, Reference, Resource, Scope
from geo.coordinates import Position

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"

Element = etree._Element
_NSMAP: dict[Any, str] = {None: NAMESPACE}  # the stubs know no default namespace


def write(alert: Alert) -> bytes:
    """The message as CAP 1.2, elements in the schema's order. ValueError where the standard is broken."""
    _check_head(alert)
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap=_NSMAP)
    _put(root, "identifier", _name(alert.identifier, "identifier"))
    _put(root, "sender", _name(alert.sender, "sender"))
    _put(root, "sent", write_time(alert.sent))
    _put(root, "status", alert.status)
    _put(root, "msgType", alert.msg_type)
    _put(root, "source", alert.source)
    _put(root, "scope", alert.scope)
    _put(root, "restriction", alert.restriction)
    _put(root, "addresses", _quoted(alert.addresses))
    _put_all(root, "code", alert.codes)
    _put(root, "note", alert.note)
    _put(root, "references", " ".join(_write_reference(reference) for reference in alert.references))
    _put(root, "incidents", _quoted(alert.incidents))
    for info in alert.infos:
        _write_info(_child(root, "info"), info)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _check_head(alert: Alert) -> None:
    """What the text of section 3.2.1 demands beyond the schema."""
    if alert.scope is Scope.RESTRICTED and not alert.restriction:
        raise ValueError("scope Restricted needs a restriction")
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        raise ValueError("scope Private needs addresses")
    if alert.msg_type is not MsgType.ALERT and not alert.references:
        raise ValueError(f"msgType {alert.msg_type} needs references")


def write_time(time: datetime) -> str:
    """As 2026-11-23T14:00:00+00:00: the schema admits neither Z nor fractions. ValueError if naive."""
    if time.tzinfo is None:
        raise ValueError("a time without zone")
    return time.replace(microsecond=0).isoformat()


def _write_info(element: Element, info: Info) -> None:
    if not info.event or not info.categories:
        raise ValueError("an info block needs event and category")
    _put(element, "language", info.language)
    _put_all(element, "category", info.categories)
    _put(element, "event", info.event)
    _put_all(element, "responseType", info.response_types)
    _put(element, "urgency", info.urgency)
    _put(element, "severity", info.severity)
    _put(element, "certainty", info.certainty)
    _put(element, "audience", info.audience)
    _put_pairs(element, "eventCode", info.event_codes)
    for name, time in (("effective", info.effective), ("onset", info.onset), ("expires", info.expires)):
        _put(element, name, write_time(time) if time else None)
    _put(element, "senderName", info.sender_name)
    _put(element, "headline", info.headline)
    _put(element, "description", info.description)
    _put(element, "instruction", info.instruction)
    _put(element, "web", info.web)
    _put(element, "contact", info.contact)
    _put_pairs(element, "parameter", info.parameters)
    for resource in info.resources:
        _write_resource(_child(element, "resource"), resource)
    for area in info.areas:
        _write_area(_child(element, "area"), area)


def _write_resource(element: Element, resource: Resource) -> None:
    if not resource.resource_desc or not resource.mime_type:
        raise ValueError("a resource needs resourceDesc and mimeType")
    _put(element, "resourceDesc", resource.resource_desc)
    _put(element, "mimeType", resource.mime_type)
    _put(element, "size", resource.size)
    _put(element, "uri", resource.uri)
    _put(element, "digest", resource.digest)


def _write_area(element: Element, area: Area) -> None:
    if not area.area_desc:
        raise ValueError("an area needs areaDesc")
    _put(element, "areaDesc", area.area_desc)
    for ring in area.polygons:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise ValueError("a polygon is closed and has 4 positions or more")
        _put(element, "polygon", " ".join(_write_position(position) for position in ring))
    for circle in area.circles:
        _put(element, "circle", f"{_write_position(circle.centre)} {_decimal(circle.radius_km)}")
    _put_pairs(element, "geocode", area.geocodes)
    _put(element, "altitude", area.altitude)
    _put(element, "ceiling", area.ceiling)


def _write_position(position: Position) -> str:
    return f"{_decimal(position.lat)},{_decimal(position.lon)}"


def _decimal(value: float) -> str:
    """Plain digits, never 1e-07; nine decimals are a tenth of a millimetre."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _write_reference(reference: Reference) -> str:
    name, sender = _name(reference.identifier, "identifier"), _name(reference.sender, "sender")
    return f"{sender},{name},{write_time(reference.sent)}"


def _name(text: str, field: str) -> str:
    if not text or re.search(r"[\s,<&]", text):
        raise ValueError(f"{field} may hold no space, comma, < or &, and not be empty")
    return text


def _quoted(words: tuple[str, ...]) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _child(parent: Element, name: str) -> Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _put(parent: Element, name: str, text: str | None) -> None:
    """Adds a child with that text; nothing for an empty one."""
    if text:
        _child(parent, name).text = str(text)


def _put_all(parent: Element, name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _put(parent, name, text)


def _put_pairs(parent: Element, name: str, pairs: Iterable[tuple[str, str]]) -> None:
    for value_name, value in pairs:
        child = _child(parent, name)
        _child(child, "valueName").text = value_name
        _child(child, "value").text = value
