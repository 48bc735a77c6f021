"""The crossing's verbs: cross one message, one declaration, some persons, the clock's changes, or everything.

They all run the one statement of `crossing.sql` and differ only in its scope. They hold the State's crossing lock
until the caller commits; registrations do not take it and go on meanwhile.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from alerts.models import Event, Message
from geo.database import read_statement
from micic.exposure.models import ClockTick, Crossing
from micic.identifiers import new_id
from micic.watch.models import Situation
from micic.watch.standing import order_for_state

# Below this many persons the pairs are looked up from the persons, above it from the zones.
PERSONS_WORTH_A_LOOKUP = 20_000


@dataclass(frozen=True)
class CrossingPolicy:
    """What an unstated severity counts as, and after how long of an event older observations are not fresh."""

    severity_if_unknown: int = 3
    stale_after: timedelta = timedelta(hours=72)


DEFAULT_POLICY = CrossingPolicy()


@dataclass(frozen=True)
class Scope:
    """What is crossed: one event or all, some persons or all."""

    event_id: uuid.UUID | None = None
    migrant_ids: tuple[uuid.UUID, ...] | None = None


@dataclass(frozen=True)
class CrossingResult:
    """One run: its id and, per event, how many persons entered, left, raised, lowered, firmed, loosened."""

    crossing_id: uuid.UUID
    counts: dict[uuid.UUID, dict[str, int]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many exposures changed."""
        return sum(sum(changes.values()) for changes in self.counts.values())


def cross_message(
    session: Session, state: str, message_id: uuid.UUID, *, now: datetime, policy: CrossingPolicy = DEFAULT_POLICY
) -> CrossingResult | None:
    """Cross what one received version may have changed, once per State: None when that was done before."""
    message = session.get_one(Message, message_id)
    order_for_state(session, state, message)
    return _cross_with_siblings(session, state, "message", message_id, message.event_id, now=now, policy=policy)


def cross_declaration(
    session: Session,
    state: str,
    event_id: uuid.UUID,
    cause: str,
    cause_id: uuid.UUID,
    *,
    now: datetime,
    policy: CrossingPolicy = DEFAULT_POLICY,
) -> CrossingResult | None:
    """Cross an event after a person's act on it: an area declared ("declaration") or ended ("expiry"), an alert
    accepted or rejected. Once per act.
    """
    return _cross_with_siblings(session, state, cause, cause_id, event_id, now=now, policy=policy)


def cross_persons(
    session: Session,
    state: str,
    migrant_ids: Sequence[uuid.UUID],
    cause: str,
    *,
    now: datetime,
    policy: CrossingPolicy = DEFAULT_POLICY,
) -> CrossingResult | None:
    """Cross these persons with every zone in force. Their whereabouts must be derived already."""
    return _cross(session, state, cause, None, Scope(migrant_ids=tuple(migrant_ids)), now=now, policy=policy)


def cross_everything(
    session: Session, state: str, *, now: datetime, policy: CrossingPolicy = DEFAULT_POLICY
) -> CrossingResult | None:
    """Cross everybody with every zone in force: the nightly truth."""
    return _cross(session, state, "everything", None, Scope(), now=now, policy=policy)


def cross_clock(
    session: Session, state: str, *, now: datetime, policy: CrossingPolicy = DEFAULT_POLICY
) -> list[CrossingResult]:
    """Cross what time alone has changed since the last tick: zones that began or expired, check-ins grown old,
    trips begun or ended.
    """
    since = _lock_crossing(session, state)
    results: list[CrossingResult | None] = []
    if since is not None and since < now:
        window = {"state": state, "since": since, "now": now, "stale_after": policy.stale_after}
        events = session.execute(text(read_statement(__package__, "clock_events.sql")), window).all()
        for event_id, cause in events:
            results.append(_cross(session, state, cause, None, Scope(event_id), now=now, policy=policy))
        persons = session.execute(text(read_statement(__package__, "clock_persons.sql")), window).scalars().all()
        if persons:
            results.append(cross_persons(session, state, persons, "clock", now=now, policy=policy))
    if since is None or since < now:
        session.execute(
            text("update clock_tick set ticked_to = :now where registering_state = :state"),
            {"now": now, "state": state},
        )
    return [result for result in results if result is not None]


def _cross_with_siblings(
    session: Session,
    state: str,
    cause: str,
    cause_id: uuid.UUID,
    event_id: uuid.UUID,
    *,
    now: datetime,
    policy: CrossingPolicy,
) -> CrossingResult | None:
    """Cross an event and, the first time, the other events whose alerts the same series may have ended."""
    result = _cross(session, state, cause, cause_id, Scope(event_id), now=now, policy=policy)
    if result is not None:
        siblings = session.execute(text(read_statement(__package__, "siblings.sql")), {"event": event_id}).scalars()
        for sibling in siblings.all():
            _cross(session, state, cause, None, Scope(sibling), now=now, policy=policy)
    return result


