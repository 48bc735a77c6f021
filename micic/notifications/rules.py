"""What decides in sending: whom to tell, in which language, at which address, and what follows a try. Pure."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from micic.notifications.templates import base_language

MAX_TRIES = 5
RESENDS_WITHOUT_WORD = 1  # of a life-safety message, when the provider cannot say whether it took it
BACK_OFF = timedelta(seconds=30)
ASK_AFTER = timedelta(seconds=15)
CHANNEL_DOWN = timedelta(seconds=30)
HELD = timedelta(days=36525)  # not due again by itself: a person decides


class Outcome(StrEnum):
    """What became of one try."""

    SENT = "sent"
    TEMPORARY = "temporary_failure"
    PERMANENT = "permanent_failure"
    UNCERTAIN = "uncertain"
    UNAVAILABLE = "unavailable"  # the channel itself: nobody was dialled, no try is counted
    RELEASED = "released"  # given back before anybody was dialled
    ACCEPTED_BEFORE = "accepted_before"  # the provider says that an earlier try arrived
    EXPIRED = "expired"


# --- whom to tell ---


@dataclass(frozen=True)
class Affected:
    """A person whom the rule means, and the person and address that stand for them: themselves, or one of the
    household. `contact_point_id` None: nobody can be reached for them. `told` counts earlier messages there.
    """

    migrant_id: uuid.UUID
    household_id: uuid.UUID
    severity: int
    country: str
    serving_post_id: uuid.UUID | None
    raised: bool
    recipient_id: uuid.UUID | None
    recipient_is_head: bool
    recipient_post_id: uuid.UUID | None
    language: str
    household_size: int
    contact_point_id: uuid.UUID | None
    address: bytes | None
    blind_index: bytes | None
    told: int


@dataclass
class Recipient:
    """One message to be: an address, whose it is, and the worst that concerns those behind it."""

    worst: Affected
    persons: int = 0
    raised: bool = False

    def add(self, person: Affected) -> None:
        """Count a person in. The address keeps its first bearer; place and severity are those of the worst."""
        self.persons += 1
        self.raised = self.raised or person.raised


@dataclass(frozen=True)
class Audience:
    """Whom one campaign addresses, and how many persons it leaves out, and why."""

    recipients: list[Recipient] = field(default_factory=list)
    unreachable: int = 0
    told_before: int = 0


def choose_audience(affected: Iterable[Affected]) -> Audience:
    """One message per address; nobody twice for one event unless it was raised for somebody behind the address."""
    ordered = sorted(affected, key=lambda p: (-p.severity, p.migrant_id != p.recipient_id, not p.recipient_is_head, p.migrant_id))
    unreachable = [person for person in ordered if person.contact_point_id is None]
    by_address: dict[bytes, Recipient] = {}
    for person in ordered:
        if person.blind_index is not None:
            by_address.setdefault(person.blind_index, Recipient(person)).add(person)
    fresh = [one for one in by_address.values() if one.raised or not one.worst.told]
    told = sum(one.persons for one in by_address.values()) - sum(one.persons for one in fresh)
    return Audience(fresh, len(unreachable), told)
