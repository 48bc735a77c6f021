"""The tests' own guard: no test reaches an address that is not this machine's."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.conftest import OutsideRefused


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_outside_address_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as outside, pytest.raises(OutsideRefused):
        outside.connect((host, 80))


def test_an_outside_name_is_not_even_looked_up() -> None:
    with pytest.raises(OutsideRefused):
        httpx.get("http://feeds.example.org/")


def test_this_machine_is_allowed() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
