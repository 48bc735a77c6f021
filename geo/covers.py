"""The covers of a zone, one for each radius class: what a stored zone keeps beside its geometry. Pure."""

from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geo.areas import EXACT_CLASS, RADIUS_CLASSES_M, widen
from geo.cells import MAX_CELLS, CoverCell, cover


def widened_areas(area: BaseGeometry) -> dict[int, BaseGeometry]:
    """Radius class code -> the area widened by the class; code 0 is the area itself."""
    return {EXACT_CLASS: area} | {code: widen(area, radius) for code, radius in RADIUS_CLASSES_M.items()}


def cover_classes(area: BaseGeometry, *, max_cells: int = MAX_CELLS) -> dict[int, list[CoverCell]]:
    """Radius class code -> cover: 0 the exact area, 1 to 5 the area widened by RADIUS_CLASSES_M.

    A disc of class c touches the area only if its centre is in cover c (which holds up to about 5 % + 10 m more:
    nobody near is lost). `area` as geo.areas.normalise gives it.
    """
    return {code: cover(shape, max_cells=max_cells) for code, shape in widened_areas(area).items()}


@dataclass(frozen=True)
class CoverColumns:
    """The covers of an area as columns of equal length, ready for one INSERT: radius class codes, first and last
    cell, and the piece as WKB (None where the whole cell lies in the area).
    """

    radius_classes: list[int]
    cells_from: list[int]
    cells_to: list[int]
    pieces: list[bytes | None]


def cover_columns(area: BaseGeometry) -> CoverColumns:
    """`cover_classes` of an area as columns."""
    rows = [(code, cell) for code, cells in cover_classes(area).items() for cell in cells]
    return CoverColumns(
        [code for code, _ in rows],
        [cell.lo for _, cell in rows],
        [cell.hi for _, cell in rows],
        [None if cell.piece is None else shapely.to_wkb(cell.piece) for _, cell in rows],
    )


def radius_class(accuracy_m: float) -> int:
    """The class a radius in metres is rounded up to; 6 (the country) above 100 km. Raises ValueError."""
    if not accuracy_m >= 0.0:
        raise ValueError(f"not a radius: {accuracy_m!r}")
    return next((code for code, radius in RADIUS_CLASSES_M.items() if accuracy_m <= radius), 6)
