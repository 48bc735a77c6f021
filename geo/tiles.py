"""Vector tiles (MVT 2.1) made in PostgreSQL: of areas, and of anything that has a cell.

Cells become squares by taking their number apart: no projection and no clipping per row. May import SQLAlchemy only.
The caller gives table expressions and parameters of its own; nothing here knows what the rows mean.
"""

from dataclasses import dataclass

from geo.cells import LEVEL, MERCATOR_LAT, cell_bounds, cell_range, interleave

EXTENT = 4096
MAX_ZOOM = 20
MARGIN = 0.04
"""How far a tile reaches over its edge, as a part of its side: wider than any line is drawn."""

STEPS_INTO_TILE = 4
"""A tile is divided into 16 x 16 cells: 32 to 64 pixels each, so that a number can be read in one."""


@dataclass(frozen=True)
class Tile:
    """One tile of the Web-Mercator pyramid. Raises ValueError when there is no such tile."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MAX_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise ValueError(f"no such tile: {self.z}/{self.x}/{self.y}")

    @property
    def cells(self) -> tuple[int, int]:
        """Lowest and highest cell of the tile, both inclusive."""
        return cell_range(interleave(self.x, self.y), self.z)

    @property
    def steps(self) -> int:
        """How many times the tile is halved to reach its map cells."""
        return min(STEPS_INTO_TILE, LEVEL - self.z)

    @property
    def shift(self) -> int:
        """`cell >> shift` is the number of the map cell."""
        return 2 * (LEVEL - self.z - self.steps)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in degrees with a margin for what reaches in, kept within the map."""
        west, south, east, north = cell_bounds(interleave(self.x, self.y), self.z)
        wide, high = (east - west) * MARGIN, (north - south) * MARGIN
        return (
            max(west - wide, -180.0),
            max(south - high, -MERCATOR_LAT),
            min(east + wide, 180.0),
            min(north + high, MERCATOR_LAT),
        )

    def parameters(self) -> dict[str, float]:
        """What the layers below are bound with, beside the caller's own parameters."""
        low, high = self.cells
        west, south, east, north = self.frame
        numbers = {"z": self.z, "x": self.x, "y": self.y, "cell_from": low, "cell_to": high, "shift": self.shift}
        return {**numbers, "west": west, "south": south, "east": east, "north": north}


def area_layer(name: str, rows: str, columns: str) -> str:
    """A scalar select that yields one layer of areas or points.

    `rows` is a select with a column `geometry` (SRID 4326) and `columns`. Cut to the tile's frame in degrees before
    it is projected, so that zones that reach a pole stay finite. What does not reach the tile is skipped.
    """
    return f"""
select coalesce(st_asmvt(t, '{name}', {EXTENT}, 'geom'), '') from (
  select {columns},
         st_asmvtgeom(st_transform(st_clipbybox2d(r.geometry, f.degrees), 3857), f.metres, {EXTENT}, 128) as geom
    from (select st_tileenvelope(:z, :x, :y) as metres,
                 st_makeenvelope(:west, :south, :east, :north, 4326) as degrees) f
   cross join lateral ({rows}) r
   where r.geometry && f.degrees
) t"""  # noqa: S608 - name, rows and columns are constants of the callers


def cell_layer(name: str, rows: str, columns: str, steps: int) -> str:
    """A scalar select that yields one layer of squares, one per map cell.

    `rows` is a select grouped by `cell >> :shift` with columns `prefix`, `persons` and `columns`. The square fills
    more of its cell the more persons it stands for: half of its side for one, all of it from a thousand on.
    """
    side = EXTENT >> steps
    bits = range(steps)
    x = " | ".join(f"(((prefix >> {2 * bit}) & 1) << {bit})" for bit in bits) or "0"
    y = " | ".join(f"(((prefix >> {2 * bit + 1}) & 1) << {bit})" for bit in bits) or "0"
    return f"""
select coalesce(st_asmvt(t, '{name}', {EXTENT}, 'geom'), '') from (
  select {columns}, persons,
         st_forcepolygonccw(st_makeenvelope(left_edge + inset, top_edge + inset,
                                            left_edge + {side} - inset, top_edge + {side} - inset)) as geom
    from (select r.*, ({x}) * {side} as left_edge, ({y}) * {side} as top_edge,
                 {side} * (0.25 - least(0.23, 0.0767 * log(persons))) as inset
            from ({rows}) r) s
) t"""  # noqa: S608 - name, rows and columns are constants of the callers


def tile_statement(*layers: str) -> str:
    """One statement for a tile of several layers: MVT layers are joined by writing one after the other."""
    return "select " + " || ".join(f"({layer})" for layer in layers) + " as tile"
