"""Seeded chance for the demo world: draws, row ids and references that come out alike for the same seed."""

import random
import uuid
from bisect import bisect
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Generic, TypeVar

from micic.identifiers import ALPHABET, REFERENCE_LENGTH, check_character

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to draw from, each as often as its weight says."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.things = list(weights)
        self.sums = list(accumulate(weights.values()))


class Chance(random.Random):
    """A generator seeded by words, `Chance("7:PHL:people")`. What is drawn does not depend on the machine."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._given: set[str] = set()

    def happens(self, share: float) -> bool:
        """True in this share (0-1) of cases."""
        return self.random() < share

    def pick(self, weighted: Weighted[T]) -> T:
        """One of the things."""
        return weighted.things[bisect(weighted.sums, self.random() * weighted.sums[-1])]

    def before(self, at: datetime, low: timedelta, high: timedelta) -> datetime:
        """An instant between `high` and `low` before `at`, in whole seconds."""
        return (at - low - (high - low) * self.random()).replace(microsecond=0)

    def new_id(self, at: datetime) -> uuid.UUID:
        """A UUIDv7 (RFC 9562 section 5.7) whose time is `at`."""
        milliseconds, bits = int(at.timestamp() * 1000), self.getrandbits(74)
        head, tail = bits >> 62, bits & (1 << 62) - 1
        return uuid.UUID(int=milliseconds << 80 | 7 << 76 | head << 64 | 2 << 62 | tail)

    def new_reference(self) -> str:
        """As `micic.identifiers.new_reference`, and never the same twice from one generator."""
        body = "".join(self.choices(ALPHABET, k=REFERENCE_LENGTH))
        if body in self._given:
            return self.new_reference()
        self._given.add(body)
        return f"{body[:5]}-{body[5:]}{check_character(body)}"
