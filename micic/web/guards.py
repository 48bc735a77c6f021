"""What stands before every request: headers, same-origin writes, a limit on bodies, counters. Plain ASGI.

Knows no session and no database.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MAX_BODY_BYTES = 1 << 20
PUBLIC_PREFIX = "/c/"  # the check-in pages: the token in the address is the only authority, no cookie counts


def content_policy(nonce: str) -> str:
    """The Content-Security-Policy: everything from here, scripts and style sheets by origin or nonce, no eval."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            "worker-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Sets the headers of every reply; a nonce per request; nothing is cached unless the reply says so itself."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        referrer = "no-referrer" if scope["path"].startswith(PUBLIC_PREFIX) else "same-origin"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = content_policy(nonce)
                headers["Referrer-Policy"] = referrer
                headers["X-Content-Type-Options"] = "nosniff"
                headers["X-Frame-Options"] = "DENY"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
                headers.setdefault("Cache-Control", "no-store")
                if self._is_https:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, send_with_headers)


class LastResort:
    """Turns whatever a route raised and nobody expected into a reply, so that it too leaves with all headers.

    Starlette's own handler stands outside all guards, and its log would repeat the error's text, which may name a
    person: `respond` tells both the reader and the log.
    """

    def __init__(self, app: ASGIApp, *, respond: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            if started:
                raise
            reply = await run_in_threadpool(self._respond, Request(scope, receive), error)
            await reply(scope, receive, send)


class SameOrigin:
    """Refuses a write that another site sent with our cookie. The browser says where a request comes from in
    Sec-Fetch-Site, older ones in Origin; a program that says neither brings no cookie of a victim.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._ours = urlsplit(public_url).netloc  # behind a proxy the Host may be another

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_foreign(scope):
            reply = PlainTextResponse("Refused: this request came from another site. Nothing was changed.\n", 403)
            await reply(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith(PUBLIC_PREFIX):
            return False
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in ("same-origin", "none")
        origin = headers.get("origin")
        return origin is not None and urlsplit(origin).netloc not in (self._ours, headers.get("host"))


class BodyLimit:
    """Refuses a body above a megabyte, declared or streamed."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else "0"
        if not declared.isdigit() or int(declared) > self._limit:
            reply = PlainTextResponse("The request is larger than this server reads. Nothing was changed.\n", 413)
            await reply(scope, receive, send)
            return
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, receive_counted, send)


class Counters:
    """Counts replies by route template and class of status: no address, no id, no person."""

    def __init__(self, app: ASGIApp, *, counts: "Counter[tuple[str, str]]") -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts[route_of(scope), f"{message['status'] // 100}xx"] += 1
            await send(message)

        await self._app(scope, receive, send_counted if scope["type"] == "http" else send)


def route_of(scope: Scope) -> str:
    """The template of the route that was taken, never the address: that may hold a token or an id."""
    path: str = getattr(scope.get("route"), "path", "other")
    inside_api = scope["path"].startswith("/api/v1/") and not path.startswith("/api/")
    return f"/api/v1{path}" if inside_api and path != "other" else path


def metrics_text(counts: "Counter[tuple[str, str]]") -> str:
    """The counters in Prometheus' text format."""
    lines = ["# TYPE micic_http_replies_total counter"]
    for (route, status), number in sorted(counts.items()):
        lines.append(f'micic_http_replies_total{{route="{route}",status="{status}"}} {number}')
    return "\n".join(lines) + "\n"
