"""When each version of a series is in force. Pure, without `now`: the same versions give the same answer.

The order in which they came does not matter. Silence ends nothing; nothing is deleted: validity is closed.

Input: the accepted versions of one series (or of all of one feed's messages on one event).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alerts.feed import MessageKind


class EndReason(StrEnum):
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    ALL_CLEAR = "all_clear"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class VersionFact:
    """What the lifecycle needs to know of one received version. Times are aware."""

    message_id: UUID
    native_id: str
    native_version: str
    sent_at: datetime
    received_at: datetime
    kind: MessageKind
    references: tuple[str, ...] = ()
    valid_until: datetime | None = None
    partial: bool = False  # its zones are incomplete: the last good version keeps its own


@dataclass(frozen=True, slots=True)
class InForce:
    """In force from `from_at` until before `until_at` (None = no end known), for `reason`.

    `until_at` may lie in the future: an expiry is known beforehand. A message that ends others is itself never in
    force: its `until_at` equals its `from_at`.
    """

    from_at: datetime
    until_at: datetime | None = None
    reason: EndReason | None = None


_ENDS = {
    MessageKind.UPDATE: EndReason.SUPERSEDED,
    MessageKind.CANCEL: EndReason.CANCELLED,
    MessageKind.ALL_CLEAR: EndReason.ALL_CLEAR,
}
_LATER_IN_THE_SAME_SECOND = {MessageKind.UPDATE: 1, MessageKind.CANCEL: 2, MessageKind.ALL_CLEAR: 2}


def derive(versions: Iterable[VersionFact]) -> dict[UUID, InForce]:
    """message_id -> when it is in force."""
    ordered = sorted(versions, key=_order)
    ended: dict[UUID, tuple[datetime, EndReason]] = {}
    for place, version in enumerate(ordered):
        for target in _ended_by(version, ordered[:place]):
            ended.setdefault(target.message_id, (version.sent_at, _ENDS.get(version.kind, EndReason.SUPERSEDED)))
    return {version.message_id: _in_force(version, ended.get(version.message_id)) for version in ordered}


def _order(version: VersionFact) -> tuple[str, datetime, int, datetime, UUID]:
    """Order of issue. Of one second's messages those that end others come last; only then does the order of
    receipt speak, and at last the id, so that the order is total."""
    rank = _LATER_IN_THE_SAME_SECOND.get(version.kind, 0)
    return version.native_version, version.sent_at, rank, version.received_at, version.message_id


def _in_force(version: VersionFact, ended: tuple[datetime, EndReason] | None) -> InForce:
    begins = version.sent_at
    if version.kind in (MessageKind.CANCEL, MessageKind.ALL_CLEAR):
        return InForce(begins, begins, _ENDS[version.kind])
    expires = version.valid_until
    if ended is not None and (expires is None or ended[0] <= expires):
        return InForce(begins, max(begins, ended[0]), ended[1])
    if expires is not None:
        return InForce(begins, max(begins, expires), EndReason.EXPIRED)
    return InForce(begins)


def _ended_by(version: VersionFact, earlier: list[VersionFact]) -> Iterator[VersionFact]:
    """The earlier versions that this one ends or replaces."""
    names = _named_by(version, earlier)
    for other in earlier:
        same_message = other.native_id == version.native_id  # a newer version, or copy, of the same message
        if not (same_message or names is None or other.native_id in names):
            continue
        if version.partial and not other.partial:
            continue
        yield other


def _named_by(version: VersionFact, earlier: list[VersionFact]) -> frozenset[str] | None:
    """The native ids on which the version acts; None = all of the series (a feed that has no references).

    What it refers to; what that refers to in turn; and what was sent before it and goes back to the same, so
    that a cancel of the first message ends its updates as well. A sibling (the other half of a warning that
    updates of one second split in two) is left alone.
    """
    if version.kind not in _ENDS:
        return frozenset()
    named = set(version.references) - {version.native_id}
    if not named:
        return frozenset() if version.references else None
    back: dict[str, set[str]] = {}
    forth: dict[str, set[str]] = {}
    for other in earlier:
        back.setdefault(other.native_id, set()).update(other.references)
        if other.sent_at < version.sent_at:
            for reference in other.references:
                forth.setdefault(reference, set()).add(other.native_id)
    return frozenset(_reached(named, back) | _reached(named, forth))


def _reached(start: set[str], links: dict[str, set[str]]) -> set[str]:
    """Everything that the links lead to, the start included."""
    reached, todo = set(start), list(start)
    while todo:
        fresh = links.get(todo.pop(), set()) - reached
        reached |= fresh
        todo += fresh
    return reached
