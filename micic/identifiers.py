"""Identifiers: time-ordered ids for rows, random references with a check character for people and paper.

An id never appears on paper or in an address; a reference says nothing about when or where it was made.
"""

import secrets
import uuid

import uuid6

# 31 symbols, a prime number: no 0, I, L, O, U to be misread.
ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 9


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7)."""
    return uuid.UUID(int=uuid6.uuid7().int)


def check_character(body: str) -> str:
    """A weighted sum modulo the prime 31: every single slip and every swap of neighbours changes it, because
    weights are not zero and neighbouring weights differ modulo 31.
    """
    weighted = (ALPHABET.index(symbol) * weight for weight, symbol in enumerate(body, start=2))
    return ALPHABET[sum(weighted) % len(ALPHABET)]


def new_reference() -> str:
    """44 random bits and a check character, grouped for reading aloud: `7K3Q9-M2XPA`."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(REFERENCE_LENGTH))
    return f"{body[:5]}-{body[5:]}{check_character(body)}"


def is_reference(text: str) -> bool:
    """Whether `text` is a well-formed reference (case, spaces and the hyphen do not matter)."""
    plain = text.upper().replace("-", "").replace(" ", "")
    if len(plain) != REFERENCE_LENGTH + 1 or any(symbol not in ALPHABET for symbol in plain):
        return False
    return check_character(plain[:-1]) == plain[-1]
