"""Opening versions of a list: reading their lines, proving that they are as frozen, comparing with the one before."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from micic.lists import freeze, queries
from micic.lists.access import audit, get_list, get_readable, state_wide
from micic.lists.models import ListLine, PersonList
from micic.lists.payload import PASSING, Payload
from micic.lists.rules import Departure
from micic.registry.vault import Vault
from micic.security.principal import Principal


@dataclass(frozen=True)
class Line:
    """One line as a person reads it. `payload` is None when the person was erased, or the line damaged.

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
    is_damaged: bool
    is_token: bool
    refused: frozenset[str]


def read_lines(
    session: Session, principal: Principal, vault: Vault, list_id: uuid.UUID, *, now: datetime
) -> list[Line]:
    """The lines of a version, opened, in order. One audit row names the version. Raises NotPermitted,
    PurposeMissing, NotFound.
    """
    version = get_readable(session, principal, list_id)
    lines = open_lines(session, principal, vault, version)
    audit(session, principal, "list.read", version, now, lines=len(lines))
    return lines


def open_lines(session: Session, principal: Principal, vault: Vault, version: PersonList) -> list[Line]:
    """The lines of a version whose reading was permitted and is audited by the caller."""
    rows = queries.list_lines(session, principal.state, version.list_id)
    with state_wide(session, principal):
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
        is_damaged=key is not None and payload is None,
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
    with state_wide(session, principal):
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
    version = get_readable(session, principal, list_id)
    lines = open_lines(session, principal, vault, version)
    previous = version.previous_list_id and session.get(PersonList, (principal.state, version.previous_list_id))
    before = {line.migrant_id: line for line in open_lines(session, principal, vault, previous)} if previous else {}
    departures = queries.list_departures(session, principal.state, list_id)
    audit(session, principal, "list.compare", version, now)
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
