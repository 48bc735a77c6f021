"""The outbox: messages waiting with their text and address sealed, claimed in small lots, each result kept at once.

One claim fixes one State. A claim is a lease by the database's clock; the number of the try is the fence that keeps
a late dispatcher from overwriting a later one. Dials nobody.
"""

import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, func, insert, select, text
from sqlalchemy.orm import Session

from geo.database import read_statement
from micic.cases.rules import ContactState, Trust
from micic.cases.service import record_contact
from micic.identifiers import new_id
from micic.notifications.models import AnswerLink, Campaign, MessageTemplate, Notification
from micic.notifications.queries import Post
from micic.notifications.rules import HELD, Affected, Outcome, Recipient, Step, choose_language
from micic.notifications.templates import (
    Fields,
    MessageText,
    country_name,
    format_time,
    render,
    safe_title,
    severity_word,
)
from micic.registry.vault import Vault
from micic.security.crypto import Unreadable, open_sealed, seal, token_hash
from micic.security.principal import Principal

CLAIM_SIZE = 10  # what a killed dispatcher leaves in doubt is at most this
LEASE = timedelta(seconds=60)
LINK_LIFE = timedelta(days=14)
NO_POST = Post("", "UTC", ())
CONTACT_AFTER = {"sent": ContactState.HANDED_OVER, "permanent_failure": ContactState.FAILED}


# --- filling ---


@dataclass(frozen=True)
class Wording:
    """What all messages of a campaign share."""

    texts: Mapping[str, MessageTemplate]
    posts: Mapping[uuid.UUID, Post]
    title: str
    reference: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Kind:
    """All that makes one text differ from another of the campaign."""

    wanted: str
    post_id: uuid.UUID | None
    country: str
    severity: int


@dataclass(frozen=True)
class Written:
    """A text in the language it is written in, with what else is said in that language."""

    language: str
    text: MessageText
    title: str
    sender_name: str


def open_addresses(vault: Vault, affected: Sequence[Affected]) -> tuple[dict[uuid.UUID, str], dict[uuid.UUID, bytes]]:
    """Addresses by contact point and keys by person, of those who are written to. What cannot be opened is absent."""
    readers = {one.reader.migrant_id: one.reader for one in affected if one.reader is not None}
    keys = _open_keys(vault, readers)
    addresses: dict[uuid.UUID, str] = {}
    for migrant_id, key in keys.items():
        point, sealed = readers[migrant_id].contact_point_id, readers[migrant_id].sealed_address
        if point is not None and sealed is not None:
            with suppress(Unreadable, UnicodeDecodeError):
                addresses[point] = open_sealed(key, sealed, f"contact_point:{point}:address").decode()
    return addresses, keys