def _cross(
    session: Session,
    state: str,
    cause: str,
    cause_id: uuid.UUID | None,
    scope: Scope,
    *,
    now: datetime,
    policy: CrossingPolicy,
) -> CrossingResult | None:
    ticked_to = _lock_crossing(session, state)
    now = now if ticked_to is None else max(now, ticked_to)  # what the clock has crossed must not be uncrossed
    crossing_id = new_id()
    if cause_id is not None and not _note_crossing(session, state, crossing_id, cause, cause_id, scope, now):
        return None
    counts = _run(session, state, crossing_id, cause, scope, now, policy)
    _open_situations(session, state, scope, counts, now)
    for concerned in _concerned(session, state, scope, now):
        _open_situations(session, state, concerned, {}, now)
        _concern_countries(session, state, crossing_id, concerned, now, policy)
    if cause_id is None and counts:
        _note_crossing(session, state, crossing_id, cause, None, scope, now)
    _keep_counts(session, state, crossing_id, counts)
    return CrossingResult(crossing_id, counts)


def _concerned(session: Session, state: str, scope: Scope, now: datetime) -> list[Scope]:
    """For which events the countries are looked at again: those in scope, or those that persons newly bring in."""
    if scope.migrant_ids is None:
        return [scope]
    window = {"state": state, "at": now, "migrants": list(scope.migrant_ids)}
    events = session.execute(text(read_statement(__package__, "countries_reached.sql")), window).scalars()
    return [Scope(event_id) for event_id in events.all()]


def lock_crossing(session: Session, state: str) -> None:
    """Take the State's crossing lock before looking for what to derive: two that derive must not cross each other."""
    _lock_crossing(session, state)


def _lock_crossing(session: Session, state: str) -> datetime | None:
    """Take the State's crossing lock; the last tick of its clock (None at the first)."""
    never = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    session.execute(insert(ClockTick).values(registering_state=state, ticked_to=never).on_conflict_do_nothing())
    ticked_to = session.execute(
        select(ClockTick.ticked_to).where(ClockTick.registering_state == state).with_for_update()
    ).scalar_one()
    return None if ticked_to == never else ticked_to


def _note_crossing(
    session: Session,
    state: str,
    crossing_id: uuid.UUID,
    cause: str,
    cause_id: uuid.UUID | None,
    scope: Scope,
    now: datetime,
) -> bool:
    noted = session.execute(
        insert(Crossing)
        .values(
            registering_state=state,
            crossing_id=crossing_id,
            cause=cause,
            cause_id=cause_id,
            event_id=scope.event_id,
            at=now,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Crossing.crossing_id)
    )
    return noted.first() is not None


def _run(
    session: Session,
    state: str,
    crossing_id: uuid.UUID,
    cause: str,
    scope: Scope,
    now: datetime,
    policy: CrossingPolicy,
) -> dict[uuid.UUID, dict[str, int]]:
    few = scope.migrant_ids is not None and len(scope.migrant_ids) <= PERSONS_WORTH_A_LOOKUP
    pairs = read_statement(__package__, "pairs_by_person.sql" if few else "pairs_by_zone.sql")
    statement = read_statement(__package__, "crossing.sql").replace("{pairs}", pairs)
    rows = session.execute(
        text(statement),
        {
            "state": state,
            "at": now,
            "recorded_at": now,
            "crossing_id": crossing_id,
            "cause": cause,
            "event": scope.event_id,
            "migrants": None if scope.migrant_ids is None else list(scope.migrant_ids),
            "severity_if_unknown": policy.severity_if_unknown,
            "stale_after": policy.stale_after,
        },
    )
    counts: dict[uuid.UUID, dict[str, int]] = {}
    for event_id, change, persons in rows:
        counts.setdefault(event_id, {})[change] = persons
    return counts


def _open_situations(
    session: Session, state: str, scope: Scope, counts: dict[uuid.UUID, dict[str, int]], now: datetime
) -> None:
    """An event that reaches anybody of this State becomes a situation of this State."""
    touched = set(counts) | ({scope.event_id} if scope.event_id and _concerns(session, state, scope) else set())
    if not touched:
        return
    events = session.execute(select(Event).where(Event.event_id.in_(touched))).scalars()
    rows: list[dict[str, Any]] = [
        {
            "registering_state": state,
            "event_id": event.event_id,
            "public_event_id": event.event_id,
            "title": event.title,
            "began_at": event.began_at,
            "opened_at": now,
        }
        for event in events
    ]
    if rows:
        statement = insert(Situation)
        renamed = statement.excluded.title
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["registering_state", "event_id"],
                set_={"title": renamed},
                where=Situation.public_event_id.is_not(None) & (Situation.title != renamed),
            ),
            rows,
        )


def _concerns(session: Session, state: str, scope: Scope) -> bool:
    """Whether the event touches a country in which this State has anybody on the record."""
    return bool(
        session.execute(
            text(read_statement(__package__, "concerns.sql")), {"state": state, "event": scope.event_id}
        ).scalar()
    )


def _concern_countries(
    session: Session, state: str, crossing_id: uuid.UUID, scope: Scope, now: datetime, policy: CrossingPolicy
) -> None:
    session.execute(
        text(read_statement(__package__, "countries.sql")),
        {
            "state": state,
            "at": now,
            "event": scope.event_id,
            "crossing_id": crossing_id,
            "severity_if_unknown": policy.severity_if_unknown,
        },
    )


def _keep_counts(session: Session, state: str, crossing_id: uuid.UUID, counts: dict[uuid.UUID, dict[str, int]]) -> None:
    totals: dict[str, int] = {}
    for changes in counts.values():
        for change, persons in changes.items():
            totals[change] = totals.get(change, 0) + persons
    crossing = session.get(Crossing, (state, crossing_id))
    if crossing is not None:
        crossing.counts = dict(totals)
        session.flush()
