"""One pure module per source; here only what all of them need: strict JSON, words that betray a test, tangles.

Feed modules do not know each other. May import alerts.feed only.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from alerts.feed import ReasonCode

Json = dict[str, Any]

MAX_JSON_BYTES = 20_000_000
_SURROGATE_OR_NUL = re.compile("[\x00\ud800-\udfff]")


class DocumentError(ValueError):
    """A document or an item that cannot be read; `reason` is one of our codes."""

    def __init__(self, reason: ReasonCode, detail: str) -> None:
        self.reason = reason
        self.detail = detail[:500]
        super().__init__(f"{reason}: {self.detail}")


def sha256(body: bytes) -> str:
    """Name of the raw bytes: lower-case hex."""
    return hashlib.sha256(body).hexdigest()


def read_json(body: bytes) -> Any:
    """JSON in UTF-8, with or without BOM. NaN, Infinity and numbers beyond a double become `NotFinite`: so
    they cost the item that holds them and not its neighbours. Raises DocumentError."""
    if len(body) > MAX_JSON_BYTES:
        raise DocumentError(ReasonCode.TOO_LARGE, f"{len(body)} bytes")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(ReasonCode.BAD_ENCODING, str(error)) from error
    try:
        return json.loads(text, parse_constant=NotFinite, parse_float=_finite)
    except RecursionError as error:
        raise DocumentError(ReasonCode.TOO_DEEP, "nested too deeply") from error
    except ValueError as error:
        raise DocumentError(ReasonCode.NOT_JSON, str(error)) from error


class NotFinite:
    """Stands where a document had NaN, Infinity or 1e400: equal to nothing, and no number."""

    def __init__(self, literal: str) -> None:
        self.literal = literal

    def __repr__(self) -> str:
        return f"<{self.literal}>"


def _finite(literal: str) -> float | NotFinite:
    value = float(literal)
    return value if math.isfinite(value) else NotFinite(literal)


def check_values(value: Any) -> None:
    """Raises DocumentError for a number not finite, for NUL or a lone surrogate (PostgreSQL refuses)."""
    stack = [value]
    while stack:
        match stack.pop():
            case dict() as table:
                stack.extend(table)
                stack.extend(table.values())
            case list() as items:
                stack.extend(items)
            case str() as text if _SURROGATE_OR_NUL.search(text):
                raise DocumentError(ReasonCode.BAD_CHARACTER, "NUL or lone surrogate in a text")
            case NotFinite() as found:
                raise DocumentError(ReasonCode.NOT_FINITE, f"{found.literal} is no number")


def missing(field: str) -> NoReturn:
    raise DocumentError(ReasonCode.MISSING_FIELD, field)


# --- words that betray a test -------------------------------------------------------------------------------

_WORDS = (
    "test|tests|testing|exercise|exercises|drill|drills|scenario|scenarios|simulation"  # English
    "|exercice|essai|essais|simulacre"  # French
    "|simulacro|simulacros|simulación|ejercicio|prueba|pruebas"  # Spanish
    "|teste|testes|simulado|exercício|simulação"  # Portuguese
    "|esercitazione|prova|simulazione"  # Italian
    "|übung|übungen|probealarm|probewarnung|testwarnung|testmeldung"  # German
    "|oefening|testbericht"  # Dutch
    "|övning|vma-test|øvelse|æfing|prófun|harjoitus|testi"  # Nordic
    "|ćwiczenia|ćwiczenie|cvičení|zkouška|exercițiu|vaja|vježba"  # Central Europe
    "|учение|учения|учебная|учебный|тест|тестовое|навчання|навчальна"  # Russian, Ukrainian
    "|άσκηση|δοκιμή|tatbikat|deneme"  # Greek, Turkish
    "|تمرين|تجربة|تجريبي|اختبار|مانور|آزمایشی"  # Arabic, Persian
    "|latihan|simulasi|uji coba|pagsasanay"  # Indonesian, Malay, Filipino
    "|diễn tập|अभ्यास|परीक्षण|অনুশীলন"  # Vietnamese, Hindi, Bengali
)
_UNSPACED = "訓練|演習|テスト|演练|演練|演习|测试|測試|훈련|테스트|ทดสอบ|ซ้อม"
# Ordinary warnings say these every day.
_HARMLESS = re.compile(
    r"\bexercise (?:extreme |extra |great |due |increased |particular |the utmost |a high degree of )*"
    r"(?:caution|care|vigilance|restraint|judg|patience|discretion)"
    r"|\b(?:worst|best)[ -]case scenarios?",
    re.IGNORECASE,
)
# Bounded by anything that is no letter: "_test", "TEST:", "test1" count; "latest", "drilling" do not.
_TEST = re.compile(rf"(?<![^\W\d_])(?:{_WORDS})(?![^\W\d_])|{_UNSPACED}", re.IGNORECASE)


def find_test_word(texts: Iterable[str | None]) -> str | None:
    """The first word that says test, exercise, drill or scenario in any of the texts; None if no text does.

    Errs towards finding: a message so marked is only held for a person to look at.
    """
    for text in texts:
        found = _TEST.search(_HARMLESS.sub(" ", text)) if text else None
        if found:
            return found.group(0)
    return None


# --- lines that cross too often -----------------------------------------------------------------------------

MAX_CROSSINGS = 10_000
"""Mending a drawing costs time and memory by its crossings: 1,000 random corners (16 kB) cross 200,000 times and
took 8 s and 280 MB. Real outlines that are not valid have a handful."""


def is_tangled(lines: Iterable[BaseGeometry], most: int = MAX_CROSSINGS) -> bool:
    """Whether lines (finite coordinates) cross themselves or each other more than `most` times."""
    points, drawn_by = shapely.get_coordinates(list(lines), return_index=True)
    starts = np.flatnonzero(drawn_by[:-1] == drawn_by[1:])
    segments = np.asarray(shapely.linestrings(np.stack((points[starts], points[starts + 1]), axis=1)))
    tree = shapely.STRtree(segments)
    crossings, first, step = 0, 0, 8
    while first < len(segments):
        crossings += tree.query(segments[first : first + step], predicate="crosses").shape[1]
        if crossings > 2 * most:  # each is found from both sides
            return True
        first, step = first + step, min(2 * step, 4096)  # a tangle shows at once; an outline is done in few steps
    return False
