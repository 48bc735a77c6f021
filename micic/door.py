"""What the pages and the API share: who is asking, the one transaction of a request, and the table of errors.

One transaction per request, committed here before the reply leaves (FastAPI would otherwise commit after it, and a
failing commit would answer 200). Below this module nobody knows a web framework.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from traceback import extract_tb
from typing import Annotated

from fastapi import Depends, Request
from psycopg import DataError as DriverDataError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from micic.audit.service import record
from micic.clock import utc_now
from micic.errors import MicicError, NotSignedIn
from micic.posts import signin
from micic.posts.signin import SignedIn
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys
from micic.security.principal import Principal
from micic.security.sessions import SessionToken
from micic.security.signin import password_fits

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5
PURPOSE_HEADER = "X-Purpose"
MAX_PURPOSE_CHARS = 120
UNATTENDED = "unattended"  # in the query of what a page fetches by itself: it keeps no session alive
ENTRANCE = Context("", role="entrance")  # before anybody is known: only reference tables can be read


@dataclass(frozen=True)
class House:
    """What the doors open into: sessions by role, the keys, and how the outside sees us."""

    staff: sessionmaker[Session]
    public: sessionmaker[Session]
    master: MasterKeys = field(repr=False)
    public_url: str = "http://127.0.0.1:8000"

    @property
    def is_https(self) -> bool:
        """Whether cookies may insist on an encrypted line."""
        return self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session cookie's name; `__Host-` binds it to this very host."""
        return "__Host-micic" if self.is_https else "micic"


def house_of(request: Request) -> House:
    """The house that the application was built with."""
    house: House = request.app.state.house
    return house


def now_of() -> datetime:
    """One instant per request."""
    return utc_now()


InHouse = Annotated[House, Depends(house_of)]
Now = Annotated[datetime, Depends(now_of)]


# --- transactions ---


@contextmanager
def unit_of_work(factory: sessionmaker[Session], context: Context) -> Iterator[Session]:
    """One transaction under one context: committed at the end, rolled back when anything is raised."""
    with factory.begin() as session:
        set_context(session, context)
        yield session


# --- who is asking ---


