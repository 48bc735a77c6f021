"""Rendering: one Jinja environment per language, the frame's values, and the page that tells of an error."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pycountry
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from micic.clock import utc_now
from micic.door import Refusal
from micic.posts.signin import SignedIn
from micic.web import formats
from micic.web.i18n import LANGUAGES, OWN_NAMES, SOURCE_LANGUAGE, catalogue, choose_language, direction
from micic.web.words import word

HERE = Path(__file__).parent
STATIC = HERE / "static"
VENDOR = HERE / "vendor"
STAFF_LANGUAGES = ("en",)  # a page half in one language and half in another helps nobody in a hurry


@cache
def fingerprint(path: str) -> str:
    """The address of one of our files with its digest: it may be kept for ever, and never shown stale."""
    folder, _, name = path.partition("/")
    file = (STATIC if folder == "static" else VENDOR) / name
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "missing"
    return f"/{path}?v={digest}"


def country_name(code: str) -> str:
    """The English short name of an ISO 3166-1 alpha-3 code; the code itself when there is none."""
    found = pycountry.countries.get(alpha_3=code)
    return str(getattr(found, "common_name", found.name)) if found else code


def country_number(code: str) -> str | None:
    """The ISO 3166-1 numeric code, as the map's countries carry it."""
    found = pycountry.countries.get(alpha_3=code)
    return str(found.numeric) if found else None


def data_block(value: Any) -> Markup:
    """JSON that may stand inside a `<script type="application/json">`: nothing in it can end the block."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


@cache
def environment(language: str) -> Environment:
    """The templates in one language. Every value is escaped; an unknown name is an error, not a blank."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    translations = catalogue(language)
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    made.globals["ngettext"] = partial(_counted, translations, language)
    made.filters.update(
        number=partial(formats.number, language=language),
        signed=partial(formats.signed, language=language),
        percent=partial(formats.percent, language=language),
        about=partial(formats.about, language=language),
        day=partial(formats.day, language=language),
        age=formats.age,
        clock=formats.clock,
        country=country_name,
        data_block=data_block,
    )
    made.globals.update(
        word=lambda kind, code: translations.gettext(word(kind, code)),
        asset=fingerprint,
        language=language,
        direction=direction(language),
        languages=[(code, OWN_NAMES[code]) for code in LANGUAGES],
        moment=partial(formats.moment, language=language),
        local_clock=formats.local_clock,
    )
    return made


def _counted(translations: NullTranslations, language: str, singular: str, plural: str, number: int) -> str:
    """`1 person`, `1,204 people`: the number written as people of the language write it."""
    return translations.ngettext(singular, plural, number) % {"num": formats.number(number, language)}


def language_of(request: Request, known: SignedIn | None = None) -> str:
    """The language of a page: asked for, else the browser's. The staff's own pages speak those of STAFF_LANGUAGES."""
    if known is not None:
        return known.language if known.language in STAFF_LANGUAGES else SOURCE_LANGUAGE
    return choose_language([request.query_params.get("lang")], request.headers.get("Accept-Language", ""))


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    known: SignedIn | None = None,
    language: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A page or a part of one."""
    chosen = language or language_of(request, known)
    body = (
        environment(chosen)
        .get_template(template)
        .render(
            nonce=request.state.nonce,
            known=known,
            csrf=known.token.csrf if known else "",
            path=request.url.path,
            now=values.get("now") or utc_now(),
            exercise=values.get("exercise", False),
            **{name: value for name, value in values.items() if name not in ("now", "exercise")},
        )
    )
    return HTMLResponse(body, status)


def go_to(path: str) -> RedirectResponse:
    """After an act: show the result as a page of its own (303)."""
    return RedirectResponse(path, 303)


def error_page(request: Request, refusal: Refusal) -> Response:
    """What happened, what is kept, what to do. Who is not signed in is sent to the sign-in page."""
    if refusal.kind == "not_signed_in":
        target = request.url.path.removesuffix("/panel") if request.method == "GET" else "/"
        if request.headers.get("HX-Request"):  # the part of a page that keeps itself fresh: leave the page
            return Response(status_code=401, headers={"HX-Redirect": f"/login?then={target}"})
        return RedirectResponse(f"/login?then={target}", 303)
    page = render(request, "error.html", {"refusal": refusal}, status=refusal.status)
    page.headers.update(refusal.headers)
    return page
