"""The ground the benchmarks stand on: a throw-away cluster with the product's settings, filled with invented people.

Everything that is measured runs as micic_worker or micic_app under forced row-level security. The superuser loads
and makes the baselines' tables, nothing else.
"""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from alerts.models import Feed
from geo.database import make_engine
from micic.cluster import OWNER, SUPERUSER, Cluster
from micic.identifiers import new_id
from micic.migrate import upgrade
from micic.security.context import Context, set_context
from tests.benchmarks.people import People, load_people, make_people

STATE = "XAA"
SMALL_STATE = "XAB"
NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
POSTS = 8
DATABASE = "bench"
SAFETY = timedelta(seconds=25)

# Under row-level security only leakproof operators reach an index: the baselines get theirs by the superuser's word,
# which no deployment should give. Without it each of them reads the whole table.
LEAKPROOF = (
    "st_intersects(geometry, geometry)",
    "geometry_overlaps(geometry, geometry)",
)

# The same rows, order, owner, rights and policies as `whereabouts`; the index that people write.
BASELINE_PEOPLE = """
create table baseline_whereabouts (like whereabouts including defaults including constraints);
insert into baseline_whereabouts select * from whereabouts order by radius_class, cell;
create index on baseline_whereabouts using gist (position);
create index on baseline_whereabouts (registering_state, migrant_id);
alter table baseline_whereabouts owner to micic_owner;
alter table baseline_whereabouts enable row level security, force row level security;
create policy baseline_worker on baseline_whereabouts to micic_worker
    using (registering_state = current_setting('micic.state', true));
grant select on baseline_whereabouts to micic_worker;
create table baseline_piece (zone_id uuid not null, geometry geometry not null);
create index on baseline_piece (zone_id);
create index on baseline_piece using gist (geometry);
grant select on baseline_piece to micic_worker;
"""


@dataclass
class Ground:
    """A database with `people`, and the ways into it."""

    cluster: Cluster
    database: str
    people: People
    scale: int
    posts: list[uuid.UUID]
    quick: bool = False
    _engines: dict[str, Engine] = field(default_factory=dict)

    def engine(self, role: str = "micic_worker") -> Engine:
        """The engine of a role, as the product makes it."""
        if role not in self._engines:
            self._engines[role] = make_engine(self.cluster.url(self.database, role), pool_size=2)
        return self._engines[role]

    @contextlib.contextmanager
    def session(self, state: str = STATE, role: str = "micic_worker", *, keep: bool = False) -> Iterator[Session]:
        """A transaction of a role in the context of a State: rolled back, or committed to `keep` what it wrote."""
        with Session(self.engine(role), expire_on_commit=False) as session:
            set_context(session, Context(state, tuple(self.posts)))
            yield session
            if keep:
                session.commit()
            else:
                session.rollback()

    def rounds(self, usual: int) -> int:
        """How often the sides take turns."""
        return 2 if self.quick else usual

    def is_close(self, ours: object, theirs: object, *, by: float = 0.002) -> bool:
        """Whether two counts agree, but for a part of them and for three."""
        assert isinstance(ours, int)
        assert isinstance(theirs, int)
        return abs(ours - theirs) <= 3 + by * max(ours, theirs)

    def clear_exposures(self) -> None:
        """Nobody was ever crossed: no rows, no dead ones, no bloat."""
        self.superuser("truncate exposure, exposure_change, exposure_country", "delete from crossing")

    def connect(self, role: str = SUPERUSER) -> psycopg.Connection[Any]:
        """A bare connection that commits by itself."""
        return psycopg.connect(self.cluster.url(self.database, role), autocommit=True)

    def superuser(self, *statements: str) -> None:
        """Run statements outside of what is measured."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def dispose(self) -> None:
        """Close what is open."""
        for engine in self._engines.values():
            engine.dispose()


@contextlib.contextmanager
def make_ground(scale: int) -> Iterator[Ground]:
    """A ground of `scale` people; its cluster is removed at the end, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="micic-bench-"))
    folder.chmod(0o711)
    cluster = Cluster.in_folder(folder)
    try:
        cluster.start()
        cluster.create_database(DATABASE)
        upgrade(cluster.url(DATABASE, OWNER))
        with settled(cluster, DATABASE, scale) as ground:
            yield ground
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def settled(cluster: Cluster, database: str, scale: int, *, quick: bool = False) -> Iterator[Ground]:
    """A migrated database, filled. `quick`: fewer rounds and zones, for the test of the benchmarks themselves."""
    ground = Ground(cluster, database, make_people(scale), scale, [], quick)
    try:
        _settle(ground)
        yield ground
    finally:
        ground.dispose()


def _settle(ground: Ground) -> None:
    """Two States with posts, one feed, everybody in place, the baselines' copies."""
    ground.posts = [new_id() for _ in range(POSTS)]
    with ground.connect() as connection:
        connection.execute("create temporary table bench_post (number int, post_id uuid)")
        for state in (STATE, SMALL_STATE):
            connection.execute("insert into state (code, name, is_registering) values (%s, %s, true)", [state, state])
        for number, post_id in enumerate(ground.posts):
            connection.execute("insert into bench_post values (%s, %s)", [number, post_id])
        for state in (STATE, SMALL_STATE):
            connection.execute(
                "insert into consular_post (registering_state, post_id, name, kind, country, position)"
                " select %s, post_id, 'Post ' || number, 'embassy', 'XAA', st_setsrid(st_makepoint(0, 0), 4326)"
                "  from bench_post",
                [state],
            )
        connection.execute("analyze bench_post")
        load_people(connection, ground.people, STATE, POSTS, NOW.isoformat())
        for statement in BASELINE_PEOPLE.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
        connection.execute("vacuum analyze baseline_whereabouts")
        for role in ("micic_app", "micic_worker"):
            cut = f"alter role {role} in database {ground.database} set statement_timeout = '{SAFETY.seconds}s'"
            connection.execute(cut.encode())
        for function in LEAKPROOF:
            connection.execute(f"alter function {function} leakproof".encode())
    with ground.session(keep=True) as session:
        session.add(Feed(name="bench", url="bench", cadence_s=60))
