"""Tiles: every exposed person is in exactly one square, at its place; zones in force and no others; only one's own."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from geo.cells import cell_of, tile_of_cell
from geo.tiles import EXTENT, STEPS_INTO_TILE, Tile
from tests.api.mvt import Feature, read_tile, signed_area
from tests.web.fixtures import SignIn
from tests.web.world import OTHER_STATE, CrisisWorld

LAST = (1 << STEPS_INTO_TILE) - 1
pytestmark = pytest.mark.xdist_group("pages")


def fetch(client: TestClient, world: CrisisWorld, z: int, x: int, y: int) -> dict[str, list[Feature]]:
    reply = client.get(f"/api/v1/events/{world.event_id}/tiles/{z}/{x}/{y}.mvt")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    return read_tile(reply.content)


def exposures(world: CrisisWorld) -> list[tuple[int, str, int]]:
    with world.session() as session:
        return [
            tuple(row)
            for row in session.execute(
                text(
                    "select cell, presence, coalesce(severity_inside, severity_possible) from exposure"
                    " where event_id = :e and ended_at is null"
                ),
                {"e": world.event_id},
            )
        ]


@pytest.mark.parametrize("z", [0, 3, 6, 9, 12])
def test_the_squares_hold_everybody_once_and_in_place(z: int, signed_in: SignIn, world: CrisisWorld) -> None:
    client, people = signed_in(), exposures(world)
    side = EXTENT >> STEPS_INTO_TILE
    wanted: dict[tuple[int, ...], list[tuple[str, int]]] = {}
    for cell, presence, severity in people:
        x, y = tile_of_cell(cell, z + STEPS_INTO_TILE)
        wanted.setdefault((x >> STEPS_INTO_TILE, y >> STEPS_INTO_TILE, x & LAST, y & LAST), []).append(
            (presence, severity)
        )
    found: dict[tuple[int, ...], dict[str, object]] = {}
    for x, y in {key[:2] for key in wanted}:
        for feature in fetch(client, world, z, x, y)["exposed"]:
            (ring,) = feature.rings
            assert signed_area(ring) > 0
            column, row = (min(point[axis] for point in ring) // side for axis in (0, 1))
            assert all(column * side <= px <= (column + 1) * side for px, _ in ring)
            assert all(row * side <= py <= (row + 1) * side for _, py in ring)
            found[x, y, column, row] = feature.tags
    assert found.keys() == wanted.keys()
    for key, inhabitants in wanted.items():
        inside = sum(presence == "inside" for presence, _ in inhabitants)
        assert found[key] == {
            "persons": len(inhabitants),
            "inside": inside,
            "possible": len(inhabitants) - inside,
            "severity": max(severity for _, severity in inhabitants),
        }


def test_zones_are_those_in_force_with_their_kind(signed_in: SignIn, world: CrisisWorld) -> None:
    x, y = tile_of_cell(cell_of(28.9, 40.9), 6)
    zones = fetch(signed_in(), world, 6, x, y)["zones"]
    bands = [zone.tags for zone in zones if zone.tags["kind"] == "band"]
    assert sorted(tags["severity"] for tags in bands) == [1, 2, 3, 4]  # of the second version only
    assert all(tags["firm"] is True and tags["stated"] is True for tags in bands)
    declared = [zone.tags["label"] for zone in zones if zone.tags["kind"] == "declared"]
    assert "European shore, Avcılar to Bakırköy" in declared


def test_an_empty_tile_is_empty_and_a_tile_that_cannot_be_is_not_found(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    assert fetch(client, world, 6, 0, 0) == {}
    for address in ("3/8/0", "3/0/8", "21/0/0", "3/-1/0"):
        assert client.get(f"/api/v1/events/{world.event_id}/tiles/{address}.mvt").status_code in (404, 422)


def test_a_tile_that_has_not_changed_is_not_sent_again(signed_in: SignIn, world: CrisisWorld) -> None:
    client = signed_in()
    address = f"/api/v1/events/{world.event_id}/tiles/0/0/0.mvt"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "private, no-cache"


def test_another_state_sees_the_public_zones_and_nobody(signed_in: SignIn, world: CrisisWorld) -> None:
    layers = fetch(signed_in("cell", OTHER_STATE), world, 0, 0, 0)
    assert "exposed" not in layers
    assert {zone.tags["kind"] for zone in layers["zones"]} == {"band"}


def test_a_tile_knows_its_frame() -> None:
    tile = Tile(0, 0, 0)
    assert tile.frame == (-180.0, -85.0511287798066, 180.0, 85.0511287798066)
    assert tile.shift == 2 * (28 - STEPS_INTO_TILE)
    with pytest.raises(ValueError, match="no such tile"):
        Tile(1, 2, 0)
