"""The one guarded GET, against a real server on this machine."""

import gzip
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from alerts.fetch import Fetcher, FetchOutcome, FetchSettings, may_connect

FETCHER = Fetcher(FetchSettings(contact="ops@example.org", allow_private=True, total_timeout_s=5, max_bytes=10_000))


def limited(**settings: Any) -> Fetcher:
    return Fetcher(FetchSettings(**{"allow_private": True, **settings}))


# --- outcomes ---


def test_ok(httpserver: HTTPServer) -> None:
    headers = {"ETag": '"v1"', "Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
    httpserver.expect_request("/feed").respond_with_data("hello", content_type="application/json", headers=headers)
    fetched = FETCHER.fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.status, fetched.body, fetched.reason) == (FetchOutcome.OK, 200, b"hello", None)
    assert (fetched.etag, fetched.last_modified) == ('"v1"', "Mon, 23 Nov 2026 12:00:00 GMT")
    assert fetched.sha256 == sha256(b"hello").hexdigest()
    assert str(fetched.content_type).startswith("application/json")
    assert 0 < fetched.elapsed_s < 5


def test_it_says_who_it_is_and_asks_for_nothing_odd(httpserver: HTTPServer) -> None:
    seen: dict[str, str] = {}

    def handler(request: Request) -> Response:
        seen.update(request.headers)
        return Response("x")

    httpserver.expect_request("/feed").respond_with_handler(handler)
    FETCHER.fetch(httpserver.url_for("/feed"))
    assert "micic" in seen["User-Agent"]
    assert "ops@example.org" in seen["User-Agent"]
    assert seen["Accept-Encoding"] == "gzip"
    assert not {"Cookie", "If-None-Match", "If-Modified-Since"} & set(seen)


def test_unchanged(httpserver: HTTPServer) -> None:
    asked = {"If-None-Match": '"v1"', "If-Modified-Since": "yesterday"}
    httpserver.expect_request("/feed", headers=asked).respond_with_data("", status=304)
    fetched = FETCHER.fetch(httpserver.url_for("/feed"), etag='"v1"', last_modified="yesterday")
    assert (fetched.outcome, fetched.status, fetched.body) == (FetchOutcome.UNCHANGED, 304, b"")


def test_304_without_having_asked_is_broken(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed").respond_with_data("", status=304)
    assert FETCHER.fetch(httpserver.url_for("/feed")).outcome is FetchOutcome.BROKEN


def test_nothing_is_not_an_empty_body(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/nothing").respond_with_data("", status=204)
    httpserver.expect_request("/empty").respond_with_data("")
    assert FETCHER.fetch(httpserver.url_for("/nothing")).outcome is FetchOutcome.EMPTY
    fetched = FETCHER.fetch(httpserver.url_for("/empty"))
    assert (fetched.outcome, fetched.reason, fetched.sha256) == (FetchOutcome.BROKEN, "empty-body", None)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 429, 500, 503, 206])
def test_errors_are_broken_and_keep_their_number(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/feed").respond_with_data("sorry", status=status, headers={"Retry-After": "120"})
    fetched = FETCHER.fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.status, fetched.reason) == (FetchOutcome.BROKEN, status, f"http-{status}")
    assert (fetched.body, fetched.retry_after_s) == (b"", 120)


# --- size ---


def test_gzip(httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    httpserver.expect_request("/feed").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert FETCHER.fetch(httpserver.url_for("/feed")).body == b"one two"


@pytest.mark.parametrize("size", [9_999, 10_000, 10_001])
def test_the_cap_is_on_what_comes_out(httpserver: HTTPServer, size: int) -> None:
    httpserver.expect_request("/plain").respond_with_data(b"x" * size)
    httpserver.expect_request("/gzip").respond_with_data(
        gzip.compress(b"x" * size), headers={"Content-Encoding": "gzip"}
    )
    for path in ("/plain", "/gzip"):
        fetched = FETCHER.fetch(httpserver.url_for(path))
        assert fetched.reason == (None if size <= 10_000 else "too-large")
        assert len(fetched.body) in (0, size)


def test_a_bomb_is_never_unpacked(httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    httpserver.expect_request("/feed").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    fetcher = limited(max_bytes=1_000_000)
    tracemalloc.start()
    fetched = fetcher.fetch(httpserver.url_for("/feed"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fetched.reason == "too-large"
    assert peak < 15_000_000


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b"hello" * 50, mtime=0)[:-9], "gzip", "gzip-cut-short"),
        (b"hello", "gzip", "gzip-broken"),
        (zlib.compress(b"hello"), "deflate", "encoding-not-asked-for: deflate"),
        (b"hello", "br", "encoding-not-asked-for: br"),
    ],
)
def test_what_cannot_be_unpacked(httpserver: HTTPServer, body: bytes, encoding: str, reason: str) -> None:
    httpserver.expect_request("/feed").respond_with_data(body, headers={"Content-Encoding": encoding})
    fetched = FETCHER.fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.reason) == (FetchOutcome.BROKEN, reason)


