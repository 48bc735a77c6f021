"""Passwords and the lock-out rule: pure values in, values out. Knows no table and no request.

Argon2id by pwdlib (m = 64 MiB, t = 3, p = 4; about 150 ms a hash): call it outside any transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
MAX_PASSWORD_CHARS = 200  # a longer one is refused before it is hashed


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobody() -> str:
    """The hash that an unknown login is checked against, so that it takes as long as a known one."""
    return _hasher().hash("nobody's password")


def hash_password(password: str) -> str:
    """What is stored of a password."""
    return _hasher().hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Whether the password fits; the same time is spent when there is nobody of that name (`stored` None)."""
    offered = password if len(password) <= MAX_PASSWORD_CHARS else ""
    fits = _hasher().verify(offered, stored if stored is not None else _nobody())
    return fits and stored is not None and bool(offered)


@dataclass(frozen=True)
class Standing:
    """How somebody stands with the door after earlier tries."""

    failed_attempts: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether no password is good enough at the moment."""
        return self.locked_until is not None and self.locked_until > now

    def after_failure(self, now: datetime) -> "Standing":
        """One more wrong password. Tries during a lock neither count nor prolong it."""
        if self.is_locked(now):
            return self
        failed = self.failed_attempts + 1
        if failed >= MAX_FAILURES:
            return Standing(0, now + LOCKED_FOR)
        return Standing(failed, None)