def offered_token(request: Request, house: InHouse) -> SessionToken | None:
    """The session token of the request, from the cookie or, for programs, from a bearer header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return SessionToken.parse(value.strip())
    return SessionToken.parse(request.cookies.get(house.cookie))


OfferedToken = Annotated[SessionToken | None, Depends(offered_token)]


def find_signed_in(request: Request, house: InHouse, token: OfferedToken, now: Now) -> SignedIn | None:
    """Who is asking, if they are signed in. A short transaction of its own: a request that fails later was
    still a sign of life; one that a page makes by itself is none.
    """
    if token is None:
        return None
    with unit_of_work(house.staff, Context(token.state, role="entrance")) as session:
        return signin.find_signed_in(session, token, now=now, is_use=UNATTENDED not in request.query_params)


def signed_in_of(request: Request, found: Annotated[SignedIn | None, Depends(find_signed_in)]) -> SignedIn:
    """Who is asking. Raises NotSignedIn."""
    if found is None:
        raise NotSignedIn
    purpose = purpose_of(request)
    signed_in = replace(found, principal=found.principal.for_purpose(purpose))
    request.state.principal = signed_in.principal
    return signed_in


def purpose_of(request: Request) -> str:
    """Why persons are read: said in a header, or the event whose page this is."""
    said = request.headers.get(PURPOSE_HEADER, "").strip()[:MAX_PURPOSE_CHARS]
    event_id = request.path_params.get("event_id")
    if said and said.isprintable():
        return said
    return f"event:{event_id}" if event_id else ""


def principal_of(signed_in: Annotated[SignedIn, Depends(signed_in_of)]) -> Principal:
    """The principal with the purpose of this request."""
    return signed_in.principal


Known = Annotated[SignedIn, Depends(signed_in_of)]
Who = Annotated[Principal, Depends(principal_of)]


# --- the transaction of a request ---


def _transaction(house: InHouse, principal: Who) -> Iterator[Session]:
    with unit_of_work(house.staff, principal.context()) as session:
        yield session


# scope="function": the commit comes before the reply. Declared here and nowhere else.
Transaction = Annotated[Session, Depends(_transaction, scope="function")]


def vault_of(house: InHouse, session: Transaction, principal: Who) -> Vault:
    """The keys of the persons that this request may see."""
    return Vault(session, house.master, principal.state)


Keys = Annotated[Vault, Depends(vault_of, scope="function")]


def public_session_of(house: InHouse) -> Iterator[Session]:
    """A transaction of the public role. It can see nothing before the service names the one link that was shown."""
    with house.public.begin() as session:
        yield session


PublicTransaction = Annotated[Session, Depends(public_session_of, scope="function")]


# --- signing in ---


def sign_in(house: House, state: str, login: str, password: str, *, now: datetime) -> SessionToken | None:
    """A session for the right password, else None: one answer, and about one time, for every reason.

    The hash is computed with no transaction open. Success and refusal are both audited and committed here.
    """
    context = Context(state, role="entrance")
    with unit_of_work(house.staff, context) as session:
        known_state = signin.is_registering(session, state)
        found = signin.find_credentials(session, state, login) if known_state else None
    fits = password_fits(found.password_hash if found else None, password)
    if not known_state:
        return None
    with unit_of_work(house.staff, context) as session:
        if found is None:
            record(session, state, "unknown", "sign_in_refused", now=now, details={"reason": "unknown"})
            return None
        actor = str(found.staff_id)
        standing = signin.lock_standing(session, state, found.staff_id)
        if not fits or found.disabled or standing.is_locked(now):
            reason = "disabled" if found.disabled else "locked" if standing.is_locked(now) else "password"
            if reason == "password":
                signin.record_failure(session, state, found.staff_id, now=now)
            record(session, state, actor, "sign_in_refused", now=now, details={"reason": reason})
            return None
        token = SessionToken.new(state)
        signin.open_session(session, found.staff_id, token, now=now)
        record(session, state, actor, "signed_in", now=now)
        return token


def sign_out(house: House, signed_in: SignedIn, *, now: datetime) -> None:
    """Close the session."""
    with unit_of_work(house.staff, signed_in.principal.context()) as session:
        signin.close_session(session, signed_in.token)
        record(session, signed_in.principal.state, signed_in.principal.actor, "signed_out", now=now)


# --- errors ---

STATUS_OF_KIND = {
    "not_found": 404,
    "not_permitted": 403,
    "purpose_missing": 400,
    "invalid": 422,
    "conflict": 409,
    "four_eyes": 409,
    "not_signed_in": 401,
    "precondition": 412,
    "refused": 400,
    "unavailable": 503,
    "internal": 500,
}
AUDITED_REFUSALS = frozenset({"not_permitted", "four_eyes", "purpose_missing"})


@dataclass(frozen=True)
class Refusal:
    """An error as the doors tell it."""

    kind: str
    detail: str
    field: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS_OF_KIND.get(self.kind, 400)

    @property
    def headers(self) -> dict[str, str]:
        """What else the client must know."""
        return {"Retry-After": str(RETRY_AFTER_S)} if self.kind == "unavailable" else {}


def refusal_of(error: Exception) -> Refusal:
    """The one table from errors to what is said outside. Database errors never show their text: it may hold a row."""
    if isinstance(error, MicicError):
        return Refusal(error.kind, error.detail, error.field)
    if isinstance(error, OperationalError | PoolTimeout) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return Refusal("unavailable", "The database does not answer at the moment. Nothing was changed.")
    if isinstance(error, IntegrityError | StaleDataError):
        return Refusal("conflict", "The record was changed by somebody else, or the act was already done.")
    if isinstance(error, DataError | DriverDataError):
        return Refusal("invalid", "A value holds characters or numbers that cannot be stored.")
    return Refusal("internal", "Something went wrong here. Nothing was changed; the operator has been told.")


def note_refusal(request: Request, route: str, error: Exception, refusal: Refusal) -> None:
    """Log what broke and audit what was refused, in its own transaction.

    The log gets the type of the error and the lines of code it came by, never its text: that may hold a row.
    """
    if not isinstance(error, MicicError) and refusal.kind in ("internal", "unavailable", "conflict"):
        steps = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-6:]]
        logger.error(
            "%s at %s %s: %s by %s", refusal.kind, request.method, route, type(error).__name__, " ".join(steps)
        )
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or refusal.kind not in AUDITED_REFUSALS:
        return
    try:
        with unit_of_work(house_of(request).staff, principal.context()) as session:
            details = {"route": f"{request.method} {route}", "kind": refusal.kind}
            record(
                session, principal.state, principal.actor, "refused", now=utc_now(),
                purpose=principal.purpose or None, details=details,
            )  # fmt: skip
    except SQLAlchemyError as failure:
        logger.error("a refusal could not be audited: %s", type(failure).__name__)