def test_a_body_without_end(httpserver: HTTPServer) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    httpserver.expect_request("/feed").respond_with_handler(lambda _: Response(endless()))
    assert FETCHER.fetch(httpserver.url_for("/feed")).reason == "too-large"


def test_a_body_cut_short_is_broken(httpserver: HTTPServer) -> None:
    def cut() -> Iterator[bytes]:
        yield b"half"

    httpserver.expect_request("/feed").respond_with_handler(
        lambda _: Response(cut(), headers={"Content-Length": "100"})
    )
    fetched = FETCHER.fetch(httpserver.url_for("/feed"))
    assert fetched.outcome is FetchOutcome.BROKEN
    assert str(fetched.reason).startswith("network: RemoteProtocolError")


# --- time ---


def test_a_silent_server(httpserver: HTTPServer) -> None:
    def slow(_: Request) -> Response:
        time.sleep(0.6)
        return Response("late")

    httpserver.expect_request("/feed").respond_with_handler(slow)
    fetched = limited(read_timeout_s=0.2).fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.reason) == (FetchOutcome.BROKEN, "timeout")


def test_a_dripping_server(httpserver: HTTPServer) -> None:
    """Each piece is in time, the whole is not."""

    def drip() -> Iterator[bytes]:
        for _ in range(12):
            time.sleep(0.1)
            yield b"x"

    httpserver.expect_request("/feed").respond_with_handler(lambda _: Response(drip()))
    fetched = limited(read_timeout_s=1, total_timeout_s=0.4).fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.reason) == (FetchOutcome.BROKEN, "timeout")


# --- where it may go ---


def test_this_machine_only_by_permission(httpserver: HTTPServer) -> None:
    fetched = Fetcher().fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.status, fetched.reason) == (FetchOutcome.BROKEN, None, "address-refused")
    assert httpserver.log == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0"),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
        ),
        *("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "not an address", ""),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not may_connect(address, allow_private=False)


@pytest.mark.parametrize("address", ["137.227.0.1", "2600:1900::1", "::ffff:137.227.0.1", "64:ff9b::89e3:1"])
def test_addresses_that_are_public(address: str) -> None:
    assert may_connect(address, allow_private=False)
    assert may_connect(address, allow_private=True)


def test_private_does_not_mean_anything_goes() -> None:
    for address in ("127.0.0.1", "10.1.2.3", "::1", "fc00::1", "::ffff:10.0.0.1"):
        assert may_connect(address, allow_private=True)
    for address in ("169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "240.0.0.1", "::ffff:169.254.169.254"):
        assert not may_connect(address, allow_private=True)


def test_one_bad_address_of_a_name_is_enough() -> None:
    def both(host: str, port: int) -> list[str]:
        return ["137.227.0.1", "10.0.0.1"]

    assert Fetcher(resolve=both).fetch("https://feed.example/").reason == "address-refused"
    assert Fetcher(resolve=lambda host, port: []).fetch("https://feed.example/").reason == "address-refused"


def test_the_address_checked_is_the_address_used(httpserver: HTTPServer) -> None:
    """A name that changes its mind after the check (rebinding) is asked once only."""
    httpserver.expect_request("/feed").respond_with_data("hello")
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    fetcher = Fetcher(FetchSettings(allow_private=True), resolve=resolve)
    fetched = fetcher.fetch(f"http://feed.example:{httpserver.port}/feed")
    assert (fetched.body, asked) == (b"hello", ["feed.example"])
    # the log may also hold a late request of an earlier test that gave up waiting
    assert f"feed.example:{httpserver.port}" in {request.headers["Host"] for request, _ in httpserver.log}


def test_an_unknown_name() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    fetched = Fetcher(resolve=unknown).fetch("https://feed.example/")
    assert (fetched.outcome, fetched.status) == (FetchOutcome.BROKEN, None)
    assert str(fetched.reason).startswith("network:")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme-refused"),
        ("ftp://example.org/", "scheme-refused"),
        ("gopher://127.0.0.1/", "scheme-refused"),
        ("/relative", "scheme-refused"),
        ("", "scheme-refused"),
        ("http://", "scheme-refused"),
        ("http://user:secret@example.org/", "credentials-in-url"),
        ("http://[::1", "bad-url"),
        ("http://example.org:99999999/", "bad-url"),
        ("http://\x00/", "bad-url"),
    ],
)
def test_urls_that_are_none(url: str, reason: str) -> None:
    fetched = Fetcher(resolve=lambda host, port: ["127.0.0.1"]).fetch(url)
    assert fetched.outcome is FetchOutcome.BROKEN
    assert str(fetched.reason).partition(":")[0] == reason


