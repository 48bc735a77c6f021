"""The words of the three histories of a person in an event (RULES 4), and whose word outweighs whose. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar


class Trust(StrEnum):
    """How sure it is who spoke, weakest first."""

    UNKNOWN = "unknown"
    KNOWN_ADDRESS = "known_address"
    TOKEN = "token"  # noqa: S105  (a check-in link, not a secret)
    AUTHENTICATED = "authenticated"

    @property
    def rank(self) -> int:
        """0 for the weakest."""
        return list(Trust).index(self)


class ContactState(StrEnum):
    """Whether somebody was reached."""

    ATTEMPTED = "attempted"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    FAILED = "failed"
    ANSWERED = "answered"


class WelfareState(StrEnum):
    """How somebody is."""

    SAFE = "safe"
    NEED = "need"
    SOUGHT = "sought"
    FOUND = "found"
    INJURED = "injured"
    DEAD = "dead"


class MovementState(StrEnum):
    """Where somebody is on the way out."""

    CALLED_FORWARD = "called_forward"
    STAGED = "staged"
    BOARDED = "boarded"
    NO_SHOW = "no_show"
    DENIED = "denied"
    DEPARTED = "departed"
    AT_HUB = "at_hub"
    ADMITTED = "admitted"
    ONWARD = "onward"
    HOME = "home"
    HANDED_OVER = "handed_over"


GONE = frozenset(
    {
        MovementState.DEPARTED,
        MovementState.AT_HUB,
        MovementState.ADMITTED,
        MovementState.ONWARD,
        MovementState.HOME,
        MovementState.HANDED_OVER,
    }
)
"""The movements after which somebody is no longer where the event is. Boarded is not departed yet."""

OPENS_A_NEED = frozenset({WelfareState.NEED, WelfareState.INJURED})
CLOSERS = frozenset({"officer", "responder"})
"""The sources whose authenticated "safe" closes an open need; nobody else's does."""


@dataclass(frozen=True)
class News:
    """What is known of one person in one event. Where nothing was told, the state is None.

    `needs_help_since` is set while a need or an injury, told at any trust, has not been closed by a responder or
    officer. `told` counts the welfare and movement entries: it grows with every word.
    """

    contact: ContactState | None = None
    contact_at: datetime | None = None
    answered: bool = False
    welfare: WelfareState | None = None
    welfare_at: datetime | None = None
    welfare_trust: Trust | None = None
    movement: MovementState | None = None
    movement_at: datetime | None = None
    movement_trust: Trust | None = None
    needs_help_since: datetime | None = None
    injured: bool = False
    told: int = 0


class Told(Protocol):
    """One entry of a history."""

    @property
    def trust(self) -> str: ...
    @property
    def source_at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...


Entry = TypeVar("Entry", bound=Told)


def in_force(entries: Iterable[Entry]) -> Entry | None:
    """The entry that counts: the latest wins, but only against equal or lower trust. The slow twin of
    `latest_states.sql`.
    """
    standing: Entry | None = None
    for entry in sorted(entries, key=lambda told: (told.source_at, told.recorded_at)):
        if standing is None or Trust(entry.trust).rank >= Trust(standing.trust).rank:
            standing = entry
    return standing


def capped(source_at: datetime | None, now: datetime) -> datetime:
    """When it was true, never later than when we heard it."""
    return now if source_at is None else min(source_at, now)
