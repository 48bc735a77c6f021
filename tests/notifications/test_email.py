"""The e-mail channel against servers that misbehave."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from micic.notifications.channels import Outgoing
from micic.notifications.channels.email import EmailChannel
from micic.notifications.rules import Outcome
from tests.notifications.world import SENDER, email_channel


class _Server:
    """An SMTP server that answers what the test says."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[bytes] = []

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers.get("data") == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        self.taken.append(envelope.original_content or b"")
        return self.answers.get("data", "250 OK")


@contextmanager
def _running(server: _Server) -> Iterator[EmailChannel]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    channel = email_channel(f"smtp://127.0.0.1:{port}")
    try:
        yield channel
    finally:
        channel.close()
        controller.stop()


def _message(address: str = "a@one.example", **changes: Any) -> Outgoing:
    values = {"subject": "Read", "body": "Text\n", "language": "en", "sender_name": "Embassy", **changes}
    return Outgoing(uuid.UUID(int=7), address, at=datetime(2026, 3, 4, tzinfo=UTC), **values)


@pytest.mark.parametrize(
    ("answers", "outcome", "detail", "is_dead"),
    [
        ({}, Outcome.SENT, "250", False),
        ({"mail": "550 no"}, Outcome.UNAVAILABLE, "sender 550", False),
        ({"mail": "451 later"}, Outcome.UNAVAILABLE, "sender 451", False),
        ({"rcpt": "550 5.1.1 a@one.example unknown"}, Outcome.PERMANENT, "recipient 550 5.1.1", True),
        ({"rcpt": "552 5.2.2 full"}, Outcome.PERMANENT, "recipient 552 5.2.2", False),
        ({"rcpt": "450 4.2.1 greylisted"}, Outcome.TEMPORARY, "recipient 450 4.2.1", False),
        ({"data": "554 5.7.1 spam"}, Outcome.PERMANENT, "text 554 5.7.1", False),
        ({"data": "451 4.3.0 later"}, Outcome.TEMPORARY, "text 451 4.3.0", False),
        ({"data": "hang up"}, Outcome.UNCERTAIN, "connection lost after the text", False),
        ({"rcpt": "421 4.3.2 closing"}, Outcome.TEMPORARY, "recipient 421 4.3.2", False),
    ],
)
def test_answers_become_outcomes_without_the_providers_words(
    answers: dict[str, str], outcome: Outcome, detail: str, is_dead: bool
) -> None:
    with _running(server := _Server(**answers)) as channel:
        delivery = channel.send(_message())
        assert (delivery.outcome, delivery.detail, delivery.is_address_dead) == (outcome, detail, is_dead)
        server.answers = {}
        assert channel.send(_message()).outcome is Outcome.SENT


def test_nobody_there_is_unavailable() -> None:
    channel = email_channel("smtp://127.0.0.1:1")
    assert not channel.is_ready()
    assert channel.send(_message()).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "a@one.example, b@two.example",
        "a@one.example\nBcc: b@two.example",
        "<a@one.example>",
        "ä@one.example",
        "a b@one.example",
    ],
)
def test_whatever_is_not_one_plain_address_never_leaves(address: str) -> None:
    with _running(server := _Server()) as channel:
        delivery = channel.send(_message(address))
    assert (delivery.outcome, delivery.is_address_dead) == (Outcome.PERMANENT, True)
    assert server.taken == []


def test_a_subject_with_a_line_break_never_leaves() -> None:
    with _running(server := _Server()) as channel:
        assert channel.send(_message(subject="a\nBcc: b@two.example")).outcome is Outcome.PERMANENT
    assert server.taken == []


def test_headers_text_and_the_same_message_id_at_every_try() -> None:
    with _running(server := _Server()) as channel:
        for _ in range(2):
            channel.send(_message("a@ὑπ.example", body="مرحبا\n", language="ar", sender_name="Ambassade à Ankara"))
    assert server.taken[0] == server.taken[1]
    raw = server.taken[0].decode("ascii")
    assert f"Message-ID: <{uuid.UUID(int=7)}@crisis.example>" in raw
    assert "Content-Language: ar" in raw
    assert "Auto-Submitted: auto-generated" in raw
    assert 'charset="utf-8"' in raw
    assert SENDER in raw


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example"])
def test_a_wrong_address_of_the_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="MICIC_SMTP_URL"):
        email_channel(url)
    with pytest.raises(ValueError, match="MICIC_MAIL_FROM"):
        EmailChannel("smtp://127.0.0.1", "a@one.example, b@two.example")
