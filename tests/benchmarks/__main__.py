"""`python -m tests.benchmarks [--json] [--scale 100k|1m|10m] [--only NAME]`: goals and what became of them."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.crossing import measure_certainty, measure_crossing
from tests.benchmarks.goals import HEAD, Goal, as_line, reasons
from tests.benchmarks.ground import SAFETY, Ground, make_ground
from tests.benchmarks.moved import measure_moved
from tests.benchmarks.outbox import measure_outbox
from tests.benchmarks.registry import measure_registration, measure_whereabouts
from tests.benchmarks.writing import measure_exposures, measure_revision

SCALES = {"100k": 100_000, "300k": 300_000, "1m": 1_000_000, "10m": 10_000_000}
Measure = Callable[[Ground], Iterator[Goal]]
# In this order: the zones in force come after what is measured with few zones, as a young deployment has them.
GROUPS: dict[str, Measure] = {
    "crossing": measure_crossing,
    "certainty": measure_certainty,
    "exposures": measure_exposures,
    "revision": measure_revision,
    "registration": measure_registration,
    "outbox": measure_outbox,
    "whereabouts": measure_whereabouts,
    "moved": measure_moved,
}


def run(ground: Ground, only: list[str] | None = None) -> Iterator[Goal]:
    """Every goal of the groups named, as soon as it is measured."""
    for name, measure in GROUPS.items():
        if not only or name in only:
            began = time.perf_counter()
            yield from measure(ground)
            _say(f"{name}: {time.perf_counter() - began:.0f} s")


def main(arguments: list[str]) -> int:
    """Always 0: a goal that is missed is reported, not raised."""
    parser = argparse.ArgumentParser(prog="./run bench", description="paired ratios against honest baselines")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--scale", choices=SCALES, default="1m", help="people registered (default 1m)")
    parser.add_argument("--only", choices=GROUPS, action="append", help="only this group (may be said again)")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is removed then, too
    began = time.perf_counter()
    goals = []
    with make_ground(SCALES[chosen.scale]) as ground:
        _say(f"{ground.scale:,} people in place: {time.perf_counter() - began:.0f} s")
        if not chosen.json:
            print(HEAD)
        for goal in run(ground, chosen.only):
            goals.append(goal)
            print(goal.as_json() if chosen.json else as_line(goal), flush=True)
    if not chosen.json:
        print("", *reasons(goals), sep="\n")
        print(f"'>': the baseline was ended after {SAFETY.total_seconds():.0f} s by the safety time-out")
    _say(f"in all: {time.perf_counter() - began:.0f} s")
    return 0


def _say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
