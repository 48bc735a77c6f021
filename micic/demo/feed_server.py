"""A small real HTTP server that plays the agencies: it serves one stage of the crisis, loopback only.

Run alone: `python -m micic.demo.feed_server --port N --start ISO --seed S --stage NAME`; a POST to
/_stage/NAME moves it on. May import only the crisis.
"""

import argparse
import hashlib
import json
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from micic.demo.crisis import USGS, Crisis, Stage

HOST = "127.0.0.1"
CONTROL = "/_stage/"
# The addresses that can be fetched here; a link to a page, as /scenarios/eventpage, stays the agency's own.
SERVED = ("/earthquakes/feed/", "/product/", "/fdsnws/")


class Fault(StrEnum):
    """What may go wrong with one answer."""

    ERROR = "error"  # 500
    TIMEOUT = "timeout"  # nothing for `stall_s` seconds, then the connection is closed
    TRUNCATED = "truncated"  # the length of the whole, half of the body
    EMPTY = "empty"  # 200 and no body


@dataclass(frozen=True)
class Document:
    """One answer as it stands: changed_at is when these bytes were first published at this path."""

    body: bytes
    content_type: str
    status: int
    changed_at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


@dataclass
class _Planned:
    fault: Fault
    path_prefix: str
    left: int


def document_key(target: str) -> str:
    """Path and query of a request, the parameters sorted by name."""
    parts = urlsplit(target)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{unquote(parts.path)}?{query}" if query else unquote(parts.path)


class FeedServer:
    """Serves whatever stage was published last; before the first, everything is 404. A context manager.

    `stages`: those that the control POST may name. `stall_s`: how long a planned time-out lasts.
    """

    def __init__(self, stages: tuple[Stage, ...] = (), *, port: int = 0, stall_s: float = 30.0) -> None:
        self.stages = {stage.name: stage for stage in stages}
        self.stall_s = stall_s
        self.requests: list[tuple[str, int]] = []  # key and status of each answer, 0 for one cut off
        self.stopping = threading.Event()
        self._documents: dict[str, Document] = {}
        self._faults: list[_Planned] = []
        self._lock = threading.Lock()
        self._http = _Http((HOST, port), _Handler)
        self._http.feeds = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def publish(self, stage: Stage) -> datetime:
        """Replaces all that is served, at once; returns that instant. Unchanged bytes keep their date."""
        with self._lock:
            now = datetime.now(UTC)
            fresh = {path: self._document(stage, path, now) for path in stage.documents}
            self._documents = fresh
            return now

    def _document(self, stage: Stage, path: str, now: datetime) -> Document:
        body = stage.documents[path]
        for prefix in SERVED:
            body = body.replace(f"{USGS}{prefix}".encode(), f"{self.base_url}{prefix}".encode())
        before = self._documents.get(path)
        changed_at = before.changed_at if before and before.body == body else now
        return Document(body, stage.content_types[path], stage.statuses.get(path, 200), changed_at)

    def inject(self, fault: Fault, *, path_prefix: str = "/", times: int = 1) -> None:
        """The next `times` requests whose path begins so go wrong."""
        with self._lock:
            self._faults.append(_Planned(fault, path_prefix, times))

    def answer(self, key: str) -> tuple[Document | None, Fault | None]:
        """What is served under this key, and the fault planned for it, which is used up by asking."""
        with self._lock:
            planned = next((f for f in self._faults if f.left and key.startswith(f.path_prefix)), None)
            if planned:
                planned.left -= 1
            found = self._documents.get(key) or self._documents.get(key.partition("?")[0])
            return found, planned.fault if planned else None


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    feeds: FeedServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A poller that was killed in the middle of a line is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http
    server_version = "feeds"

    def do_GET(self) -> None:
        key = document_key(self.path)
        document, fault = self.server.feeds.answer(key)
        status = self._broken(document, fault) if fault else self._sound(document)
        self.server.feeds.requests.append((key, status))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        """The control: /_stage/NAME publishes that stage. The answer is {"stage", "published_at"}."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = unquote(self.path.removeprefix(CONTROL)) if self.path.startswith(CONTROL) else ""
        stage = self.server.feeds.stages.get(name)
        if stage is None:
            self._send(404, b"no such stage\n", "text/plain")
            return
        told = {"stage": name, "published_at": self.server.feeds.publish(stage).isoformat()}
        self._send(200, json.dumps(told).encode(), "application/json")

    def _sound(self, document: Document | None) -> int:
        if document is None:
            return self._send(404, b"Error 404: Not Found\n", "text/plain; charset=utf-8")
        validators = {
            "ETag": document.etag,
            "Last-Modified": format_datetime(document.changed_at, usegmt=True),
            "Cache-Control": "public, max-age=60",
        }
        if document.status == 200 and self._unchanged(document):
            return self._send(304, b"", document.content_type, validators)
        return self._send(document.status, document.body, document.content_type, validators)

    def _unchanged(self, document: Document) -> bool:
        """If-None-Match decides where it is given, else If-Modified-Since (RFC 9110 section 13.2.2)."""
        if tags := self.headers.get("If-None-Match"):
            return document.etag in tags or tags.strip() == "*"
        try:
            since = parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
            return document.changed_at.replace(microsecond=0) <= since
        except (TypeError, ValueError):
            return False

    def _broken(self, document: Document | None, fault: Fault) -> int:
        if fault is Fault.ERROR:
            return self._send(500, b"Internal Server Error\n", "text/plain")
        if fault is Fault.EMPTY:
            return self._send(200, b"", document.content_type if document else "text/plain")
        self.close_connection = True
        if fault is Fault.TIMEOUT:
            self.server.feeds.stopping.wait(self.server.feeds.stall_s)
            return 0
        body = document.body if document else b"not much of an answer"
        self._head(200, "application/json", len(body), {})
        self.wfile.write(body[: len(body) // 2])
        return 0

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> int:
        self._head(status, kind, None if status == 304 else len(body), headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)
        return status

    def _head(self, status: int, kind: str, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Silent: what was asked stands in `requests`."""


def main(arguments: list[str] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; writes its address to standard output once it can be asked."""
    parser = argparse.ArgumentParser(description="The feeds of the demo's crisis.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--start", type=datetime.fromisoformat, default=datetime.now(UTC))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stage", default="origin")
    options = parser.parse_args(arguments)
    crisis, over = Crisis(options.start, options.seed), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with FeedServer(crisis.stages, port=options.port) as server:
        server.publish(crisis.stage(options.stage))
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()
