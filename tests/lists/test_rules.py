"""RULES 5 as it reads: who is served first, and that nothing else has a say."""

import dataclasses
import random
import uuid
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micic.cases.rules import MovementState, News, Trust, WelfareState
from micic.lists.rules import (
    DEFAULT_POLICY,
    RULE_SET,
    Departure,
    Facts,
    ListKind,
    ListPolicy,
    OpenNeed,
    Presence,
    Standing,
    Tier,
    assess,
    choose,
    gone,
    rank,
)

THEN = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
CRITERIA = {
    "migrant_id": "only for the lot that breaks ties",
    "household_id": "households move whole",
    "presence": "for the sentence, and for a child's adults",
    "severity_inside": "hazard severity",
    "severity_possible": "hazard severity",
    "severity_stated": "for the sentence",
    "age_years": "infant, child, elderly",
    "lives_apart": "separated child",
    "needs": "life at risk, medical, vulnerable",
    "asks_for_help": "life at risk",
    "injured": "life at risk",
}

needs = st.builds(
    OpenNeed,
    code=st.sampled_from(["insulin", "trapped", "pregnancy", "wheelchair", "food"]),
    tier=st.integers(1, 5),
    days_left=st.none() | st.integers(0, 30),
)
people = st.builds(
    Facts,
    migrant_id=st.uuids(version=4),
    household_id=st.sampled_from([uuid.UUID(int=number) for number in range(1, 8)]),
    presence=st.sampled_from(Presence),
    severity_inside=st.none() | st.integers(0, 4),
    severity_possible=st.none() | st.integers(0, 4),
    age_years=st.none() | st.integers(0, 99),
    lives_apart=st.booleans(),
    needs=st.lists(needs, max_size=2).map(tuple),
    asks_for_help=st.booleans(),
    injured=st.booleans(),
)
crowds = st.lists(people, max_size=25, unique_by=lambda one: one.migrant_id)


def somebody(**facts: object) -> Facts:
    return Facts(**({"migrant_id": uuid.uuid4(), "household_id": uuid.uuid4(), "presence": Presence.INSIDE} | facts))  # type: ignore[arg-type]


def alone(**facts: object) -> tuple[Tier, str]:
    person = somebody(**({"severity_inside": 4, "age_years": 40} | facts))
    assessed = assess(person, [person], DEFAULT_POLICY)
    return assessed.tier, assessed.sentence


# --- nothing else has a say ---


def test_only_the_criteria_of_the_rules_have_a_way_in() -> None:
    assert {field.name for field in dataclasses.fields(Facts)} == set(CRITERIA)
    forbidden = ("nation", "sex", "gender", "relig", "ethnic", "status", "channel", "language", "recorded", "category")
    assert not [name for name in CRITERIA for word in forbidden if word in name]
    assert {field.name for field in dataclasses.fields(OpenNeed)} == {"code", "tier", "days_left"}


@given(crowds, st.randoms(use_true_random=False))
def test_the_order_in_which_people_were_registered_has_no_say(crowd: list[Facts], shuffler: random.Random) -> None:
    before = rank(crowd, DEFAULT_POLICY, "seed")
    shuffled = crowd[:]
    shuffler.shuffle(shuffled)
    assert rank(shuffled, DEFAULT_POLICY, "seed") == before


@given(crowds)
def test_certainty_has_no_say_between_equals(crowd: list[Facts]) -> None:
    """*Inside 4* and *possible 4* are ordered by the lot alone. (Ages are left out: a child's adults must be near.)"""
    equal = [dataclasses.replace(one, age_years=None, severity_inside=None, severity_possible=4) for one in crowd]
    inside = [dataclasses.replace(one, severity_inside=4, severity_possible=None) for one in equal]
    assert _order(equal) == _order(inside)


def _order(crowd: list[Facts]) -> list[uuid.UUID]:
    return [line.facts.migrant_id for line in rank(crowd, DEFAULT_POLICY, "seed")]


# --- households ---


@given(crowds)
def test_households_are_whole_and_stand_where_their_highest_member_stands(crowd: list[Facts]) -> None:
    lines = rank(crowd, DEFAULT_POLICY, "seed")
    assert sorted(line.facts.migrant_id for line in lines) == sorted(one.migrant_id for one in crowd)
    ranks = [line.household_rank for line in lines]
    assert ranks == sorted(ranks)
    best = []
    for number in dict.fromkeys(ranks):
        members = [line for line in lines if line.household_rank == number]
        assert len({line.facts.household_id for line in members}) == 1
        assert [line.member_no for line in members] == list(range(1, len(members) + 1))
        assert {line.household_size for line in members} == {len(members)}
        best.append(min(line.assessment.key for line in members))
    assert best == sorted(best)


@given(crowds, st.integers(0, 24))
def test_more_need_never_serves_a_household_later(crowd: list[Facts], which: int) -> None:
    if not crowd:
        return
    chosen = crowd[which % len(crowd)]
    worse = dataclasses.replace(chosen, injured=True)
    after = [worse if one is chosen else one for one in crowd]
    assert _rank_of(after, chosen) <= _rank_of(crowd, chosen)


def _rank_of(crowd: list[Facts], one: Facts) -> int:
    lines = rank(crowd, DEFAULT_POLICY, "seed")
    return next(line.household_rank for line in lines if line.facts.migrant_id == one.migrant_id)


def test_ties_are_a_lot_by_event_and_rule_set() -> None:
    crowd = [somebody(severity_inside=4) for _ in range(12)]
    orders = {tuple(one.facts.migrant_id for one in rank(crowd, DEFAULT_POLICY, seed)) for seed in "abcdef"}
    assert len(orders) == 6
    assert rank(crowd, DEFAULT_POLICY, "a") == rank(crowd, DEFAULT_POLICY, "a")


