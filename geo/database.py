"""The database: one declarative Base with its naming convention, engines and session factories.

Not a door: it neither opens a transaction by itself nor commits one. May import SQLAlchemy only.
"""

from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the three packages hangs on this metadata."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


def make_engine(url: str, *, pool_size: int = 5, application_name: str = "micic", **options: Any) -> Engine:
    """An engine for one database role.

    `pool_pre_ping` lets a pool survive a restart of PostgreSQL: a dead connection is replaced before use
    instead of failing the first request after the restart. `hide_parameters` keeps values, which may name a person,
    out of error messages and so out of logs. No JIT: the planner expects far more rows of the set statements than
    come, and would compile for seconds what runs for a tenth of one.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c jit=off",
        },
        **options,
    )


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that never expire what they have read: after the commit the reply is still being written."""
    return sessionmaker(engine, expire_on_commit=False)


@cache
def read_statement(package: str, name: str) -> str:
    """A named `.sql` file beside its module, `read_statement(__package__, "crossing.sql")`, without the comment
    lines: a colon in prose must not become a parameter.
    """
    lines = resources.files(package).joinpath(name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))
