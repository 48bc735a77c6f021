"""The verbs of lists: freeze, release, read, verify, compare; and the stage that freezes what a crossing reached.

A list needs households whole and every member's true presence, also of members whom another post keeps or serves.
So what is read for a list is read with all posts of the State in the context, after permission was checked, and
the context goes back to the caller's at once.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from psycopg.errors import InFailedSqlTransaction
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from micic.audit.service import record
from micic.errors import Conflict, FourEyes, Invalid, NotFound
from micic.identifiers import new_id
from micic.lists import freeze, queries
from micic.lists.masks import RecipientClass
from micic.lists.models import ListLine, ListRun, PersonList
from micic.lists.payload import PASSING, Payload
from micic.lists.queries import Behind, EarlierLine, PersonRow
from micic.lists.rules import DEFAULT_POLICY, Departure, ListKind, ListPolicy, choose, rank
from micic.posts.models import ConsularPost
from micic.registry.vault import Vault
from micic.security.context import set_context
from micic.security.crypto import MasterKeys
from micic.security.principal import Permission, Principal, require
from micic.watch.models import Situation

logger = logging.getLogger(__name__)


# --- freezing ---


def freeze_list(
    session: Session,
    principal: Principal,
    vault: Vault,
    event_id: uuid.UUID,
    post_id: uuid.UUID,
    kind: ListKind,
    *,
    now: datetime,
    policy: ListPolicy = DEFAULT_POLICY,
) -> PersonList:
    """Freeze the list of one post for one event as it is now. Where nothing changed since the last version, that
    version is returned and nothing is written. Raises NotPermitted, NotFound.
    """
    require(principal, Permission.FREEZE_LIST, post_id=post_id)
    situation = _lock_situation(session, principal.state, event_id)
    scene = _read_scene(session, principal, vault, situation, post_id, policy, now)
    return _freeze(session, principal, scene, ListKind(kind)) or _freeze_empty(session, principal, scene, kind)


@dataclass(frozen=True)
class Scene:
    """What was read at one instant for the lists of one post."""

    situation: Situation
    post_id: uuid.UUID
    people: dict[uuid.UUID, PersonRow]
    keys: dict[uuid.UUID, bytes]
    policy: ListPolicy
    now: datetime


def _lock_situation(session: Session, state: str, event_id: uuid.UUID) -> Situation:
    """Whoever freezes for an event waits here for whoever freezes already, and then reads what is newest."""
    situation = session.execute(
        select(Situation)
        .where(Situation.registering_state == state, Situation.event_id == event_id)
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    if situation is None:
        raise NotFound("There is no such situation.")
    return situation


def _read_scene(
    session: Session,
    principal: Principal,
    vault: Vault,
    situation: Situation,
    post_id: uuid.UUID,
    policy: ListPolicy,
    now: datetime,
) -> Scene:
    with _state_wide(session, principal):
        rows = queries.read_people(session, principal.state, situation.event_id, post_id, policy, as_of=now)
        people = {row.migrant_id: row for row in rows}
        keys = vault.person_keys(people)
        for missing in people.keys() - keys.keys():
            keys[missing], key_row = vault.make_person_key(people[missing].keeper_post_id, missing)
            session.add(key_row)
        session.flush()
    return Scene(situation, post_id, people, keys, policy, now)


@contextmanager
def _state_wide(session: Session, principal: Principal) -> Iterator[None]:
    """See every post of the State for a moment. The worker does anyway."""
    if principal.staff_id is None:
        yield
        return
    posts = session.execute(
        select(ConsularPost.post_id).where(ConsularPost.registering_state == principal.state)
    ).scalars()
    set_context(session, replace(principal.context(), posts=tuple(posts)))
    try:
        yield
    finally:
        with suppress(InFailedSqlTransaction):
            set_context(session, principal.context())


def _freeze(session: Session, principal: Principal, scene: Scene, kind: ListKind) -> PersonList | None:
    """The new version, or the last one when it would be the same; None when there is nobody and never was."""
    event_id, state = scene.situation.event_id, principal.state
    latest = queries.find_latest(session, state, event_id, scene.post_id, kind.value)
    earlier = queries.list_earlier_lines(session, state, latest.list_id) if latest else []
    on, off = choose([person.standing for person in scene.people.values()], kind, scene.policy)
    ranked = rank([one.facts for one in on], scene.policy, freeze.seed_of(event_id, scene.policy))
    drafts = freeze.draft_lines(scene.people, ranked, scene.keys, as_of=scene.now)
    told_before = [(line.migrant_id, line.fingerprint) for line in earlier]
    if told_before == [(draft.migrant_id, draft.fingerprint) for draft in drafts] and (
        latest is None or latest.status != "withdrawn"
    ):
        return latest
    lost = {line.migrant_id for line in earlier} - {draft.migrant_id for draft in drafts}
    departures = _departures(session, state, scene, [line for line in earlier if line.migrant_id in lost], off)
    return _write(session, principal, scene, kind, latest, drafts, dict(told_before), departures)


def _freeze_empty(session: Session, principal: Principal, scene: Scene, kind: ListKind) -> PersonList:
    """That nobody has to stand on the list is said by a version too, when somebody asked for one."""
    return _write(session, principal, scene, ListKind(kind), None, [], {}, {})


def _departures(
    session: Session,
    state: str,
    scene: Scene,
    lost: Sequence[EarlierLine],
    off: dict[uuid.UUID, Departure],
) -> dict[uuid.UUID, Departure]:
    unread = [line for line in lost if line.migrant_id not in off]
    reasons = queries.find_reasons(
        session, state, scene.situation.event_id, scene.post_id, [line.migrant_id for line in unread]
    )
    for line in unread:
        if reasons[line.migrant_id] is Departure.LEFT_AREA and line.presence == "safe_area":
            reasons[line.migrant_id] = Departure.HOUSEHOLD
    return {line.migrant_id: off.get(line.migrant_id) or reasons[line.migrant_id] for line in lost}


def _write(
    session: Session,
    principal: Principal,
    scene: Scene,
    kind: ListKind,
    latest: PersonList | None,
    drafts: Sequence[freeze.Draft],
    earlier: dict[uuid.UUID, bytes],
    departures: dict[uuid.UUID, Departure],
) -> PersonList:
    list_id = new_id()
    lines = freeze.seal_lines(drafts, list_id, scene.keys, earlier)
    version = PersonList(
        registering_state=principal.state,
        list_id=list_id,
        event_id=scene.situation.event_id,
        post_id=scene.post_id,
        kind=kind.value,
        mode=scene.situation.mode,
        version=latest.version + 1 if latest else 1,
        previous_list_id=latest.list_id if latest else None,
        status="frozen",
        rule_set=scene.policy.rule_set,
        line_count=len(lines),
        household_count=len({line.household_id for line in lines}),
        changes=_count_changes(lines, departures),
        as_of=scene.now,
        frozen_at=scene.now,
        frozen_by=principal.staff_id,
    )
    header = freeze.header_of(version, latest.sha256 if latest else None)
    told = {migrant_id: reason.value for migrant_id, reason in departures.items()}
    version.sha256 = freeze.list_hash_of(header, lines, told)
    session.add(version)
    session.flush()
    queries.insert_lines(session, principal.state, list_id, lines)
    queries.insert_departures(session, principal.state, list_id, departures)
    _note(session, principal, "list.freeze", version, scene.now, lines=len(lines), version=version.version)
    return version


def _count_changes(
    lines: Iterable[queries.SealedLine], departures: dict[uuid.UUID, Departure]
) -> dict[str, Any]:
    counts: dict[str, Any] = {"new": 0, "same": 0, "changed": 0, **Counter(line.change for line in lines)}
    counts["departed"] = dict(sorted(Counter(reason.value for reason in departures.values()).items()))
    return counts


# --- releasing ---


def get_list(session: Session, principal: Principal, list_id: uuid.UUID) -> PersonList:
    """One version of one's own posts. Raises NotPermitted, NotFound."""
    require(principal, Permission.READ_SITUATION)
    version = session.get(PersonList, (principal.state, list_id))
    if version is None:
        raise NotFound()
    require(principal, Permission.READ_SITUATION, post_id=version.post_id)
    return version


