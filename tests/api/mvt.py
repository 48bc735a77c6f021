"""Reads vector tiles (Mapbox Vector Tile 2.1) back, as far as the tests need: layers, tags, squares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import unpack
from typing import Any


@dataclass
class Feature:
    tags: dict[str, Any]
    kind: int  # 1 point, 2 line, 3 area
    rings: list[list[tuple[int, int]]] = field(default_factory=list)


def read_tile(data: bytes) -> dict[str, list[Feature]]:
    """Layer name -> features."""
    layers: dict[str, list[Feature]] = {}
    for number, value in _fields(data):
        assert number == 3
        name, features = _layer(value)
        layers[name] = features
    return layers


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
        else:
            size = {1: 8, 5: 4}[key & 7]
            yield key >> 3, data[at : at + size]
            at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
        shift += 7


def _packed(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _layer(data: bytes) -> tuple[str, list[Feature]]:
    parts = list(_fields(data))
    keys = [value.decode() for number, value in parts if number == 3]
    values = [_value(value) for number, value in parts if number == 4]
    name = next(value.decode() for number, value in parts if number == 1)
    return name, [_feature(value, keys, values) for number, value in parts if number == 2]


def _value(data: bytes) -> Any:
    ((number, value),) = _fields(data)
    if number == 1:
        return value.decode()
    if number in (2, 3):
        return unpack("<f" if number == 2 else "<d", value)[0]
    if number == 6:
        return (value >> 1) ^ -(value & 1)
    return bool(value) if number == 7 else value


def _feature(data: bytes, keys: list[str], values: list[Any]) -> Feature:
    parts = dict(_fields(data))
    tags = _packed(parts[2])
    made = Feature({keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}, parts[3])
    x = y = 0
    commands = iter(_packed(parts[4]))
    for command in commands:
        for _ in range(command >> 3):
            if command & 7 == 7:
                continue
            dx, dy = next(commands), next(commands)
            x, y = x + ((dx >> 1) ^ -(dx & 1)), y + ((dy >> 1) ^ -(dy & 1))
            if command & 7 == 1:
                made.rings.append([])
            made.rings[-1].append((x, y))
    return made


def signed_area(ring: list[tuple[int, int]]) -> float:
    """Positive for an outer ring in tile coordinates (y downwards), as the standard wants it."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True)) / 2
