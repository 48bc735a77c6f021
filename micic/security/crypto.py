"""Encryption of what names or reaches a person: AES-256-GCM under a data key per person.

Envelope: the master key (outside the database) wraps a key per post, which wraps a key per person. Destroying a
person's key erases every copy of their secrets; destroying a post's key erases the post's. Blind indexes are
HMACs under a key that never touches the database either. May import cryptography only.
"""

import base64
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
# 40 bits: among a million entries a search meets a stranger about once in a million look-ups, and a stolen
# index alone does not prove which of the colliding numbers was meant.
BLIND_INDEX_BYTES = 5


class Unreadable(Exception):
    """The secret cannot be opened: wrong or destroyed key, or changed bytes."""


@lru_cache(maxsize=64)
def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)


def seal(key: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """Encrypt; `bound_to` (table:id:column) is authenticated, so that a value cannot be moved to another row."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())


def open_sealed(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Decrypt what `seal` made. Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable(str(bound_to.split(":")[0])) from error


@dataclass(frozen=True)
class MasterKeys:
    """The master keys by id; new secrets use `current`, older ids still open what they wrapped."""

    keys: dict[str, bytes] = field(repr=False)
    current: str

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """Read `id:base64,id:base64`; the first is current. Raises ValueError with the remedy."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key_id, _, encoded = part.partition(":")
            secret = base64.b64decode(encoded, validate=True)
            if not key_id or len(secret) != KEY_BYTES:
                raise ValueError("MICIC_MASTER_KEY must be `id:base64 of 32 bytes`; make one with `micic keys new`")
            keys[key_id] = secret
        if not keys:
            raise ValueError("MICIC_MASTER_KEY is empty; make one with `micic keys new`")
        return cls(keys, next(iter(keys)))

    @staticmethod
    def new(key_id: str = "k1") -> str:
        """A fresh master key in the form that `parse` reads."""
        return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    def secret(self, key_id: str | None = None) -> bytes:
        """The key with this id. Raises Unreadable when it is not among the configured ones."""
        try:
            return self.keys[key_id or self.current]
        except KeyError as error:
            raise Unreadable(f"master key {key_id} is not configured") from error

    def wrap_post_key(self, post_id: uuid.UUID, post_key: bytes) -> tuple[bytes, str]:
        """The wrapped key of a post and the id of the master key that wraps it."""
        return seal(self.secret(), post_key, f"post_key:{post_id}:wrapped_key"), self.current

    def unwrap_post_key(self, post_id: uuid.UUID, wrapped: bytes, key_id: str) -> bytes:
        """Raises Unreadable."""
        return open_sealed(self.secret(key_id), wrapped, f"post_key:{post_id}:wrapped_key")

    def blind_index(self, state: str, kind: str, value: str) -> bytes:
        """An index for exact look-up of an encrypted value within one State; never unique, never reversible."""
        key = _derive(self.secret(next(iter(sorted(self.keys)))), f"blind-index:{state}")
        return hmac.digest(key, f"{kind}:{value}".encode(), "sha256")[:BLIND_INDEX_BYTES]

    def link_token(self, state: str, notification_id: uuid.UUID) -> str:
        """The check-in token of a notification: 160 bits derived from its id, so that nothing secret is stored."""
        key = _derive(self.secret(next(iter(sorted(self.keys)))), f"link:{state}")
        digest = hmac.digest(key, notification_id.bytes, "sha256")[:20]
        return f"{state}-{base64.b32encode(digest).decode().lower()}"


def new_key() -> bytes:
    """A random data key."""
    return os.urandom(KEY_BYTES)


def wrap_person_key(post_key: bytes, migrant_id: uuid.UUID, person_key: bytes) -> bytes:
    """A person's key, wrapped by the key of the post that keeps the record."""
    return seal(post_key, person_key, f"person_key:{migrant_id}:wrapped_key")


def unwrap_person_key(post_key: bytes, migrant_id: uuid.UUID, wrapped: bytes) -> bytes:
    """Raises Unreadable."""
    return open_sealed(post_key, wrapped, f"person_key:{migrant_id}:wrapped_key")


def token_hash(token: str) -> bytes:
    """What is stored of a link or session token."""
    return hashlib.sha256(token.encode()).digest()