def release_list(
    session: Session,
    principal: Principal,
    list_id: uuid.UUID,
    recipient_class: RecipientClass | str,
    note: str,
    *,
    now: datetime,
) -> PersonList:
    """Release a version to one class of recipient; `note` names the recipient. Whoever froze it may not; what the
    system froze needs one person. Raises NotPermitted, NotFound, FourEyes, Conflict, Invalid.
    """
    require(principal, Permission.RELEASE_LIST)
    if principal.staff_id is None:
        raise FourEyes("A person must release a list.")
    if recipient_class not in list(RecipientClass):
        raise Invalid("Choose a class of recipient.", field="recipient_class")
    if not note.strip():
        raise Invalid("Say to whom the list goes.", field="note")
    version = session.execute(
        select(PersonList)
        .where(PersonList.registering_state == principal.state, PersonList.list_id == list_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if version is None:
        raise NotFound()
    require(principal, Permission.RELEASE_LIST, post_id=version.post_id)
    if version.frozen_by == principal.staff_id:
        raise FourEyes()
    if version.status != "frozen":
        raise Conflict("This version was released or withdrawn before.")
    version.status, version.released_at, version.released_by = "released", now, principal.staff_id
    version.recipient_class, version.release_note = RecipientClass(recipient_class).value, note.strip()
    _note(session, principal, "list.release", version, now, recipient_class=version.recipient_class)
    session.flush()
    return version


# --- reading ---


@dataclass(frozen=True)
class Line:
    """One line as a person reads it. `payload` is None when the person was erased.

    `is_token`: protected, or a child alone: no identity leaves the house. `refused`: the classes of recipient to
    which the person does not want to be named. Both as of the freeze or as of now, whichever hides more.
    """

    line_no: int
    migrant_id: uuid.UUID
    household_id: uuid.UUID
    household_rank: int
    tier: int
    presence: str
    severity: int | None
    change: str
    payload: Payload | None
    is_token: bool
    refused: frozenset[str]


def read_lines(
    session: Session, principal: Principal, vault: Vault, list_id: uuid.UUID, *, now: datetime
) -> list[Line]:
    """The lines of a version, opened, in order. One audit row names the version. Raises NotPermitted,
    PurposeMissing, NotFound.
    """
    version = _get_readable(session, principal, list_id)
    lines = _open_lines(session, principal, vault, version)
    _note(session, principal, "list.read", version, now, lines=len(lines))
    return lines


def _get_readable(session: Session, principal: Principal, list_id: uuid.UUID) -> PersonList:
    require(principal, Permission.READ_PERSONS)
    version = get_list(session, principal, list_id)
    require(principal, Permission.READ_PERSONS, post_id=version.post_id)
    return version


def _open_lines(session: Session, principal: Principal, vault: Vault, version: PersonList) -> list[Line]:
    rows = queries.list_lines(session, principal.state, version.list_id)
    with _state_wide(session, principal):
        keys = vault.person_keys(row.migrant_id for row in rows)
        guards = queries.find_guards(session, principal.state, version.list_id)
    return [_open_line(row, keys.get(row.migrant_id), guards.get(row.migrant_id)) for row in rows]


def _open_line(row: ListLine, key: bytes | None, guard: queries.Guard | None) -> Line:
    payload = None if key is None else freeze.parse_line(row, key)
    then: Payload = payload or {}
    return Line(
        line_no=row.line_no,
        migrant_id=row.migrant_id,
        household_id=row.household_id,
        household_rank=row.household_rank,
        tier=row.tier,
        presence=row.presence,
        severity=row.severity,
        change=row.change,
        payload=payload,
        is_token=guard is None or guard.protected or bool(then.get("protected") or then.get("child_alone")),
        refused=frozenset(then.get("refused", ())) | (guard.refused if guard else frozenset()),
    )


# --- proving ---


@dataclass(frozen=True)
class Verification:
    """Whether a version still says what it said. `erased` lines hold by their hash alone."""

    lines: int
    erased: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when nothing was changed."""
        return not self.problems


def verify_list(session: Session, principal: Principal, vault: Vault, list_id: uuid.UUID) -> Verification:
    """Recompute every hash of a version and of its link to the one before. Shows nobody anything of a person.
    Raises NotPermitted, NotFound.
    """
    version = get_list(session, principal, list_id)
    rows = queries.list_lines(session, principal.state, list_id)
    departures = queries.list_departures(session, principal.state, list_id)
    with _state_wide(session, principal):
        keys = vault.person_keys(row.migrant_id for row in rows)
    previous = version.previous_list_id and session.get(PersonList, (principal.state, version.previous_list_id))
    header = freeze.header_of(version, previous.sha256 if previous else None)
    problems = [
        f"line {row.line_no} was changed"
        for row in rows
        if row.migrant_id in keys and not freeze.line_is_true(row, keys[row.migrant_id])
    ]
    if freeze.list_hash_of(header, rows, departures) != version.sha256:
        problems.append("the list does not have the hash it was frozen with")
    return Verification(len(rows), sum(row.migrant_id not in keys for row in rows), tuple(problems))


# --- comparing ---


@dataclass(frozen=True)
class ChangedLine:
    """A line that tells something else than before, and in which fields."""

    line_no: int
    migrant_id: uuid.UUID
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What changed since the previous version (None: there was none)."""

    version: int
    previous_version: int | None
    new: tuple[uuid.UUID, ...]
    changed: tuple[ChangedLine, ...]
    same: int
    departed: dict[uuid.UUID, Departure]


def compare_lists(
    session: Session, principal: Principal, vault: Vault, list_id: uuid.UUID, *, now: datetime
) -> Comparison:
    """What changed on a version since the one before: who is new, whose line tells something else and in which
    fields, who left and why. Audited as a read. Raises NotPermitted, PurposeMissing, NotFound.
    """
    version = _get_readable(session, principal, list_id)
    lines = _open_lines(session, principal, vault, version)
    previous = version.previous_list_id and session.get(PersonList, (principal.state, version.previous_list_id))
    before = {line.migrant_id: line for line in _open_lines(session, principal, vault, previous)} if previous else {}
    departures = queries.list_departures(session, principal.state, list_id)
    _note(session, principal, "list.compare", version, now)
    return Comparison(
        version=version.version,
        previous_version=previous.version if previous else None,
        new=tuple(line.migrant_id for line in lines if line.change == "new"),
        changed=tuple(
            ChangedLine(line.line_no, line.migrant_id, _fields_that_differ(before[line.migrant_id], line))
            for line in lines
            if line.change == "changed"
        ),
        same=sum(line.change == "same" for line in lines),
        departed={migrant_id: Departure(reason) for migrant_id, reason in departures.items()},
    )


def _fields_that_differ(before: Line, after: Line) -> tuple[str, ...]:
    old, new = before.payload or {}, after.payload or {}
    return tuple(
        sorted(name for name in old.keys() | new.keys() if name not in PASSING and old.get(name) != new.get(name))
    )


# --- the stage ---


def freeze_due_lists(
    factory: sessionmaker[Session],
    master: MasterKeys,
    state: str,
    *,
    now: datetime,
    policy: ListPolicy = DEFAULT_POLICY,
) -> int:
    """Freeze assistance and evacuation list of every post that a crossing reached, or whose people told news; one
    transaction per post. Safe to run twice. Returns how many new versions it made.

    One post that fails costs that post; the others go on, and the failures are raised together at the end.
    """
    principal = Principal.system(state)
    with factory.begin() as session:
        set_context(session, principal.context())
        unfinished = queries.list_unfinished_crossings(session, state)
        behind = queries.list_behind(session, state, now=now)
        settled, refresh = (now - timedelta(seconds=age) for age in (policy.settle_s, policy.refresh_s))
        aged = queries.list_aged(session, state, settled_before=settled, refresh_before=refresh)
    due = _due(behind, aged, settled)
    made, failures = 0, []
    for (event_id, post_id), crossings in due.items():
        try:
            with factory.begin() as session:
                set_context(session, principal.context())
                made += _freeze_post(session, principal, master, event_id, post_id, crossings, now, policy)
        except Exception as error:
            logger.exception("lists of post %s for event %s were not frozen", post_id, event_id)
            failures.append(error)
    waiting = {one.crossing_id for one in behind if (one.event_id, one.post_id) not in due}
    if not failures:
        _finish(factory, principal, [one for one in unfinished if one not in waiting], now)
    if failures:
        raise ExceptionGroup("some lists were not frozen", failures)
    return made


def _due(
    behind: Iterable[Behind], aged: Iterable[tuple[uuid.UUID, uuid.UUID]], settled: datetime
) -> dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]]:
    """(event, post) -> the crossings to be answered. A small change waits until the last freeze has settled."""
    due: dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]] = {}
    for where, group in groupby(behind, key=lambda one: (one.event_id, one.post_id)):
        ones = list(group)
        if any(one.at_once or one.last_run_at is None or one.last_run_at <= settled for one in ones):
            due[where] = [one.crossing_id for one in ones]
    for where in aged:
        due.setdefault(where, [])
    return due


