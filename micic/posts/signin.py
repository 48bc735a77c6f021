"""Staff at the door: look up, count failures, open and close sessions. The caller sets the context and commits."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from micic.posts.models import ConsularPost, Staff, StaffRole, StaffSession, State
from micic.security.principal import Principal, Role
from micic.security.sessions import ABSOLUTE, IDLE, SEEN_EVERY, SessionToken, is_open
from micic.security.signin import Standing


@dataclass(frozen=True)
class Credentials:
    """What must be known of somebody before the password is checked."""

    staff_id: uuid.UUID
    password_hash: str
    standing: Standing
    disabled: bool


@dataclass(frozen=True)
class PostOfStaff:
    """A post at which somebody works."""

    post_id: uuid.UUID
    name: str
    country: str
    time_zone: str


@dataclass(frozen=True)
class SignedIn:
    """An open session: who it is, in which language, at which posts, by which token."""

    principal: Principal
    token: SessionToken
    language: str
    posts: tuple[PostOfStaff, ...]
    state_name: str


def list_registering_states(session: Session) -> list[tuple[str, str]]:
    """Code and name of every State that keeps a register here."""
    query = select(State.code, State.name).where(State.is_registering).order_by(State.name)
    return [(code, name) for code, name in session.execute(query)]


def is_registering(session: Session, state: str) -> bool:
    """Whether a State keeps a register here."""
    return session.scalar(select(State.is_registering).where(State.code == state)) or False


def find_credentials(session: Session, state: str, login: str) -> Credentials | None:
    """The credentials of one login within one State."""
    row = session.execute(
        select(Staff.staff_id, Staff.password_hash, Staff.failed_attempts, Staff.locked_until, Staff.disabled_at).where(
            Staff.registering_state == state, Staff.login == login
        )
    ).one_or_none()
    if row is None:
        return None
    standing = Standing(row.failed_attempts, row.locked_until)
    return Credentials(row.staff_id, row.password_hash, standing, row.disabled_at is not None)


def lock_standing(session: Session, state: str, staff_id: uuid.UUID) -> Standing:
    """How somebody stands, with their row locked to the end of the transaction: tries made at once all count."""
    row = session.execute(
        select(Staff.failed_attempts, Staff.locked_until)
        .where(Staff.registering_state == state, Staff.staff_id == staff_id)
        .with_for_update()
    ).one()
    return Standing(row.failed_attempts, row.locked_until)


def record_failure(session: Session, state: str, staff_id: uuid.UUID, *, now: datetime) -> None:
    """Count a wrong password; the caller holds the row's lock."""
    standing = lock_standing(session, state, staff_id).after_failure(now)
    session.execute(
        update(Staff)
        .where(Staff.registering_state == state, Staff.staff_id == staff_id)
        .values(failed_attempts=standing.failed_attempts, locked_until=standing.locked_until)
    )


def open_session(session: Session, staff_id: uuid.UUID, token: SessionToken, *, now: datetime) -> None:
    """Clear the failures, drop sessions of this person that are over, and add the new one."""
    theirs = (StaffSession.registering_state == token.state, StaffSession.staff_id == staff_id)
    over = or_(StaffSession.expires_at <= now, StaffSession.seen_at <= now - IDLE)
    session.execute(delete(StaffSession).where(*theirs, over))
    session.execute(
        update(Staff)
        .where(Staff.registering_state == token.state, Staff.staff_id == staff_id)
        .values(failed_attempts=0, locked_until=None)
    )
    session.add(
        StaffSession(
            registering_state=token.state,
            token_hash=token.stored,
            staff_id=staff_id,
            started_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE,
        )
    )


def close_session(session: Session, token: SessionToken) -> None:
    """Sign out: the token is worthless from here on."""
    session.execute(
        delete(StaffSession).where(
            StaffSession.registering_state == token.state, StaffSession.token_hash == token.stored
        )
    )


def find_signed_in(session: Session, token: SessionToken, *, now: datetime, is_use: bool = True) -> SignedIn | None:
    """Who holds this token, if the session is open and they still work here; notes that it was used."""
    row = session.execute(
        select(StaffSession.seen_at, StaffSession.expires_at, Staff.staff_id, Staff.display_name, Staff.language)
        .join(
            Staff,
            (Staff.registering_state == StaffSession.registering_state) & (Staff.staff_id == StaffSession.staff_id),
        )
        .where(
            StaffSession.registering_state == token.state,
            StaffSession.token_hash == token.stored,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None or not is_open(row.seen_at, row.expires_at, now):
        return None
    if is_use and now - row.seen_at >= SEEN_EVERY:
        _note_use(session, token, now)
    posts, roles = _posts_and_roles(session, token.state, row.staff_id)
    principal = Principal(
        token.state, row.staff_id, tuple(post.post_id for post in posts), roles, display_name=row.display_name
    )
    name = session.scalar(select(State.name).where(State.code == token.state)) or token.state
    return SignedIn(principal, token, row.language, posts, name)


def _note_use(session: Session, token: SessionToken, now: datetime) -> None:
    session.execute(
        update(StaffSession)
        .where(
            StaffSession.registering_state == token.state,
            StaffSession.token_hash == token.stored,
            StaffSession.seen_at <= now - SEEN_EVERY,
        )
        .values(seen_at=now)
    )


def _posts_and_roles(
    session: Session, state: str, staff_id: uuid.UUID
) -> tuple[tuple[PostOfStaff, ...], frozenset[Role]]:
    rows = session.execute(
        select(ConsularPost.post_id, ConsularPost.name, ConsularPost.country, ConsularPost.time_zone, StaffRole.role)
        .join(
            ConsularPost,
            (ConsularPost.registering_state == StaffRole.registering_state)
            & (ConsularPost.post_id == StaffRole.post_id),
        )
        .where(StaffRole.registering_state == state, StaffRole.staff_id == staff_id)
        .order_by(ConsularPost.name)
    ).all()
    posts = {row.post_id: PostOfStaff(row.post_id, row.name, row.country, row.time_zone) for row in rows}
    return tuple(posts.values()), frozenset(Role(row.role) for row in rows)
