"""A goal and what became of it: baseline, ratio, whether it was met, and why not. Printed as a table or as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tests.benchmarks.timing import Sample, ratio


@dataclass(frozen=True)
class Wanted:
    """A bound on a ratio: `>= 7` (so many times faster than the baseline) or `<= 1.5` (so much of its time)."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"


@dataclass(frozen=True)
class Goal:
    """One line of the result. `ratio` is baseline / ours, or ours / baseline where a share of its time is wanted."""

    group: str
    name: str
    baseline: str
    ratio: float
    wanted: Wanted | None
    scale: int
    ours_ms: float
    baseline_ms: float
    rounds: int
    is_cut: bool = False
    agree: bool | None = None
    reason: str = ""

    @property
    def met(self) -> bool | None:
        """None: nothing is wanted, it is told for comparison."""
        if self.wanted is None:
            return None
        if self.wanted.at_most is not None:
            return self.ratio <= self.wanted.at_most
        return self.ratio >= (self.wanted.at_least or 0.0)

    def as_json(self) -> str:
        """One object on one line."""
        return json.dumps(
            {
                "name": self.name,
                "baseline": self.baseline,
                "ratio": round(self.ratio, 2),
                "wanted": None if self.wanted is None else str(self.wanted),
                "met": self.met,
                "scale": self.scale,
                "group": self.group,
                "ours_ms": round(self.ours_ms, 2),
                "baseline_ms": round(self.baseline_ms, 2),
                "baseline_cut": self.is_cut,
                "agree": self.agree,
                "rounds": self.rounds,
                "reason": "" if self.met else self.reason,
            }
        )


def judge(
    group: str,
    name: str,
    baseline: str,
    ours: Sample,
    theirs: Sample,
    *,
    scale: int,
    wanted: Wanted | None = None,
    agree: bool | None = None,
    reason: str = "",
) -> Goal:
    """The goal of a pair of samples. `reason` is what was found to be in the way, told when the goal is missed."""
    is_share = wanted is not None and wanted.at_most is not None
    return Goal(
        group,
        name,
        baseline,
        ratio(ours, theirs) if is_share else ratio(theirs, ours),
        wanted,
        scale,
        ours.median * 1e3,
        theirs.median * 1e3,
        len(ours.seconds),
        theirs.is_cut,
        agree,
        reason,
    )


HEAD = f"{'goal':<62} {'baseline':<50} {'ours ms':>9} {'baseline ms':>12} {'ratio':>8} {'wanted':>8}  met"


def as_line(goal: Goal) -> str:
    """A line of the table."""
    cut = ">" if goal.is_cut else ""
    wanted = "" if goal.wanted is None else str(goal.wanted)
    met = {None: "-", True: "yes", False: "MISSED"}[goal.met]
    differ = "  (the counts differ)" if goal.agree is False else ""
    return (
        f"{goal.name:<62} {goal.baseline:<50} {goal.ours_ms:>9.1f} {cut + format(goal.baseline_ms, '.1f'):>12}"
        f" {cut + format(goal.ratio, '.2f'):>8} {wanted:>8}  {met}{differ}"
    )


def reasons(goals: Iterable[Goal]) -> list[str]:
    """Why those that were missed were missed."""
    return [f"missed: {goal.name} against {goal.baseline}: {goal.reason}" for goal in goals if goal.met is False]
