"""Paired timing: the sides of a question take turns in one run, and what is told is the ratio."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError


@dataclass
class Clock:
    """The seconds of what ran inside `measure`."""

    seconds: float = 0.0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Only this is counted: not the connection, the context or the clearing up."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began


Side = Callable[[Clock], object]
"""Does its work once, measuring on the clock what counts, and returns what it found (to be compared)."""


@dataclass
class Sample:
    """The times of one side, seconds, a round each; `is_cut`: the safety time-out ended the last."""

    seconds: list[float] = field(default_factory=list)
    found: object = None
    is_cut: bool = False

    @property
    def median(self) -> float:
        """Seconds; of a side that was cut, what it had run by then."""
        return self.seconds[-1] if self.is_cut else statistics.median(self.seconds)


def take_turns(
    sides: Mapping[str, Side],
    *,
    rounds: int,
    budget_s: float = 40.0,
    between: Callable[[], None] | None = None,
) -> dict[str, Sample]:
    """Run the sides in turn, A B A B, after one round that does not count. When `budget_s` is spent, no further
    round begins; a side that was cut does not run again, and a first round that took most of the budget counts.
    """
    samples = {name: Sample() for name in sides}
    began = time.perf_counter()
    for number in range(rounds + 1):
        if number > 1 and time.perf_counter() - began > budget_s:
            break
        for name, side in sides.items():
            if not samples[name].is_cut:
                _run(side, samples[name])
            if between is not None:
                between()
        if number == 0 and time.perf_counter() - began < budget_s / 2:
            for sample in samples.values():
                sample.seconds = sample.seconds if sample.is_cut else []
        elif number == 0:
            break
    return samples


def _run(side: Side, sample: Sample) -> None:
    clock = Clock()
    try:
        sample.found = side(clock)
    except DBAPIError as error:
        if "statement timeout" not in str(error.orig):
            raise
        sample.is_cut = True
    sample.seconds.append(clock.seconds)


def ratio(slower: Sample, faster: Sample) -> float:
    """How many times longer the first took: the median of the rounds' own ratios, so that noise shared by a round
    falls out. A lower bound when the first was cut.
    """
    if slower.is_cut or faster.is_cut:
        return slower.median / faster.median
    return statistics.median(a / b for a, b in zip(slower.seconds, faster.seconds, strict=True))
