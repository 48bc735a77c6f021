"""Answers by check-in link. The public side shows one link and inserts; the worker takes answers up.

The public role can read the one row whose hash it names, and nothing of a person; looking changes nothing, so that a
scanner that opens links does no harm (TRUST T8). "Safe" takes nobody off anything (T7); "need help" opens a need.
"""

import hashlib
import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from geo.database import read_statement
from micic.cases.rules import ContactState, Trust, WelfareState
from micic.cases.service import record_contact, record_welfare
from micic.errors import Invalid, NotFound
from micic.identifiers import ALPHABET, REFERENCE_LENGTH, check_character, new_id
from micic.notifications.models import AnswerLink, Notification, Reply
from micic.notifications.queries import TAKEN_UP
from micic.registry.models import ContactPoint, Need, NeedCode
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys, token_hash
from micic.security.principal import Principal

GENERAL_HELP = "general_help"
FROM_DECEASED = "from_deceased"  # taken up, but the record says that the writer is dead: an officer must look
FOREIGN_KEY_VIOLATION = "23503"
TRIES = 3  # of one answer in one run, when the trouble is of the moment
MOST_NEEDS = 12
LOT = 50

_TOKEN = re.compile(r"([A-Z]{3})-[a-z2-7]{32}")
_SUBMISSION_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")

logger = logging.getLogger(__name__)


# --- the public side ---


@dataclass(frozen=True)
class PublicLink:
    """What the answer page may know: never a name. `household_size` counts the bearer."""

    event_title: str
    language: str
    household_size: int
    expired: bool


def find_link(session: Session, token: str, *, now: datetime) -> PublicLink:
    """The link a token opens, as micic_public; sets the context of the transaction. Changes nothing.

    Raises NotFound, with the same words for a token that is malformed, unknown or revoked.
    """
    link = _get_link(session, token)
    return PublicLink(link.event_title, link.language, link.household_size, link.expires_at <= now)


def submit_reply(
    session: Session,
    token: str,
    answer: str,
    covers: str,
    needs: Sequence[str],
    submission_key: str,
    *,
    now: datetime,
) -> str:
    """Keep an answer (`safe` or `need_help`) for `me` or the `household`; the reference to show. The same
    submission twice is one answer with one reference. Raises NotFound (also when the link has expired), Invalid.
    """
    link = _get_link(session, token)
    if link.expires_at <= now:
        raise NotFound
    _check_answer(session, answer, covers, needs, submission_key)
    reference = _reference(token, submission_key)
    session.execute(
        insert(Reply)
        .values(
            registering_state=link.registering_state,
            reply_id=new_id(),
            token_hash=link.token_hash,
            submission_key=submission_key,
            answer=answer,
            covers=covers,
            needs=list(dict.fromkeys(needs)) if answer == "need_help" else [],
            reference=reference,
            received_at=now,
        )
        .on_conflict_do_nothing()  # without a target: naming one would need the right to read
    )
    return reference


def _get_link(session: Session, token: str) -> AnswerLink:
    """The row of a token; NotFound for whatever is not an open link."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise NotFound
    hashed = token_hash(token)
    set_context(session, Context(parts.group(1), role="public", link=hashed.hex()))
    link = session.execute(
        select(AnswerLink).where(
            AnswerLink.registering_state == parts.group(1),
            AnswerLink.token_hash == hashed,
            AnswerLink.revoked_at.is_(None),
        )
    ).scalar_one_or_none()
    if link is None:
        raise NotFound
    return link


def _check_answer(session: Session, answer: str, covers: str, needs: Sequence[str], submission_key: str) -> None:
    if answer not in ("safe", "need_help"):
        raise Invalid("Choose one of the two answers.", field="answer")
    if covers not in ("me", "household"):
        raise Invalid("Say whether the answer is for you or for your household.", field="covers")
    if not _SUBMISSION_KEY.fullmatch(submission_key):
        raise Invalid("The form is incomplete: open the link again.", field="submission_key")
    if len(needs) > MOST_NEEDS:
        raise Invalid("Choose fewer needs.", field="needs")
    if needs:
        known = set(session.execute(select(NeedCode.code).where(NeedCode.code.in_(needs))).scalars())
        if set(needs) - known:
            raise Invalid("Choose needs from the list.", field="needs")


def _reference(token: str, submission_key: str) -> str:
    """A reference that the same submission gets again; as `identifiers.new_reference`, but derived."""
    number = int.from_bytes(hashlib.sha256(f"{token}\0{submission_key}".encode()).digest())
    body = ""
    for _ in range(REFERENCE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        body += ALPHABET[place]
    return f"{body[:5]}-{body[5:]}{check_character(body)}"


# --- the worker's side ---


@dataclass(frozen=True)
class Source:
    """Where an answer leads: the message it answers, and to whom that was written."""

    notification_id: uuid.UUID
    event_id: uuid.UUID
    migrant_id: uuid.UUID
    household_id: uuid.UUID
    contact_point_id: uuid.UUID
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class Covered:
    """A person for whom an answer speaks, the writer first. Only the writer can be `is_deceased`."""

    migrant_id: uuid.UUID
    is_exposed: bool
    is_deceased: bool


def take_up_replies(session_factory: sessionmaker[Session], master: MasterKeys, state: str, *, now: datetime) -> int:
    """The worker's stage: turn waiting answers into histories and needs, each once. How many were taken up.

    A passing error leaves an answer for the next run. `master` is not needed to read an answer; it stands in the
    signature that all stages share. Raises DBAPIError when the connection is lost: nothing of that lot is done.
    """
    taken, waiting = set[uuid.UUID](), set[uuid.UUID]()
    while _take_lot(session_factory, state, taken, waiting, now):
        pass
    return len(taken)


def _take_lot(
    session_factory: sessionmaker[Session], state: str, taken: set[uuid.UUID], waiting: set[uuid.UUID], now: datetime
) -> bool:
    """One lot of answers, added to those taken, or to those that wait for the next run; whether there was any."""
    with session_factory.begin() as session:
        set_context(session, Context(state))
        found = session.execute(
            select(Reply)
            .where(Reply.registering_state == state, Reply.taken_up_at.is_(None), Reply.reply_id.not_in(waiting))
            .order_by(Reply.received_at, Reply.reply_id)
            .limit(LOT)
            .with_for_update(skip_locked=True)
        ).scalars()
        replies = list(found)
        for reply in replies:
            outcome = _take_up_safely(session, reply, now)
            if outcome is not None:
                reply.outcome, reply.taken_up_at = outcome, now
            (waiting if outcome is None else taken).add(reply.reply_id)
    return bool(replies)


def _take_up_safely(session: Session, reply: Reply, now: datetime) -> str | None:
    """One answer that cannot be taken up costs that one only: it stays, marked, for a person to read. None when the
    trouble is of the moment and outlived a few tries: the answer waits. The log names ids and types, never a row.
    """
    reply_id = reply.reply_id  # the object may be expired when the transaction is not usable any more
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                return _take_up(session, reply, now)
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            logger.error("reply %s: %s", reply_id, type(error).__name__)
            if not _is_passing(error):
                return "failed"
    return None


def _is_passing(error: Exception) -> bool:
    """Deadlock, timeout, a server going down, or a person erased this instant: not the fault of the answer."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", None) == FOREIGN_KEY_VIOLATION