def test_nobody_listens(httpserver: HTTPServer) -> None:
    fetched = FETCHER.fetch("http://127.0.0.1:9/")
    assert str(fetched.reason).startswith("network: ConnectError")


# --- redirects ---


def redirect(httpserver: HTTPServer, path: str, to: str) -> None:
    httpserver.expect_request(path).respond_with_data("", status=302, headers={"Location": to})


def test_a_redirect_is_followed(httpserver: HTTPServer) -> None:
    redirect(httpserver, "/old", "/new")
    httpserver.expect_request("/new").respond_with_data("hello")
    fetched = FETCHER.fetch(httpserver.url_for("/old"))
    assert (fetched.body, fetched.url) == (b"hello", httpserver.url_for("/new"))


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "address-refused"),
        ("http://[::ffff:169.254.169.254]/", "address-refused"),
        ("file:///etc/passwd", "scheme-refused"),
        ("http://a:b@127.0.0.1/", "credentials-in-url"),
        ("/round", "too-many-redirects"),
        ("", "redirect-refused"),
    ],
)
def test_redirects_that_are_not_followed(httpserver: HTTPServer, to: str, reason: str) -> None:
    redirect(httpserver, "/feed", to)
    redirect(httpserver, "/round", "/feed")
    fetched = FETCHER.fetch(httpserver.url_for("/feed"))
    assert (fetched.outcome, fetched.reason, fetched.body) == (FetchOutcome.BROKEN, reason, b"")


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for feed.example, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "feed.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feed.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "feed.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/feed").respond_with_data("secret")
        yield server


@pytest.mark.parametrize(
    ("host", "trusted", "works"),
    [("feed.example", True, True), ("other.example", True, False), ("feed.example", False, False)],
)
def test_the_name_on_the_certificate_is_the_one_asked_for(
    tls_server: HTTPServer, certificate: Path, host: str, trusted: bool, works: bool
) -> None:
    context = ssl.create_default_context(cafile=str(certificate)) if trusted else ssl.create_default_context()
    fetcher = Fetcher(FetchSettings(allow_private=True), resolve=lambda host, port: ["127.0.0.1"], ssl_context=context)
    fetched = fetcher.fetch(f"https://{host}:{tls_server.port}/feed")
    assert fetched.body == (b"secret" if works else b"")
    assert ("CERTIFICATE_VERIFY_FAILED" in str(fetched.reason)) is not works


def test_https_does_not_lead_to_http(certificate: Path, httpserver: HTTPServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        redirect(server, "/feed", f"http://feed.example:{httpserver.port}/feed")
        trusting = ssl.create_default_context(cafile=str(certificate))
        fetcher = Fetcher(
            FetchSettings(allow_private=True), resolve=lambda host, port: ["127.0.0.1"], ssl_context=trusting
        )
        fetched = fetcher.fetch(f"https://feed.example:{server.port}/feed")
    assert fetched.reason == "redirect-refused"


def test_localhost_is_a_name_too(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed").respond_with_data("hello")
    assert ip_address(httpserver.host if httpserver.host != "localhost" else "127.0.0.1").is_loopback
    assert FETCHER.fetch(f"http://localhost:{httpserver.port}/feed").body == b"hello"
