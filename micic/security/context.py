"""The database context: set once per transaction, here and nowhere else.

The row-level security policies read these settings. They are set by `SET LOCAL` statements, not by `set_config`,
because only the statements reach the shards of a distributed PostgreSQL; and `LOCAL`, because a plain `SET` leaks
through a connection pool into the next request.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Context:
    """Whose rows a transaction may touch: one State, some of its posts, in a role and for a purpose."""

    state: str
    posts: tuple[uuid.UUID, ...] = ()
    role: str = "worker"
    purpose: str = ""
    link: str = ""


def set_context(session: Session, context: Context) -> None:
    """Set the context for the rest of the session's current transaction."""
    connection = session.connection().connection.driver_connection
    assert connection is not None
    statements = [
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier("micic", name), sql.Literal(value))
        for name, value in _settings(context)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("; ").join(statements))


def _settings(context: Context) -> Iterable[tuple[str, str]]:
    yield "state", context.state
    yield "posts", ",".join(str(post) for post in context.posts)
    yield "role", context.role
    yield "purpose", context.purpose
    yield "link", context.link
