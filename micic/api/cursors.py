"""Keyset cursors: where a page ended, as opaque text. They open nothing; the database decides what is seen."""

import base64
import binascii
import json
import uuid
from datetime import datetime

from micic.errors import Invalid


def _write(*keys: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        first, second = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise Invalid("This is not a cursor of ours: begin again without one.", field="cursor") from error
    return str(first), str(second)


def after_severity(severity: int, row_id: uuid.UUID) -> str:
    """The end of a page that is ordered by severity and id."""
    return _write(severity, str(row_id))


def read_severity(cursor: str | None) -> tuple[int, uuid.UUID] | None:
    """Raises Invalid."""
    if not cursor:
        return None
    first, second = _read(cursor)
    try:
        return int(first), uuid.UUID(second)
    except ValueError as error:
        raise Invalid("This is not a cursor of this list.", field="cursor") from error


def after_moment(at: datetime, row_id: uuid.UUID) -> str:
    """The end of a page that is ordered by a time and id."""
    return _write(at.isoformat(), str(row_id))


def read_moment(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    """Raises Invalid."""
    if not cursor:
        return None
    first, second = _read(cursor)
    try:
        return datetime.fromisoformat(first), uuid.UUID(second)
    except ValueError as error:
        raise Invalid("This is not a cursor of this list.", field="cursor") from error
