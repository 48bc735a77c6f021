"""The web application: pages and API in one house, behind the guards. Run by the command line with uvicorn."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from geo.database import make_engine, make_session_factory
from micic.api import routes as api
from micic.api.problems import problem
from micic.door import House, Refusal, house_of, note_refusal, refusal_of
from micic.errors import MicicError
from micic.security.crypto import MasterKeys
from micic.settings import Databases, Keys, Web
from micic.web import routes as web
from micic.web.checkin import trouble_page
from micic.web.guards import (
    PUBLIC_PREFIX,
    BodyLimit,
    Counters,
    LastResort,
    SameOrigin,
    SecurityHeaders,
    metrics_text,
    route_of,
)
from micic.web.pages import STATIC, VENDOR, error_page

POOL_SIZE = 12
POOL_WAIT_S = 5.0
KIND_OF_STATUS = {401: "not_signed_in", 403: "not_permitted", 404: "not_found", 405: "not_found", 409: "conflict"}


@dataclass(frozen=True)
class AppSettings:
    """What the application needs to know. The two databases are one, seen by two roles."""

    app_database: str = field(repr=False)
    public_database: str = field(repr=False)
    master: MasterKeys
    public_url: str = "http://127.0.0.1:8000"

    @classmethod
    def from_environment(cls) -> Self:
        """Read the MICIC_ variables. Raises SettingMissing, ValueError."""
        databases = Databases()
        return cls(
            databases.url("micic_app"), databases.url("micic_public"), MasterKeys.parse(Keys().text()), Web().public_url
        )


def create_app(settings: AppSettings) -> FastAPI:
    """The application with engines of its own, closed with it."""
    engines = [
        make_engine(url, pool_size=POOL_SIZE, pool_timeout=POOL_WAIT_S, application_name=name)
        for url, name in ((settings.app_database, "micic web"), (settings.public_database, "micic public"))
    ]
    app = FastAPI(
        title="MICIC",
        lifespan=_closing(engines),
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{api.PREFIX}/openapi.json",
    )
    app.state.house = House(
        make_session_factory(engines[0]), make_session_factory(engines[1]), settings.master, settings.public_url
    )
    app.state.counts = Counter()
    app.include_router(api.router)
    app.include_router(web.router)
    app.mount("/static", KeptFiles(directory=STATIC))
    app.mount("/vendor", KeptFiles(directory=VENDOR, check_dir=False))
    _add_watching(app)
    for kind in (MicicError, SQLAlchemyError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, on_error)
    app.add_middleware(LastResort, respond=on_error)
    app.add_middleware(BodyLimit)
    app.add_middleware(SameOrigin, public_url=settings.public_url)
    app.add_middleware(Counters, counts=app.state.counts)
    app.add_middleware(SecurityHeaders, is_https=app.state.house.is_https)
    return app


def _closing(engines: list[Engine]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        for engine in engines:
            engine.dispose()

    return lifespan


class KeptFiles(StaticFiles):
    """Files whose address carries their digest: kept for a year when it is given, asked for again when not."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope: Scope = kwargs.get("scope") or args[2]  # type: ignore[assignment]
        is_digested = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_digested else "no-cache"
        return response


# --- errors ---


def on_error(request: Request, error: Exception) -> Response:
    """Every error of every route comes here: told as a problem under /api, as a page elsewhere."""
    refusal = _refusal(error)
    note_refusal(request, route_of(request.scope), error, refusal)
    if request.url.path.startswith("/api/"):
        return problem(request, refusal)
    if request.url.path.startswith(PUBLIC_PREFIX):
        page = trouble_page(request, refusal.kind, refusal.status)
        page.headers.update(refusal.headers)
        return page
    return error_page(request, refusal)


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, RequestValidationError):
        first = error.errors()[0] if error.errors() else {"loc": (), "msg": "not readable"}
        name = ".".join(str(part) for part in first["loc"][1:]) or None
        return Refusal("invalid", f"{name or 'The request'}: {first['msg']}.", name)
    if isinstance(error, HTTPException):
        return Refusal(KIND_OF_STATUS.get(error.status_code, "refused"), str(error.detail))
    return refusal_of(error)


# --- watching ---


def _add_watching(app: FastAPI) -> None:
    app.add_api_route("/healthz", is_alive, include_in_schema=False)
    app.add_api_route("/readyz", is_ready, include_in_schema=False)
    app.add_api_route("/metrics", metrics, include_in_schema=False)


def is_alive() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("alive\n")


def is_ready(request: Request) -> PlainTextResponse:
    """The database answers in both roles; otherwise 503 by the table of errors."""
    house = house_of(request)
    for factory in (house.staff, house.public):
        with factory() as session:
            session.execute(text("select 1"))
    return PlainTextResponse("ready\n")


def metrics(request: Request) -> PlainTextResponse:
    """Counters of replies by route and status class."""
    return PlainTextResponse(metrics_text(request.app.state.counts), media_type="text/plain; version=0.0.4")
