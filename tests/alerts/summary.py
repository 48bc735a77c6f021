"""A message in a few derived facts: what a careful reader would sign. Holds no text of the payload."""

from typing import Any

from alerts.feed import Parsed, ParsedMessage, ParsedZone, Rejected, note_code
from alerts.gate import area_km2


def summary_of(item: Parsed) -> dict[str, Any]:
    """Facts of a message or a refusal, ready for JSON; what is empty is left out."""
    if isinstance(item, Rejected):
        return {"rejected": item.reason_code.value}
    assert isinstance(item, ParsedMessage)
    facts = {
        "kind": item.kind.value,
        "status": item.status.value,
        "severity": item.severity,
        "test": bool(item.test_suspected),
        "sent": f"{item.sent_at:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{item.valid_until:%Y-%m-%dT%H:%M:%SZ}" if item.valid_until else None,
        "event": f"{item.event_at:%Y-%m-%dT%H:%M:%SZ}" if item.event_at else None,
        "languages": [f"{text.language}{'?' if text.language_guessed else ''}" for text in item.texts],
        "references": len(item.references),
        "notes": sorted({note_code(entry) for entry in item.leftover}),
        "zones": _counted([_zone(zone) for zone in item.zones]),
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, False, 0, [])}


def _zone(zone: ParsedZone) -> str:
    """ "warned native 3 1970km2 AUS 4 codes"."""
    size = "-"
    if zone.area is not None:
        size = f"{float(f'{area_km2(zone.area):.3g}'):g}km2" if zone.area.area else "point"
    places = ["+".join(zone.country_codes), f"{len(zone.geocodes)} codes"] if zone.area is None else []
    return " ".join(part for part in (zone.kind, zone.basis, str(zone.severity), size, *places) if part)


def _counted(zones: list[str]) -> list[str]:
    """Equal neighbours together: "19 x region none 1 -"."""
    return [f"{count} x {zone}" if (count := zones.count(zone)) > 1 else zone for zone in dict.fromkeys(zones)]