def _freeze_post(
    session: Session,
    principal: Principal,
    master: MasterKeys,
    event_id: uuid.UUID,
    post_id: uuid.UUID,
    crossings: Sequence[uuid.UUID],
    now: datetime,
    policy: ListPolicy,
) -> int:
    """Both lists of one post, and the rows that say so, in the caller's transaction."""
    situation = _lock_situation(session, principal.state, event_id)
    vault = Vault(session, master, principal.state)
    scene = _read_scene(session, principal, vault, situation, post_id, policy, now)
    made = 0
    for kind in ListKind:
        before = queries.find_latest(session, principal.state, event_id, post_id, kind.value)
        after = _freeze(session, principal, scene, kind)
        made += after is not None and after is not before
    on, _ = choose([person.standing for person in scene.people.values()], ListKind.ASSISTANCE, policy)
    news = sum(scene.people[one.facts.migrant_id].told for one in on)
    session.add_all(
        ListRun(
            registering_state=principal.state,
            run_id=new_id(),
            crossing_id=crossing_id,
            event_id=event_id,
            post_id=post_id,
            news=news,
            at=now,
        )
        for crossing_id in crossings or [None]
    )
    return made


def _finish(
    factory: sessionmaker[Session], principal: Principal, crossings: Iterable[uuid.UUID], now: datetime
) -> None:
    """Write that every post of these crossings has its lists, so that they are not looked at again."""
    with factory.begin() as session:
        set_context(session, principal.context())
        session.add_all(
            ListRun(registering_state=principal.state, run_id=new_id(), crossing_id=crossing_id, at=now)
            for crossing_id in crossings
        )


def _note(
    session: Session, principal: Principal, action: str, version: PersonList, now: datetime, **details: Any
) -> None:
    record(
        session,
        principal.state,
        principal.actor,
        action,
        now=now,
        purpose=principal.purpose or None,
        subject_kind="person_list",
        subject_id=version.list_id,
        post_id=version.post_id,
        details=details,
    )