def _take_up(session: Session, reply: Reply, now: datetime) -> str:
    source = _find_source(session, reply)
    if source is None or source.revoked_at is not None:
        return "unknown_link"
    if reply.received_at >= source.expires_at:
        return "expired_link"
    covered = _list_covered(session, reply, source)
    if not covered:
        return "nobody"
    system = Principal.system(reply.registering_state)
    record_contact(
        session,
        system,
        source.event_id,
        source.migrant_id,
        ContactState.ANSWERED,
        source="check_in_link",
        trust=Trust.TOKEN,
        source_at=reply.received_at,
        now=now,
    )
    welfare = WelfareState.SAFE if reply.answer == "safe" else WelfareState.NEED
    for person in covered:
        record_welfare(
            session,
            system,
            source.event_id,
            person.migrant_id,
            welfare,
            source="self" if person.migrant_id == source.migrant_id else "household",
            trust=Trust.TOKEN,
            source_at=reply.received_at,
            now=now,
        )
    if reply.answer == "need_help":
        _open_needs(session, reply, source, covered, now)
    _note_receipt(session, reply, source, now)
    return FROM_DECEASED if covered[0].is_deceased else TAKEN_UP


def _find_source(session: Session, reply: Reply) -> Source | None:
    row = session.execute(
        select(
            Notification.notification_id,
            Notification.event_id,
            Notification.migrant_id,
            Notification.household_id,
            Notification.contact_point_id,
            AnswerLink.expires_at,
            AnswerLink.revoked_at,
        )
        .join(
            AnswerLink,
            (AnswerLink.registering_state == Notification.registering_state)
            & (AnswerLink.notification_id == Notification.notification_id),
        )
        .where(AnswerLink.registering_state == reply.registering_state, AnswerLink.token_hash == reply.token_hash)
    ).one_or_none()
    return None if row is None else Source(*row)


def _list_covered(session: Session, reply: Reply, source: Source) -> list[Covered]:
    rows = session.execute(
        text(read_statement(__package__, "covered.sql")),
        {
            "state": reply.registering_state,
            "event": source.event_id,
            "migrant": source.migrant_id,
            "household": source.household_id,
            "everybody": reply.covers == "household",
        },
    )
    return [Covered(*row) for row in rows]


def _open_needs(session: Session, reply: Reply, source: Source, covered: Sequence[Covered], now: datetime) -> None:
    """What is needed hangs on the writer, or on the first of the household who is in the event when the writer is
    elsewhere; on the living before a record that says deceased. A need that is open already is not opened again.
    """
    bearer = min(covered, key=lambda person: (person.is_deceased, not person.is_exposed)).migrant_id
    wanted = set(reply.needs) or {GENERAL_HELP}
    state = reply.registering_state
    is_open = (Need.registering_state == state, Need.migrant_id == bearer, Need.closed_at.is_(None))
    known = set(session.execute(select(NeedCode.code).where(NeedCode.code.in_(wanted))).scalars())
    already = set(session.execute(select(Need.code).where(*is_open)).scalars())
    session.add_all(
        Need(registering_state=state, need_id=new_id(), migrant_id=bearer, code=code, opened_at=now)
        for code in sorted(known - already)
    )
    session.flush()


def _note_receipt(session: Session, reply: Reply, source: Source, now: datetime) -> None:
    """An answer is the best receipt there is: the message arrived, and the address is good."""
    state = reply.registering_state
    session.execute(
        update(Notification)
        .where(
            Notification.registering_state == state,
            Notification.notification_id == source.notification_id,
            Notification.status.in_(("sent", "uncertain")),
        )
        .values(status="delivered", handed_over_at=func.coalesce(Notification.handed_over_at, reply.received_at))
    )
    session.execute(
        update(ContactPoint)
        .where(ContactPoint.registering_state == state, ContactPoint.contact_point_id == source.contact_point_id)
        .values(verified_at=now)
    )