# --- tiers and sentences ---


@pytest.mark.parametrize(
    ("facts", "tier", "sentence"),
    [
        ({}, 5, "inside zone severity 4"),
        ({"injured": True}, 1, "injured; inside zone severity 4"),
        ({"needs": (OpenNeed("trapped", 1),)}, 1, "trapped; inside zone severity 4"),
        ({"asks_for_help": True}, 1, "asks for help, not said what; inside zone severity 4"),
        ({"needs": (OpenNeed("insulin", 2, 2),)}, 2, "insulin, 2 days left; inside zone severity 4"),
        ({"needs": (OpenNeed("insulin", 2, 1),)}, 2, "insulin, 1 day left; inside zone severity 4"),
        ({"needs": (OpenNeed("insulin", 2, 0),)}, 1, "insulin, 0 days left; inside zone severity 4"),
        ({"needs": (OpenNeed("sign_language", 4),)}, 4, "sign language; inside zone severity 4"),
        ({"age_years": 9}, 3, "unaccompanied child; inside zone severity 4"),
        ({"age_years": 1}, 3, "unaccompanied child; infant; inside zone severity 4"),
        ({"age_years": 70}, 4, "elderly alone; inside zone severity 4"),
        ({"severity_stated": False, "severity_inside": 3}, 5, "inside zone severity 3 (not stated)"),
        ({"severity_inside": 2, "severity_possible": 4}, 5, "inside zone severity 2, possibly 4"),
        (
            {"presence": Presence.POSSIBLE, "severity_inside": None, "severity_possible": 4},
            5,
            "possibly inside zone severity 4",
        ),
        (
            {"presence": Presence.UNKNOWN, "severity_inside": None, "severity_possible": 3},
            5,
            "whereabouts unknown, event severity 3",
        ),
        ({"presence": Presence.SAFE_AREA, "severity_inside": None}, 5, "outside the zones, with the household"),
    ],
)
def test_each_line_carries_its_sentence(facts: dict[str, object], tier: int, sentence: str) -> None:
    assert alone(**facts) == (tier, sentence)


def test_the_tiers_are_served_in_order() -> None:
    tiers = [
        somebody(severity_inside=0, injured=True),
        somebody(severity_inside=0, needs=(OpenNeed("insulin", 2, 2),)),
        somebody(severity_inside=0, needs=(OpenNeed("insulin", 2, 5),)),
        somebody(severity_inside=0, age_years=9),
        somebody(severity_inside=0, needs=(OpenNeed("pregnancy", 4),)),
        somebody(severity_inside=4),
        somebody(severity_inside=3),
    ]
    assert _order(tiers[::-1]) == [one.migrant_id for one in tiers]


@pytest.mark.parametrize(
    ("child", "adult", "words"),
    [
        ({}, {"age_years": 40}, ""),
        ({}, {"age_years": None}, ""),
        ({"lives_apart": True}, {"age_years": 40}, "separated child"),
        ({}, {"age_years": 40, "presence": Presence.SAFE_AREA}, "separated child"),
        ({"presence": Presence.SAFE_AREA}, {"age_years": 40, "presence": Presence.SAFE_AREA}, ""),
        ({}, {"age_years": 40, "presence": Presence.UNKNOWN}, ""),
        ({}, {"age_years": 17}, "unaccompanied child"),
    ],
)
def test_a_child_is_alone_without_an_adult_of_the_household_near(
    child: dict[str, object], adult: dict[str, object], words: str
) -> None:
    minor = somebody(**({"severity_inside": 4, "age_years": 9} | child))
    household = [minor, somebody(household_id=minor.household_id, **adult)]
    assessed = assess(minor, household, DEFAULT_POLICY)
    assert assessed.child_alone == bool(words)
    assert words in assessed.sentence


# --- who stands on it ---


def standing(
    served_here: bool = True, record: str = "registered", news: News | None = None, **facts: object
) -> Standing:
    return Standing(somebody(**({"severity_inside": 4} | facts)), served_here, record, news or News())


@pytest.mark.parametrize("welfare", list(WelfareState))
@pytest.mark.parametrize("trust", list(Trust))
def test_no_answer_takes_anyone_off(welfare: WelfareState, trust: Trust) -> None:
    assert gone(standing(news=News(welfare=welfare, welfare_at=THEN, welfare_trust=trust))) is None


@pytest.mark.parametrize("movement", list(MovementState))
def test_only_an_observed_departure_does(movement: MovementState) -> None:
    away = {"departed", "at_hub", "admitted", "onward", "home", "handed_over"}
    for trust in Trust:
        news = News(movement=movement, movement_at=THEN, movement_trust=trust)
        expected = Departure.DEPARTED if trust is Trust.AUTHENTICATED and movement in away else None
        assert gone(standing(news=news)) is expected


def test_a_member_who_returned_long_ago_does_not_travel_with_the_household() -> None:
    assert gone(standing(record="returned", presence=Presence.SAFE_AREA)) is Departure.LEFT_AREA
    assert gone(standing(record="returned")) is None
    assert gone(standing(record="deceased")) is Departure.DECEASED


def test_a_household_served_elsewhere_is_the_other_posts() -> None:
    on, off = choose([standing(served_here=False)], ListKind.ASSISTANCE, DEFAULT_POLICY)
    assert not on
    assert set(off.values()) == {Departure.MOVED_POST}


def test_other_thresholds_are_another_rule_set() -> None:
    assert DEFAULT_POLICY.rule_set == RULE_SET
    other = ListPolicy(evacuate_inside_from=2)
    assert other.rule_set != RULE_SET
    assert len(other.rule_set) <= 20
    on, _ = choose([standing(severity_inside=2)], ListKind.EVACUATION, other)
    assert len(on) == 1
