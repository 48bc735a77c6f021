"""The verbs of lists: freeze, release, read, verify, compare; and the stage that freezes what a crossing reached."""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from micic.errors import Conflict, FourEyes, Invalid, NotFound
from micic.identifiers import new_id
from micic.lists import queries
from micic.lists.access import audit, get_list
from micic.lists.masks import RecipientClass
from micic.lists.models import ListRun, PersonList
from micic.lists.queries import Behind
from micic.lists.reading import compare_lists, read_lines, verify_list
from micic.lists.rules import DEFAULT_POLICY, ListKind, ListPolicy, choose
from micic.lists.versions import freeze_empty, freeze_scene, lock_situation, read_scene
from micic.registry.vault import Vault
from micic.security.context import set_context
from micic.security.crypto import MasterKeys
from micic.security.principal import Permission, Principal, require

__all__ = [
    "compare_lists",
    "freeze_due_lists",
    "freeze_list",
    "get_list",
    "read_lines",
    "release_list",
    "verify_list",
]

logger = logging.getLogger(__name__)


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
    situation = lock_situation(session, principal.state, event_id)
    scene = read_scene(session, principal, vault, situation, post_id, policy, now)
    return freeze_scene(session, principal, scene, ListKind(kind)) or freeze_empty(session, principal, scene, kind)


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
        raise NotFound
    require(principal, Permission.RELEASE_LIST, post_id=version.post_id)
    if version.frozen_by == principal.staff_id:
        raise FourEyes
    if version.status != "frozen":
        raise Conflict("This version was released or withdrawn before.")
    version.status, version.released_at, version.released_by = "released", now, principal.staff_id
    version.recipient_class, version.release_note = RecipientClass(recipient_class).value, note.strip()
    audit(session, principal, "list.release", version, now, recipient_class=version.recipient_class)
    session.flush()
    return version


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
            logger.error("lists of post %s for event %s not frozen: %s", post_id, event_id, type(error).__name__)
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
    situation = lock_situation(session, principal.state, event_id)
    remaining: list[uuid.UUID | None] = [
        *queries.list_unanswered(session, principal.state, event_id, post_id, crossings)
    ]
    if crossings and not remaining:
        return 0
    vault = Vault(session, master, principal.state)
    scene = read_scene(session, principal, vault, situation, post_id, policy, now)
    made = 0
    for kind in ListKind:
        before = queries.find_latest(session, principal.state, event_id, post_id, kind.value)
        after = freeze_scene(session, principal, scene, kind)
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
        for crossing_id in (remaining or [None])
    )
    return made


def _finish(
    factory: sessionmaker[Session], principal: Principal, crossings: Iterable[uuid.UUID], now: datetime
) -> None:
    """Write that every post of these crossings has its lists, so that they are not looked at again."""
    rows = [
        {"registering_state": principal.state, "run_id": new_id(), "crossing_id": crossing_id, "at": now}
        for crossing_id in crossings
    ]
    if rows:
        with factory.begin() as session:
            set_context(session, principal.context())
            session.execute(insert(ListRun).on_conflict_do_nothing(), rows)