def _open_keys(vault: Vault, migrant_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The keys that can be opened: one that cannot must not silence the others, so the lot is halved until it
    stands alone.
    """
    try:
        return vault.person_keys(migrant_ids)
    except Unreadable:
        ids = sorted(migrant_ids)
        middle = len(ids) // 2
        return {} if middle == 0 else _open_keys(vault, ids[:middle]) | _open_keys(vault, ids[middle:])


def fill(
    session: Session,
    vault: Vault,
    campaign: Campaign,
    recipients: Sequence[Recipient],
    keys: Mapping[uuid.UUID, bytes],
    wording: Wording,
) -> dict[str, int]:
    """Put a campaign's messages and their answer links into the outbox; how many per language."""
    written: dict[Kind, Written] = {}
    messages, links = [], []
    for recipient in recipients:
        kind = _kind(recipient, wording)
        text_ = written[kind] = written.get(kind) or _write(campaign.registering_state, wording, kind)
        notification_id = new_id()
        payload = _seal(keys[recipient.reader.migrant_id], notification_id, recipient.address, text_)
        messages.append(_message(campaign, recipient, notification_id, payload, text_.language, wording))
        links.append(_link(vault, campaign, recipient, notification_id, text_, wording))
    if messages:
        session.execute(insert(Notification.__table__), messages)  # type: ignore[arg-type]
        session.execute(insert(AnswerLink.__table__), links)  # type: ignore[arg-type]
    return dict(Counter(str(message["language"]) for message in messages))


def _kind(recipient: Recipient, wording: Wording) -> Kind:
    person, reader = recipient.person, recipient.reader
    post_id = person.serving_post_id if person.serving_post_id in wording.posts else reader.keeper_post_id
    return Kind(reader.language, post_id, person.country or "", person.severity or 0)


def _write(state: str, wording: Wording, kind: Kind) -> Written:
    post = wording.posts.get(kind.post_id, NO_POST) if kind.post_id else NO_POST
    language = choose_language(kind.wanted, post.languages, wording.texts.keys())
    template = wording.texts[language]
    values = Fields(
        title=safe_title(wording.title, language),
        place=country_name(kind.country, language),
        severity_word=severity_word(kind.severity, language),
        issued_at=format_time(wording.issued_at, language, post.time_zone),
        issuer=country_name(state, language),
        expires_at=format_time(wording.expires_at, language, post.time_zone),
        reference=wording.reference,
        post_name=post.name or country_name(state, language),
    )
    text_ = render(template.subject, template.body, values, language)
    return Written(language, text_, values.title, values.post_name)


def _message(
    campaign: Campaign,
    recipient: Recipient,
    notification_id: uuid.UUID,
    payload: bytes,
    language: str,
    wording: Wording,
) -> dict[str, Any]:
    reader = recipient.reader
    return {
        "registering_state": campaign.registering_state,
        "notification_id": notification_id,
        "campaign_id": campaign.campaign_id,
        "mode": campaign.mode,
        "event_id": campaign.event_id,
        "migrant_id": reader.migrant_id,
        "household_id": reader.household_id,
        "channel": "email",
        "revision": reader.told + 1,
        "contact_point_id": reader.contact_point_id,
        "language": language,
        "payload": payload,
        "keeper_post_id": reader.keeper_post_id,
        "serving_post_id": recipient.person.serving_post_id,
        "run_at": campaign.drafted_at,
        "expires_at": wording.expires_at,
        "created_at": campaign.drafted_at,
    }


def _link(
    vault: Vault,
    campaign: Campaign,
    recipient: Recipient,
    notification_id: uuid.UUID,
    written: Written,
    wording: Wording,
) -> dict[str, Any]:
    return {
        "registering_state": campaign.registering_state,
        "token_hash": token_hash(vault.master.link_token(campaign.registering_state, notification_id)),
        "notification_id": notification_id,
        "event_title": written.title,
        "language": written.language,
        "household_size": recipient.household_size,
        "expires_at": wording.issued_at + LINK_LIFE,
    }


# --- the sealed part ---


@dataclass(frozen=True)
class Sealed:
    """What only the person's key opens."""

    address: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    sender_name: str = ""


def _seal(key: bytes, notification_id: uuid.UUID, address: str, written: Written) -> bytes:
    words = json.dumps([address, written.text.subject, written.text.body, written.sender_name], ensure_ascii=False)
    return seal(key, words.encode(), f"notification:{notification_id}:payload")


def unseal(key: bytes, notification_id: uuid.UUID, payload: bytes) -> Sealed:
    """Raises Unreadable."""
    return Sealed(*json.loads(open_sealed(key, payload, f"notification:{notification_id}:payload")))


# --- claiming ---


@dataclass(frozen=True)
class Claimed:
    """A message that is ours until the lease ends. `sealed` is None when the person's key is gone.

    `failures` and `doubts` count the earlier tries that ended so.
    """

    notification_id: uuid.UUID
    attempt: int
    prior: str
    campaign_id: uuid.UUID
    event_id: uuid.UUID
    migrant_id: uuid.UUID
    contact_point_id: uuid.UUID
    language: str
    expires_at: datetime
    life_safety: bool
    failures: int
    doubts: int
    sealed: Sealed | None = field(repr=False)

    @property
    def tries(self) -> int:
        """The earlier tries that count."""
        return self.failures + self.doubts


def claim(
    session: Session, vault: Vault, state: str, channel: str, *, now: datetime, size: int = CLAIM_SIZE
) -> list[Claimed]:
    """Take up to `size` due messages of one State, writing each try down. Commit before dialling."""
    parameters = {"state": state, "channel": channel, "size": size, "lease": LEASE, "now": now}
    rows = session.execute(text(read_statement(__package__, "claim.sql")), parameters).mappings().all()
    keys = _open_keys(vault, {row["migrant_id"] for row in rows})
    claimed = []
    for row in rows:
        values = dict(row)
        payload, sealed = values.pop("payload"), None
        with suppress(Unreadable, KeyError, ValueError, TypeError):
            sealed = unseal(keys[row["migrant_id"]], row["notification_id"], payload)
        claimed.append(Claimed(**values, sealed=sealed))
    return claimed


def has_due(session: Session, state: str, channel: str) -> bool:
    """Whether a claim would find something."""
    statement = select(Notification.notification_id).join(
        Campaign,
        (Campaign.registering_state == Notification.registering_state)
        & (Campaign.campaign_id == Notification.campaign_id),
    )
    due = statement.where(
        Notification.registering_state == state,
        Notification.mode == "live",
        Notification.channel == channel,
        Notification.status.in_(("created", "temporary_failure", "uncertain")),
        Notification.run_at <= func.now(),
        Campaign.status == "sending",
    )
    return session.execute(due.limit(1)).first() is not None


def renew(session: Session, state: str, claims: Sequence[Claimed]) -> set[uuid.UUID]:
    """Lengthen the lease of those that are still ours; their ids."""
    rows = session.execute(
        text(read_statement(__package__, "renew.sql")),
        {
            "state": state,
            "lease": LEASE,
            "notifications": [one.notification_id for one in claims],
            "attempts": [one.attempt for one in claims],
        },
    )
    return set(rows.scalars())


# --- results ---


@dataclass(frozen=True)
class Result:
    """What became of a claimed message, and what follows."""

    claimed: Claimed
    outcome: Outcome
    step: Step
    detail: str = ""
    provider_reference: str | None = None
    is_address_dead: bool = False


@dataclass(frozen=True)
class Kept:
    """Whether the result was ours to write, and the status of the campaign as it is now."""

    was_ours: bool
    campaign_status: str


def keep_result(session: Session, state: str, result: Result, *, now: datetime) -> Kept:
    """Write down what became of a try and, with it in one transaction, what that means for the person's contact.

    A person erased since the claim has no history to add to; erased this very instant, the whole is refused
    (IntegrityError) and can be kept again.
    """
    claimed = result.claimed
    row = session.execute(
        text(read_statement(__package__, "record_result.sql")),
        {
            "state": state,
            "notification": claimed.notification_id,
            "attempt": claimed.attempt,
            "status": result.step.status,
            "due_in": result.step.due_in,
            "reason": result.step.reason,
            "reference": result.provider_reference,
            "now": now,
            "outcome": result.outcome.value,
            "detail": result.detail[:200],
            "contact_point": claimed.contact_point_id if result.is_address_dead else None,
        },
    ).one()
    kept = Kept(row.was_ours, row.status)
    contact = CONTACT_AFTER.get(result.step.status)
    if kept.was_ours and contact is not None and row.person_exists:
        record_contact(
            session,
            Principal.system(state),
            claimed.event_id,
            claimed.migrant_id,
            contact,
            source="email",
            trust=Trust.KNOWN_ADDRESS,
            now=now,
        )
    return kept


def sweep(session: Session, state: str, *, now: datetime) -> dict[str, int]:
    """Put right what nobody holds: leases that ran out, messages expired or stopped, campaigns that are done."""
    counts: dict[str, int] = {}
    for name in ("lapsed", "overdue", "finished"):
        done = session.execute(
            text(read_statement(__package__, f"{name}.sql")), {"state": state, "now": now, "held_after": HELD / 2}
        )
        assert isinstance(done, CursorResult)
        counts[name] = done.rowcount
    return counts
