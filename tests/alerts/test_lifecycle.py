"""When versions are in force: examples that read like the rules, and properties of any series."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from alerts.feed import MessageKind
from alerts.lifecycle import EndReason, InForce, VersionFact, derive

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALERT, UPDATE, CANCEL, CLEAR = MessageKind.ALERT, MessageKind.UPDATE, MessageKind.CANCEL, MessageKind.ALL_CLEAR


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fact(number: int, minute: int, kind: MessageKind = ALERT, *references: str, **changes: Any) -> VersionFact:
    """Message number n, named "n", sent at a minute and received at once."""
    table: dict[str, Any] = {
        "message_id": UUID(int=number),
        "native_id": str(number),
        "native_version": f"{minute:05d}",
        "sent_at": at(minute),
        "received_at": at(minute),
        "kind": kind,
        "references": references,
    }
    return VersionFact(**{**table, **changes})


def spans(*facts: VersionFact) -> dict[int, tuple[datetime, datetime | None, EndReason | None]]:
    found = derive(facts)
    return {key.int: (value.from_at, value.until_at, value.reason) for key, value in found.items()}


# --- examples: CAP, by references ---


def test_silence_ends_nothing() -> None:
    assert spans(fact(1, 0), fact(2, 5)) == {1: (at(0), None, None), 2: (at(5), None, None)}


def test_an_update_supersedes_what_it_refers_to() -> None:
    told = spans(fact(1, 0), fact(2, 0), fact(3, 5, UPDATE, "1"))
    assert told == {1: (at(0), at(5), EndReason.SUPERSEDED), 2: (at(0), None, None), 3: (at(5), None, None)}


def test_cancel_and_all_clear_end_and_are_never_in_force() -> None:
    for kind, reason in ((CANCEL, EndReason.CANCELLED), (CLEAR, EndReason.ALL_CLEAR)):
        told = spans(fact(1, 0), fact(2, 5, kind, "1"))
        assert told == {1: (at(0), at(5), reason), 2: (at(5), at(5), reason)}


def test_a_cancel_that_came_before_its_alert() -> None:
    cancel = fact(2, 5, CANCEL, "1")
    assert spans(cancel)[2] == (at(5), at(5), EndReason.CANCELLED)
    late = fact(1, 0, received_at=at(60))
    assert spans(cancel, late)[1] == (at(0), at(5), EndReason.CANCELLED)


def test_an_orphan_ends_nothing_else() -> None:
    assert spans(fact(1, 0), fact(2, 5, CANCEL, "9"))[1] == (at(0), None, None)


def test_expiry_comes_first_or_later() -> None:
    assert spans(fact(1, 0, valid_until=at(30)))[1] == (at(0), at(30), EndReason.EXPIRED)
    early = spans(fact(1, 0, valid_until=at(3)), fact(2, 5, CANCEL, "1"))
    assert early[1] == (at(0), at(3), EndReason.EXPIRED)
    late = spans(fact(1, 0, valid_until=at(30)), fact(2, 5, CANCEL, "1"))
    assert late[1] == (at(0), at(5), EndReason.CANCELLED)
    assert spans(fact(1, 10, valid_until=at(5)))[1] == (at(10), at(10), EndReason.EXPIRED)


def test_an_act_at_the_very_moment_of_expiry_is_what_ended_it() -> None:
    assert spans(fact(1, 0, valid_until=at(5)), fact(2, 5, CANCEL, "1"))[1] == (at(0), at(5), EndReason.CANCELLED)


def test_alert_and_cancel_of_one_second_in_any_order_of_receipt() -> None:
    alert, update, cancel = fact(3, 5), fact(2, 5, UPDATE, "3"), fact(1, 5, CANCEL, "3")
    for arrivals in ((1, 2, 3), (3, 2, 1), (2, 3, 1)):
        facts = [
            replace(each, received_at=at(minute))
            for each, minute in zip((alert, update, cancel), arrivals, strict=True)
        ]
        told = spans(*facts)
        assert told[3] == (at(5), at(5), EndReason.SUPERSEDED)
        assert told[2] == (at(5), None, None)  # a sibling of the cancel, not its target
    assert spans(replace(alert, received_at=at(9)), cancel)[3] == (at(5), at(5), EndReason.CANCELLED)


def test_the_cancel_of_the_last_version_ends_the_first_too() -> None:
    told = spans(fact(1, 0), fact(2, 5, UPDATE, "1"), fact(3, 9, CANCEL, "2"))
    assert told[1] == (at(0), at(5), EndReason.SUPERSEDED)
    assert told[2] == (at(5), at(9), EndReason.CANCELLED)


def test_the_middle_version_never_came() -> None:
    without = spans(fact(1, 0), fact(3, 9, CANCEL, "2"))
    assert without[1] == (at(0), None, None)
    assert spans(fact(1, 0), fact(2, 5, UPDATE, "1"), fact(3, 9, CANCEL, "2"))[1] == (
        at(0),
        at(5),
        EndReason.SUPERSEDED,
    )


def test_updates_that_all_refer_to_the_first() -> None:
    told = spans(fact(1, 0), fact(2, 5, UPDATE, "1"), fact(3, 9, UPDATE, "1"), fact(4, 12, CANCEL, "1"))
    assert told[2] == (at(5), at(9), EndReason.SUPERSEDED)
    assert told[3] == (at(9), at(12), EndReason.CANCELLED)


def test_a_warning_split_in_two_in_one_second() -> None:
    """One half goes on, the other is cancelled: the halves do not end each other, nor do their followers."""
    told = spans(
        fact(1, 0), fact(2, 5, UPDATE, "1"), fact(3, 5, CANCEL, "1"), fact(4, 5, UPDATE, "1"), fact(5, 9, UPDATE, "2")
    )
    assert told[1] == (at(0), at(5), EndReason.SUPERSEDED)
    assert told[2] == (at(5), at(9), EndReason.SUPERSEDED)
    assert told[4] == (at(5), None, None)


def test_a_message_does_not_end_itself_or_what_is_later() -> None:
    assert spans(fact(1, 0, UPDATE, "1"))[1] == (at(0), None, None)
    assert spans(fact(1, 0), fact(2, 5, CANCEL, "3"), fact(3, 9))[3] == (at(9), None, None)


def test_a_self_reference_does_not_make_it_act_on_all() -> None:
    assert spans(fact(1, 0), fact(2, 5, UPDATE, "2"))[1] == (at(0), None, None)


# --- examples: USGS, by series ---


def quake(number: int, minute: int, kind: MessageKind = UPDATE, **changes: Any) -> VersionFact:
    return fact(number, minute, kind, **{"native_id": "us1", **changes})


def test_each_version_replaces_the_one_before() -> None:
    told = spans(quake(1, 0), quake(2, 5), quake(3, 9))
    assert told == {
        1: (at(0), at(5), EndReason.SUPERSEDED),
        2: (at(5), at(9), EndReason.SUPERSEDED),
        3: (at(9), None, None),
    }


def test_a_changed_id_is_still_the_series() -> None:
    assert spans(quake(1, 0), quake(2, 5, native_id="at1"))[1] == (at(0), at(5), EndReason.SUPERSEDED)


def test_a_deletion_ends_all_and_a_return_begins_anew() -> None:
    told = spans(quake(1, 0), quake(2, 5, CANCEL), quake(3, 9))
    assert told[1] == (at(0), at(5), EndReason.CANCELLED)
    assert told[3] == (at(9), None, None)


def test_an_old_version_that_arrives_late_changes_nothing_now() -> None:
    told = spans(quake(2, 5), quake(1, 0, received_at=at(60)))
    assert told == {1: (at(0), at(5), EndReason.SUPERSEDED), 2: (at(5), None, None)}


def test_a_partial_version_keeps_the_last_good_zones() -> None:
    good, partial, again = quake(1, 0), quake(2, 5, partial=True), quake(3, 7, partial=True)
    told = spans(good, partial, again)
    assert told == {1: (at(0), None, None), 2: (at(5), at(7), EndReason.SUPERSEDED), 3: (at(7), None, None)}
    whole = quake(4, 9)
    told = spans(good, partial, again, whole)
    assert told[1] == (at(0), at(9), EndReason.SUPERSEDED)
    assert told[3] == (at(7), at(9), EndReason.SUPERSEDED)
    assert spans(good, partial, quake(4, 9, CANCEL))[1] == (at(0), at(9), EndReason.CANCELLED)


def test_the_complete_one_replaces_the_partial_one_of_the_same_change() -> None:
    partial = quake(1, 5, native_version="00005.0", partial=True)
    whole = quake(2, 5, native_version="00005.1")
    for facts in ((partial, whole), (whole, partial)):
        assert spans(*facts) == {1: (at(5), at(5), EndReason.SUPERSEDED), 2: (at(5), None, None)}


# --- properties of any series ---

KINDS = st.sampled_from([ALERT, UPDATE, UPDATE, CANCEL, CLEAR, MessageKind.INFO, MessageKind.ERROR])
NAMES = st.integers(0, 5).map(str)


@st.composite
def series(draw: st.DrawFn, *, distinct: bool = False) -> list[VersionFact]:
    """Up to nine versions of up to six messages, with any references, also to what never came."""
    count = draw(st.integers(0, 9))
    minutes = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count, unique=distinct))
    return [
        fact(
            number + 1,
            minute,
            draw(KINDS),
            *draw(st.lists(NAMES, max_size=2, unique=True)),
            native_id=draw(NAMES),
            received_at=at(draw(st.integers(0, 40))),
            valid_until=draw(st.none() | st.integers(-2, 20).map(at)),
            partial=draw(st.sampled_from([False, False, False, True])),
        )
        for number, minute in enumerate(minutes)
    ]


@given(series(), st.randoms())
def test_the_order_of_the_input_does_not_matter(facts: list[VersionFact], random: Any) -> None:
    shuffled = facts.copy()
    random.shuffle(shuffled)
    assert derive(facts) == derive(shuffled)


@given(series(distinct=True), st.lists(st.integers(0, 99), min_size=9, max_size=9))
def test_the_order_of_arrival_does_not_matter(facts: list[VersionFact], arrivals: list[int]) -> None:
    later = [replace(each, received_at=at(minute)) for each, minute in zip(facts, arrivals, strict=False)]
    assert derive(facts) == derive(later)


@given(series())
def test_each_version_has_one_span_that_begins_when_it_was_sent(facts: list[VersionFact]) -> None:
    told = derive(facts)
    assert set(told) == {each.message_id for each in facts}
    for each in facts:
        span = told[each.message_id]
        assert span.from_at == each.sent_at
        assert span.until_at is None or span.until_at >= span.from_at
        assert (span.reason is None) == (span.until_at is None)


@given(series(distinct=True), KINDS, st.lists(NAMES, max_size=2, unique=True))
def test_what_comes_later_closes_and_never_rewrites(
    facts: list[VersionFact], kind: MessageKind, names: list[str]
) -> None:
    """Whatever is sent at minute 20, nothing changes about the time before it."""
    before, after = derive(facts), derive([*facts, fact(99, 20, kind, *names)])
    for each in facts:
        old, new = before[each.message_id], after[each.message_id]
        assert old == new or (new.until_at == at(20) and (old.until_at is None or old.until_at >= at(20)))


@given(series(distinct=True))
def test_what_a_cancel_names_is_over(facts: list[VersionFact]) -> None:
    told = derive(facts)
    for act in (each for each in facts if each.kind in (CANCEL, CLEAR) and not each.partial):
        for target in facts:
            if (
                target.native_id in act.references
                and target.native_id != act.native_id
                and target.sent_at < act.sent_at
            ):
                until = told[target.message_id].until_at
                assert until is not None
                assert until <= act.sent_at


@given(series(distinct=True))
def test_a_duplicate_changes_nothing_about_the_others(facts: list[VersionFact]) -> None:
    if not facts:
        return
    told = derive(facts)
    twin = replace(facts[0], message_id=UUID(int=50), received_at=facts[0].received_at + timedelta(minutes=1))
    with_twin = derive([*facts, twin])
    for each in facts[1:]:
        assert with_twin[each.message_id] == told[each.message_id]
    first, second = with_twin[facts[0].message_id], with_twin[twin.message_id]
    assert first.until_at == first.from_at
    assert second == told[facts[0].message_id]


# --- the slow twin: is it in force at a moment? asked of each message alone ---


def reaches(start: str, goal: str, facts: list[VersionFact], seen: frozenset[str] = frozenset()) -> bool:
    if start == goal:
        return True
    onward = {name for each in facts if each.native_id == start for name in each.references} - seen - {start}
    return any(reaches(name, goal, facts, seen | {start}) for name in onward)


def acts_on(act: VersionFact, target: VersionFact, before: list[VersionFact]) -> bool:
    if act.partial and not target.partial:
        return False
    if act.native_id == target.native_id:
        return True
    if act.kind not in (UPDATE, CANCEL, CLEAR):
        return False
    named = [name for name in act.references if name != act.native_id]
    if not act.references:
        return True
    older = [each for each in before if each.sent_at < act.sent_at]
    back = any(reaches(name, target.native_id, before) for name in named)
    return back or any(reaches(target.native_id, name, older) for name in named)


def in_force(target: VersionFact, moment: datetime, facts: list[VersionFact]) -> bool:
    if target.kind in (CANCEL, CLEAR) or moment < target.sent_at:
        return False
    if target.valid_until is not None and target.valid_until <= moment:
        return False
    ordered = sorted(facts, key=lambda each: each.sent_at)
    place = ordered.index(target)
    return not any(
        acts_on(act, target, ordered[: ordered.index(act)]) for act in ordered[place + 1 :] if act.sent_at <= moment
    )


@given(series(distinct=True))
def test_it_agrees_with_the_slow_twin(facts: list[VersionFact]) -> None:
    told = derive(facts)
    for target in facts:
        span: InForce = told[target.message_id]
        for minute in range(-1, 22):
            holds = span.from_at <= at(minute) and (span.until_at is None or at(minute) < span.until_at)
            assert holds == in_force(target, at(minute), facts), (target, minute)
