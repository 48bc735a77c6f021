"""The benchmarks themselves, at a tiny scale: that every goal is measured and told. Never asserts a time."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.benchmarks.__main__ import GROUPS, run
from tests.benchmarks.goals import Goal, Wanted, as_line, judge
from tests.benchmarks.ground import Ground, settled
from tests.benchmarks.timing import Clock, Sample, ratio, take_turns
from tests.conftest import FreshDatabase

TINY_SCALE = 5_000


@pytest.fixture
def ground(fresh_database: FreshDatabase) -> Iterator[Ground]:
    """A small ground in a database of its own."""
    with settled(fresh_database.cluster, fresh_database.name, TINY_SCALE, quick=True) as made:
        yield made


def test_every_goal_is_measured_and_told(ground: Ground) -> None:
    goals = list(run(ground))
    assert {goal.group for goal in goals} == set(GROUPS)
    assert len({(goal.name, goal.baseline) for goal in goals}) == len(goals)
    for goal in goals:
        told = json.loads(goal.as_json())
        assert {"name", "baseline", "ratio", "wanted", "met", "scale"} <= told.keys()
        assert told["scale"] == TINY_SCALE
        assert goal.ratio > 0
        assert goal.agree is not False, f"{goal.name}: the sides found different things"
        assert goal.met is not False or goal.reason, f"{goal.name}: missed without a reason"
        assert goal.name in as_line(goal)
    _assert_generously(goals)


def _assert_generously(goals: list[Goal]) -> None:
    """Ratios so far apart that no noise can turn them round."""
    ratios = {goal.name: goal.ratio for goal in goals if goal.group in ("whereabouts", "moved")}
    again = next(value for name, value in ratios.items() if "household derived again" in name)
    assert again > 2, "deriving one household must not cost what deriving everybody costs"
    lot = next(value for name, value in ratios.items() if "in one lot" in name)
    assert lot > 1, "persons crossed in one lot must not cost more than one by one"


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    ran: list[str] = []

    def side(name: str, seconds: float):  # type: ignore[no-untyped-def]
        def work(clock: Clock) -> object:
            ran.append(name)
            time.sleep(0.001)
            clock.seconds += seconds
            return name

        return work

    samples = take_turns({"a": side("a", 1.0), "b": side("b", 4.0)}, rounds=3)
    assert ran == ["a", "b"] * 4
    assert samples["a"].seconds == [1.0] * 3
    assert ratio(samples["b"], samples["a"]) == 4.0


def test_a_goal_is_met_by_speed_or_by_share() -> None:
    ours, theirs = Sample([2.0]), Sample([14.0])
    faster = judge("g", "n", "b", ours, theirs, scale=1, wanted=Wanted(at_least=7))
    assert (faster.ratio, faster.met) == (7.0, True)
    share = judge("g", "n", "b", ours, Sample([1.0]), scale=1, wanted=Wanted(at_most=1.5), reason="why")
    assert (share.ratio, share.met) == (2.0, False)
    assert json.loads(share.as_json())["reason"] == "why"
    assert judge("g", "n", "b", ours, theirs, scale=1).met is None


def test_a_baseline_that_was_cut_gives_a_lower_bound() -> None:
    goal = judge("g", "n", "b", Sample([0.1, 0.1]), Sample([25.0], is_cut=True), scale=1, wanted=Wanted(at_least=100))
    assert goal.is_cut
    assert goal.ratio == pytest.approx(250.0)
    assert ">250.00" in as_line(goal)
