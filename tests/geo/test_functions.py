"""The SQL twins of the key and of the distance."""

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.cells import cell_of, cell_of_array
from geo.coordinates import Position, distance_m
from geo.functions import CELL_SQL, FUNCTIONS_SQL

EDGES = [(180.0, 0.0), (-180.0, 0.0), (0.0, 90.0), (0.0, -90.0), (10.0, 85.06), (-10.0, -85.06), (0.0, 0.0)]


@pytest.fixture
def session(owner_session: Session) -> Session:
    for statement in FUNCTIONS_SQL:
        owner_session.connection().exec_driver_sql(statement)
    return owner_session


def test_the_key_in_sql_is_the_key_in_python(session: Session) -> None:
    rng = np.random.default_rng(9)
    lon = np.concatenate((rng.uniform(-180, 180, 4000), [edge[0] for edge in EDGES]))
    lat = np.concatenate((rng.uniform(-90, 90, 4000), [edge[1] for edge in EDGES]))
    asked = text("select geo_cell(p.lon, p.lat) from unnest(:lon, :lat) with ordinality p(lon, lat, n) order by n")
    keys = np.array(session.scalars(asked, {"lon": lon.tolist(), "lat": lat.tolist()}).all())
    assert np.count_nonzero(keys != cell_of_array(lon, lat)) <= 2  # the last bit of a sine, at the edge of a tile
    assert keys[-len(EDGES) :].tolist() == [cell_of(*edge) for edge in EDGES]


def test_the_distance_in_sql_is_the_distance_in_python(session: Session) -> None:
    rng = np.random.default_rng(10)
    for lon1, lat1, lon2, lat2 in rng.uniform((-180, -90, -180, -90), (180, 90, 180, 90), (40, 4)).tolist():
        found = session.scalar(
            text("select geo_distance_m(:a, :b, :c, :d)"), {"a": lon1, "b": lat1, "c": lon2, "d": lat2}
        )
        assert found == pytest.approx(distance_m(Position(lat1, lon1), Position(lat2, lon2)), rel=1e-9)


def test_nothing_known_is_nothing(session: Session) -> None:
    assert session.scalar(text("select geo_cell(null, 1)")) is None
    assert session.scalar(text("select geo_cell(1, null)")) is None


def test_the_key_is_inlined(session: Session) -> None:
    """A call into an SQL function costs ten times the key itself."""
    session.execute(text("create temporary table spot (lon float8, lat float8)"))
    plan = session.scalars(text("explain verbose select geo_cell(lon, lat) from spot")).all()
    assert not any("geo_cell" in line for line in plan)


def test_the_statements_can_be_generated_columns() -> None:
    assert "immutable strict parallel safe" in CELL_SQL
    assert all("create or replace function" in statement for statement in FUNCTIONS_SQL)
