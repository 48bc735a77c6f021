"""The common severity 0-4: one versioned table from each source's own words and numbers. No policy.

0 info, 1 minor, 2 moderate, 3 severe, 4 extreme; None = the source does not say. Imports nothing of ours.
"""

import math
from types import MappingProxyType

MAPPING_VERSION = "2026-11.1"
"""Changes with every change of a table below; kept with what was mapped."""

WORDS = MappingProxyType(
    {
        "cap": MappingProxyType({"Unknown": None, "Minor": 1, "Moderate": 2, "Severe": 3, "Extreme": 4}),
        "pager": MappingProxyType({"green": 1, "yellow": 2, "orange": 3, "red": 4}),
        "gdacs": MappingProxyType({"Green": 1, "Orange": 3, "Red": 4}),
        "meteoalarm": MappingProxyType({"green": 0, "yellow": 2, "orange": 3, "red": 4}),
        "us-advisory": MappingProxyType({"1": 0, "2": 1, "3": 3, "4": 4}),
        "ca-advisory": MappingProxyType({"0": 0, "1": 1, "2": 3, "3": 4}),
    }
)

STEPS = MappingProxyType(
    {
        "mmi": ((5.0, 1), (6.0, 2), (7.0, 3), (8.0, 4)),
        "wind-kt": ((34.0, 2), (50.0, 3), (64.0, 4)),
    }
)
"""(from this value on, level), rising. MMI is Modified Mercalli: 5 moderate shaking .. 8 severe shaking."""


def from_word(scheme: str, word: str) -> int | None:
    """The level of a source's word; None for a word the scheme does not have. KeyError: unknown scheme."""
    return WORDS[scheme].get(word)


def from_number(scheme: str, value: float) -> int | None:
    """The level of a measured value; None below the lowest step or for NaN. KeyError: unknown scheme."""
    if math.isnan(value):
        return None
    reached = [level for least, level in STEPS[scheme] if value >= least]
    return reached[-1] if reached else None


def highest(*levels: int | None) -> int | None:
    """The highest of the levels that are stated."""
    return max((level for level in levels if level is not None), default=None)
