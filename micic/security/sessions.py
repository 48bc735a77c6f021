"""The token of a staff session: made, read and checked here; its row is kept by micic.posts. Pure.

The cookie's value is `PHL.<secret>`: the tenant travels with the token, so that the database context can be set
before the token is looked up. Only the hash of the whole is stored.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from micic.security.crypto import token_hash

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use is known: a page makes many requests at once
SECRET_BYTES = 32

_SHAPE = re.compile(r"([A-Z]{3})\.([A-Za-z0-9_-]{20,86})")


@dataclass(frozen=True)
class SessionToken:
    """One open sign-in, as its owner holds it."""

    state: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls, state: str) -> Self:
        """A fresh token of 256 random bits."""
        return cls(state, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a cookie or bearer value; None for anything of another shape."""
        found = _SHAPE.fullmatch(text or "")
        return cls(found[1], found[2]) if found else None

    @property
    def text(self) -> str:
        """The value that goes into the cookie."""
        return f"{self.state}.{self.secret}"

    @property
    def stored(self) -> bytes:
        """What the database keeps of it."""
        return token_hash(self.text)

    @property
    def csrf(self) -> str:
        """The value that every form of this session carries. It cannot be turned back into the token."""
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()[:40]

    def is_csrf(self, offered: str) -> bool:
        """Whether a form came from a page of this session; takes the same time either way."""
        return hmac.compare_digest(self.csrf.encode(), offered.encode())


def is_open(seen_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a session is still good: neither idle for too long nor older than a shift."""
    return now < expires_at and now - seen_at < IDLE
