"""Making a version of a list out of what was read: encrypting, fingerprinting and hashing lines, and proving them.

Two hashes: a line's, salted under the person's own key so that after erasure nobody can even test a guess; and the
list's, over its header, every line's columns and hash in order, and those who left. No I/O.
"""

import hashlib
import hmac
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from micic.lists.models import ListLine, PersonList
from micic.lists.payload import Payload, build_payload, canonical, semantic
from micic.lists.queries import PersonRow, SealedLine
from micic.lists.rules import ListPolicy, Ranked
from micic.security.crypto import Unreadable, open_sealed, seal

SALT_BYTES = 16


@dataclass(frozen=True)
class Draft:
    """One line that is ordered and described, but not yet written."""

    ranked: Ranked
    payload: Payload
    fingerprint: bytes

    @property
    def migrant_id(self) -> uuid.UUID:
        """Whose line it is."""
        return self.ranked.facts.migrant_id


def seed_of(event_id: uuid.UUID, policy: ListPolicy) -> str:
    """What breaks ties: the event and the version of the rules, the same for everybody."""
    return f"{event_id}:{policy.rule_set}"


def draft_lines(
    people: Mapping[uuid.UUID, PersonRow],
    ranked: Iterable[Ranked],
    keys: Mapping[uuid.UUID, bytes],
    *,
    as_of: datetime,
) -> list[Draft]:
    """What the list says of each, in the order given."""
    drafts = []
    for place in ranked:
        migrant_id = place.facts.migrant_id
        payload = build_payload(people[migrant_id], place, keys[migrant_id], as_of=as_of)
        drafts.append(Draft(place, payload, fingerprint_of(keys[migrant_id], payload)))
    return drafts


def fingerprint_of(key: bytes, payload: Payload) -> bytes:
    """Equal for two lines that tell a responder the same; says nothing without the person's key."""
    return hmac.digest(key, b"list_fingerprint:" + semantic(payload), "sha256")


def seal_lines(
    drafts: Iterable[Draft],
    list_id: uuid.UUID,
    keys: Mapping[uuid.UUID, bytes],
    earlier: Mapping[uuid.UUID, bytes],
) -> list[SealedLine]:
    """The lines ready to be written. `earlier`: the fingerprints of the previous version."""
    return [
        _seal_line(number, draft, list_id, keys[draft.migrant_id], earlier.get(draft.migrant_id))
        for number, draft in enumerate(drafts, 1)
    ]


def _seal_line(number: int, draft: Draft, list_id: uuid.UUID, key: bytes, before: bytes | None) -> SealedLine:
    facts, text, salt = draft.ranked.facts, canonical(draft.payload), os.urandom(SALT_BYTES)
    return SealedLine(
        line_no=number,
        migrant_id=facts.migrant_id,
        household_id=facts.household_id,
        household_rank=draft.ranked.household_rank,
        tier=draft.ranked.assessment.tier.value,
        presence=facts.presence.value,
        severity=facts.severity,
        change="new" if before is None else "same" if before == draft.fingerprint else "changed",
        fingerprint=draft.fingerprint,
        salt=salt,
        line_hash=line_hash_of(key, salt, text),
        payload=seal(key, text, _bound_to(list_id, facts.migrant_id)),
    )


def _bound_to(list_id: uuid.UUID, migrant_id: uuid.UUID) -> str:
    return f"list_line:{list_id}:{migrant_id}"


def line_hash_of(key: bytes, salt: bytes, text: bytes) -> bytes:
    """SHA-256 of the salted line. The salt that is kept becomes the real one only under the person's key."""
    return hashlib.sha256(hmac.digest(key, b"list_salt:" + salt, "sha256") + text).digest()


def open_line(line: ListLine, key: bytes) -> bytes:
    """The canonical text of a line. Raises Unreadable."""
    return open_sealed(key, line.payload, _bound_to(line.list_id, line.migrant_id))


def parse_line(line: ListLine, key: bytes) -> Payload | None:
    """What a line says; None when it cannot be opened with the person's key."""
    try:
        payload: Payload = json.loads(open_line(line, key))
    except Unreadable:
        return None
    return payload


def line_is_true(line: ListLine, key: bytes) -> bool:
    """Whether a line still says what it said when it was hashed."""
    try:
        return hmac.compare_digest(line_hash_of(key, line.salt, open_line(line, key)), line.line_hash)
    except Unreadable:
        return False


# --- the list's own hash ---


def header_of(version: PersonList, previous_sha256: bytes | None) -> dict[str, Any]:
    """What a version is, apart from its lines and its release. Includes the hash of the version before it."""
    return {
        "registering_state": version.registering_state,
        "list_id": str(version.list_id),
        "event_id": str(version.event_id),
        "post_id": str(version.post_id),
        "kind": version.kind,
        "mode": version.mode,
        "version": version.version,
        "previous_sha256": previous_sha256.hex() if previous_sha256 else None,
        "rule_set": version.rule_set,
        "line_count": version.line_count,
        "household_count": version.household_count,
        "changes": version.changes,
        "as_of": version.as_of.astimezone(UTC).isoformat(),
        "frozen_at": version.frozen_at.astimezone(UTC).isoformat(),
        "frozen_by": str(version.frozen_by) if version.frozen_by else None,
    }


def list_hash_of(
    header: Mapping[str, Any],
    lines: Iterable[SealedLine | ListLine],
    departures: Mapping[uuid.UUID, str],
) -> bytes:
    """SHA-256 over header, lines in order, and departures. Needs no key: it holds when a person was erased."""
    digest = hashlib.sha256(canonical(header))
    for line in lines:
        columns = (line.line_no, line.household_rank, line.tier, line.severity, line.presence, line.change)
        digest.update(line.migrant_id.bytes + line.household_id.bytes + repr(columns).encode())
        digest.update(line.fingerprint + line.salt + line.line_hash)
    for migrant_id in sorted(departures):
        digest.update(migrant_id.bytes + departures[migrant_id].encode())
    return digest.digest()
