"""The only HTTP of the package: one guarded GET. Never raises for network trouble; keeps nothing between calls.

Guards: the name is resolved, every address checked, and the connection made to a checked address (so a name cannot
change its mind in between); each redirect is checked alike; one deadline over everything; a cap on bytes received
and on bytes unpacked.
"""

import hashlib
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpcore
import httpx

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> addresses. Raises OSError."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchOutcome(StrEnum):
    OK = "ok"
    UNCHANGED = "unchanged"
    EMPTY = "empty"  # the server says that there is nothing (204): not the same as an empty list
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Limits of one fetch. `contact` is an address or page for the operators of the feeds we ask."""

    contact: str = "no contact configured"
    allow_private: bool = False  # for feeds in one's own network, the demo and tests; never link-local
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    max_bytes: int = 20_000_000
    max_redirects: int = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one fetch. `body` is unpacked; `sha256` (hex) is of the body; `url` is where it came from."""

    outcome: FetchOutcome
    url: str
    elapsed_s: float
    status: int | None = None
    body: bytes = b""
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    reason: str | None = None
    retry_after_s: int | None = None


class Refused(Exception):
    """A fetch that must not go on; the text is the reason."""


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the operating system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Fetcher:
    """Fetches documents. Safe to share between threads: every fetch has its own connection."""

    def __init__(
        self,
        settings: FetchSettings | None = None,
        *,
        resolve: Resolve = system_resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.settings = settings or FetchSettings()
        self._resolve = resolve
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Fetched:
        """One GET, conditional if `etag` or `last_modified` of an earlier answer is given."""
        started = time.monotonic()
        asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {
            "User-Agent": f"micic-alerts (registry for people caught in a crisis; {self.settings.contact})",
            "Accept": accept,
            "Accept-Encoding": "gzip",
            **{name: value for name, value in asked.items() if value},
        }
        reason = "network"
        try:
            return self._follow(url, headers, started)
        except (httpx.TimeoutException, httpcore.TimeoutException):
            reason = "timeout"
        except Refused as error:
            reason = str(error)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            reason = f"bad-url: {error}"
        except (*_NETWORK_ERRORS, OSError) as error:
            reason = f"network: {type(error).__name__} {error}"
        return Fetched(FetchOutcome.BROKEN, url, time.monotonic() - started, reason=reason[:300])

    def _follow(self, url: str, headers: dict[str, str], started: float) -> Fetched:
        for _ in range(self.settings.max_redirects + 1):
            _check_url(url)
            with self._client(started) as client, client.stream("GET", url, headers=headers) as response:
                if response.status_code not in _REDIRECTS:
                    return self._answer(response, headers, started)
                onward = str(response.url.join(response.headers.get("Location", "")))
            if onward == url or (url.startswith("https:") and not onward.startswith("https:")):
                raise Refused("redirect-refused")
            url = onward
        raise Refused("too-many-redirects")

    def _client(self, started: float) -> httpx.Client:
        limits = self.settings
        backend = _CheckedBackend(self._resolve, limits.allow_private, started + limits.total_timeout_s)
        return httpx.Client(
            transport=_Transport(backend, self._ssl_context),
            timeout=httpx.Timeout(limits.read_timeout_s, connect=limits.connect_timeout_s),
            trust_env=False,
        )

    def _answer(self, response: httpx.Response, headers: dict[str, str], started: float) -> Fetched:
        conditional = "If-None-Match" in headers or "If-Modified-Since" in headers
        body, reason = b"", None
        match response.status_code:
            case 200:
                body = self._body(response)
                outcome = FetchOutcome.OK if body else FetchOutcome.BROKEN
                reason = None if body else "empty-body"
            case 204:
                outcome = FetchOutcome.EMPTY
            case 304 if conditional:
                outcome = FetchOutcome.UNCHANGED
            case status:
                outcome, reason = FetchOutcome.BROKEN, f"http-{status}"
        return Fetched(
            outcome=outcome,
            url=str(response.url),
            elapsed_s=time.monotonic() - started,
            status=response.status_code,
            body=body,
            content_type=response.headers.get("Content-Type"),
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
            sha256=hashlib.sha256(body).hexdigest() if body else None,
            reason=reason,
            retry_after_s=_seconds(response.headers.get("Retry-After")),
        )

    def _body(self, response: httpx.Response) -> bytes:
        """The body, unpacked step by step so that no more than the cap is ever in memory."""
        most = self.settings.max_bytes
        if (_seconds(response.headers.get("Content-Length")) or 0) > most:
            raise Refused("too-large")
        match response.headers.get("Content-Encoding", "identity").strip().lower():
            case "identity" | "":
                pieces: Iterable[bytes] = response.iter_raw()
            case "gzip" | "x-gzip":
                pieces = _unpacked(_capped(response.iter_raw(), most), most)
            case encoding:
                raise Refused(f"encoding-not-asked-for: {encoding}")
        return b"".join(_capped(pieces, most))


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


def _check_url(url: str) -> None:
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused("scheme-refused")
    if parsed.userinfo:
        raise Refused("credentials-in-url")
    if not 0 < (parsed.port or 80) < 65_536:
        raise Refused("bad-url: port")


# --- bytes --------------------------------------------------------------------------------------------------


def _capped(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise Refused("too-large")
        yield piece


def _unpacked(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Gzip, member after member, never more than 64 kB (or `most`) at a time. Refuses what is cut short."""
    step = min(65_536, most + 1)
    packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for piece in pieces:
        rest = piece
        while rest:
            if packed.eof:
                packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                yield packed.decompress(rest, step)
            except zlib.error as error:
                raise Refused("gzip-broken") from error
            rest = packed.unconsumed_tail or packed.unused_data
    while not packed.eof and (held := packed.decompress(b"", step)):
        yield held
    if not packed.eof:
        raise Refused("gzip-cut-short")


# --- addresses ----------------------------------------------------------------------------------------------


def may_connect(address: str, *, allow_private: bool) -> bool:
    """Is this an address that a feed may live at? Addresses that carry another one inside are judged by both."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(_may_connect(each, allow_private) for each in (parsed, *_carried(parsed)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _may_connect(address: ipaddress.IPv4Address | ipaddress.IPv6Address, allow_private: bool) -> bool:
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return True  # judged by what it carries
    if address.is_global:
        return True
    return allow_private and (address.is_loopback or address.is_private) and not _reserved(address)


def _reserved(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Class E; for IPv6 the loopback address counts as reserved too, and is not meant."""
    return address.is_reserved and not address.is_loopback


def _carried(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> Iterator[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    yield from (inner for inner in (address.ipv4_mapped, address.sixtofour) if inner is not None)
    yield from address.teredo or ()
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


# --- the connection -----------------------------------------------------------------------------------------

_NETWORK_ERRORS = (
    httpx.HTTPError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only, within the deadline (`time.monotonic`)."""

    def __init__(self, resolve: Resolve, allow_private: bool, deadline: float) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = [host] if _is_address(host) else self._resolve(host, port)
        if not addresses or not all(may_connect(a, allow_private=self._allow_private) for a in addresses):
            raise Refused("address-refused")
        failure: Exception | None = None
        for address in addresses:
            try:
                within = _remaining(self._deadline, timeout, httpcore.ConnectTimeout)
                stream = self._inner.connect_tcp(address, port, within, local_address, socket_options)
                return _DeadlineStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise Refused("address-refused")


class _DeadlineStream(httpcore.NetworkStream):
    """A stream of which no read or write outlives the deadline: a server that drips bytes gains nothing."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = _remaining(self._deadline, timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, within), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(deadline: float, timeout: float | None, error: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise error("the deadline has passed")
    return left if timeout is None else min(left, timeout)


class _Transport(httpx.BaseTransport):
    """httpx over one httpcore connection with our backend, which httpx's own transport has no way to take."""

    def __init__(self, backend: httpcore.NetworkBackend, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context, max_connections=1, max_keepalive_connections=0, network_backend=backend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
