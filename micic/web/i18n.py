"""Languages of the pages: English in the source, catalogues as .po beside it, compiled in memory at first use."""

import io
from collections.abc import Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
LANGUAGES = ("en", "fr", "ar")
OWN_NAMES = {"en": "English", "fr": "Français", "ar": "العربية"}


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language; English for what is not translated."""
    path = LOCALE / language / "messages.po"
    if not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return GNUTranslations(compiled)


def direction(language: str) -> str:
    """`ltr` or `rtl`, for the `dir` of the page."""
    return Locale.parse(language, sep="-").text_direction


def supported(language: str | None) -> str | None:
    """The language of ours that fits a BCP 47 tag, by its first subtag."""
    primary = (language or "").split("-")[0].split("_")[0].lower()
    return primary if primary in LANGUAGES else None


def choose_language(wishes: Sequence[str | None], accept_language: str = "") -> str:
    """The first wish that we speak, then the browser's, then English."""
    for wish in [*wishes, *_accepted(accept_language)]:
        found = supported(wish)
        if found:
            return found
    return SOURCE_LANGUAGE


def _accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first (RFC 9110 section 12.5.4)."""
    weighted = []
    for position, part in enumerate(header[:400].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((-float(weight or 1), position, tag.strip()))
        except ValueError:
            continue
    return [tag for _, _, tag in sorted(weighted)]
