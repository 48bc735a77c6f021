"""Ways to hand a message over. A channel knows one address, one text and a provider, and no person; channels do not
know each other. Each call is one recipient: there is no way to name two (TRUST section 1).
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from micic.notifications.rules import Outcome

__all__ = ["Channel", "Delivery", "Outcome", "Outgoing"]


@dataclass(frozen=True)
class Outgoing:
    """One message to one address, as it leaves. Not shown in logs: its text and address name a person."""

    notification_id: uuid.UUID
    address: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    language: str
    sender_name: str
    at: datetime


@dataclass(frozen=True)
class Delivery:
    """What became of a try. `detail` holds codes only: a provider's own words often repeat the address.

    `is_address_dead`: the provider says that there is no such address.
    """

    outcome: Outcome
    detail: str = ""
    provider_reference: str | None = None
    is_address_dead: bool = False


class Channel(Protocol):
    """A provider of one kind of message."""

    name: str

    def is_ready(self) -> bool:
        """Whether the provider answers; makes the connection that the next send uses."""
        ...

    def send(self, message: Outgoing) -> Delivery:
        """Hand over one message. Returns, whatever the provider does; raises for a fault of ours only."""
        ...

    def was_accepted(self, notification_id: uuid.UUID) -> bool | None:
        """Whether the provider took this message at an earlier try; None when it cannot say."""
        ...

    def close(self) -> None:
        """Let go of the connection; the next send makes a new one."""
        ...
