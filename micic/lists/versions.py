"""Making the next version of a list: read at one instant, decide by the rules, compare with the last, write.

Below the verbs of `service`; takes no permission and keeps to the caller's transaction.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from micic.errors import NotFound
from micic.identifiers import new_id
from micic.lists import freeze, queries
from micic.lists.access import audit, state_wide
from micic.lists.models import PersonList
from micic.lists.queries import EarlierLine, PersonRow
from micic.lists.rules import Departure, ListKind, ListPolicy, choose, rank
from micic.registry.vault import Vault
from micic.security.principal import Principal
from micic.watch.models import Situation


@dataclass(frozen=True)
class Scene:
    """What was read at one instant for the lists of one post."""

    situation: Situation
    post_id: uuid.UUID
    people: dict[uuid.UUID, PersonRow]
    keys: dict[uuid.UUID, bytes]
    policy: ListPolicy
    now: datetime


def lock_situation(session: Session, state: str, event_id: uuid.UUID) -> Situation:
    """Whoever freezes for an event waits here for whoever freezes already, and then reads what is newest."""
    situation = session.execute(
        select(Situation)
        .where(Situation.registering_state == state, Situation.event_id == event_id)
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    if situation is None:
        raise NotFound("There is no such situation.")
    return situation


def read_scene(
    session: Session,
    principal: Principal,
    vault: Vault,
    situation: Situation,
    post_id: uuid.UUID,
    policy: ListPolicy,
    now: datetime,
) -> Scene:
    """Everybody whom the post's lists may be about, with their keys. A person without a key gets one: nobody may be
    missing from a list for that.
    """
    with state_wide(session, principal):
        rows = queries.read_people(session, principal.state, situation.event_id, post_id, policy, as_of=now)
        people = {row.migrant_id: row for row in rows}
        keys = vault.person_keys(people)
        for missing in people.keys() - keys.keys():
            keys[missing], key_row = vault.make_person_key(people[missing].keeper_post_id, missing)
            session.add(key_row)
        session.flush()
    return Scene(situation, post_id, people, keys, policy, now)


def freeze_scene(session: Session, principal: Principal, scene: Scene, kind: ListKind) -> PersonList | None:
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


def freeze_empty(session: Session, principal: Principal, scene: Scene, kind: ListKind) -> PersonList:
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
    audit(session, principal, "list.freeze", version, scene.now, lines=len(lines), number=version.version)
    return version


def _count_changes(lines: Iterable[queries.SealedLine], departures: dict[uuid.UUID, Departure]) -> dict[str, Any]:
    counts: dict[str, Any] = {"new": 0, "same": 0, "changed": 0, **Counter(line.change for line in lines)}
    counts["departed"] = dict(sorted(Counter(reason.value for reason in departures.values()).items()))
    return counts
