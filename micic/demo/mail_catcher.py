"""A local mail provider for demo and tests: it delivers nowhere and keeps a log that is the provider's truth.

A message stands in the log, on the disk, before its 250 is said. Loopback only. Run alone: `python -m
micic.demo.mail_catcher --port N --log PATH`. Imports nothing of ours.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default as default_policy
from email.utils import getaddresses
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
LARGEST_BYTES = 10_000_000
_LINK = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True)
class Moods:
    """How the provider misbehaves, as shares of the attempts; which ones, seed and message decide.

    temporary_failure: answers 451 and keeps nothing. silence: keeps the message, then hangs up unsaid.
    """

    temporary_failure: float = 0.0
    silence: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class CaughtMessage:
    """One accepted envelope. `recipients` are those of the envelope, to/cc/bcc those of the headers."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    language: str  # Content-Language of the message or its first part that has one, "" if not said
    subject: str
    size: int  # bytes
    accepted_at: datetime
    raw: bytes

    @property
    def text(self) -> str:
        """The plain text, or "" when there is none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def links(self) -> tuple[str, ...]:
        """The web addresses in text and HTML, each once, in order."""
        found = _LINK.findall(f"{self.text}\n{self.html}")
        return tuple(dict.fromkeys(link.rstrip(".,;:)").replace("&amp;", "&") for link in found))

    def _body(self, kind: str) -> str:
        message = message_from_bytes(self.raw, _class=EmailMessage, policy=default_policy)
        part = message.get_body((kind,))
        return str(part.get_content()) if part else ""


class MailLog:
    """The file of accepted envelopes, one JSON object a line; readers in other processes see it grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._caught: list[CaughtMessage] = []
        self._counts: Counter[str] = Counter()
        self._read_to = 0
        self._lock = threading.Lock()

    def mend(self) -> None:
        """Cuts off the torn last line of a killed writer: that message was never confirmed to its sender."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)

    def append(self, record: dict[str, Any]) -> None:
        """On the disk when this returns. Raises OSError."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with self._lock, self.path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def messages(self) -> tuple[CaughtMessage, ...]:
        """All that were accepted, in order; a message accepted twice is there twice."""
        with self._lock:
            self._catch_up()
            return tuple(self._caught)

    def times_accepted(self, message_id: str) -> int:
        """Of a Message-ID with or without its brackets."""
        with self._lock:
            self._catch_up()
            return self._counts[message_id.strip().strip("<>")]

    def _catch_up(self) -> None:
        """Reads the whole lines that came since; the torn one of a writer at work waits for the next time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        caught = [_caught(json.loads(line)) for line in whole.splitlines()]
        self._caught += caught
        self._counts.update(message.message_id.strip("<>") for message in caught)
        self._read_to += len(whole)


def _record(sender: str, recipients: list[str], raw: bytes) -> dict[str, Any]:
    message = message_from_bytes(raw)  # the old policy: five times as fast, and headers are all we need
    return {
        "message_id": str(message.get("Message-ID", "")).strip(),
        "sender": sender,
        "recipients": recipients,
        **{name: [at for _, at in getaddresses(message.get_all(name, []))] for name in ("to", "cc", "bcc")},
        "language": next((str(part["Content-Language"]) for part in message.walk() if part["Content-Language"]), ""),
        "subject": str(make_header(decode_header(message.get("Subject", "")))),
        "size": len(raw),
        "accepted_at": datetime.now(UTC).isoformat(),
        "raw": base64.b64encode(raw).decode(),
    }


def _caught(record: dict[str, Any]) -> CaughtMessage:
    lists = {name: tuple(record[name]) for name in ("recipients", "to", "cc", "bcc")}
    times = {"accepted_at": datetime.fromisoformat(record["accepted_at"])}
    return CaughtMessage(**{**record, **lists, **times, "raw": base64.b64decode(record["raw"])})


class _Handler:
    """What the provider does with a message; runs in the loop of the server."""

    def __init__(self, log: MailLog, moods: Moods) -> None:
        self._log = log
        self._moods = moods
        self._attempts: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd)
        record = _record(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        message_id = str(record["message_id"])
        self._attempts[message_id] += 1
        if self._draws("temporary", message_id) < self._moods.temporary_failure:
            return "451 4.3.0 Try again later"
        self._log.append(record)
        silent = self._draws("silence", message_id) < self._moods.silence
        if silent and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
            await asyncio.sleep(60)  # the loss of the connection cancels this
        return "250 2.0.0 Accepted"

    def _draws(self, what: str, message_id: str) -> float:
        """In [0, 1): the same for the same attempt at the same message, in whatever order they come."""
        words = f"{self._moods.seed} {what} {message_id} {self._attempts[message_id]}"
        return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8]) / 2**64


class MailCatcher:
    """The provider in a thread of its own. Started again, with the same path, it goes on with the same log.

    The questions can be asked without starting it: then of the log of a catcher in another process.
    """

    def __init__(self, path: Path, port: int = 0, moods: Moods | None = None) -> None:
        self.port = port
        self.log = MailLog(path)
        self._handler = _Handler(self.log, moods or Moods())
        self._running: tuple[asyncio.AbstractEventLoop, threading.Thread, asyncio.Server] | None = None

    @property
    def url(self) -> str:
        """For MICIC_SMTP_URL."""
        return f"smtp://{HOST}:{self.port}"

    def start(self) -> Self:
        """Raises OSError when the port is taken."""
        self.log.mend()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="mail-catcher", daemon=True)
        listener = loop.run_until_complete(self._listen(loop))
        self.port = listener.sockets[0].getsockname()[1]
        thread.start()
        self._running = loop, thread, listener
        return self

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> asyncio.Server:
        def protocol() -> SMTP:
            return SMTP(self._handler, data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True, loop=loop)

        return await loop.create_server(protocol, HOST, self.port)

    def stop(self) -> None:
        """Hangs up on whoever is connected. Harmless when not started."""
        if self._running:
            loop, thread, listener = self._running
            self._running = None
            asyncio.run_coroutine_threadsafe(_hang_up(listener), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def messages(self) -> tuple[CaughtMessage, ...]:
        """All that were accepted, in order; one accepted twice is there twice."""
        return self.log.messages()

    def was_accepted(self, message_id: str) -> bool:
        """Whether the provider took a message of this Message-ID, whatever its sender was told."""
        return self.times_accepted(message_id) > 0

    def times_accepted(self, message_id: str) -> int:
        return self.log.times_accepted(message_id)


async def _hang_up(listener: asyncio.Server) -> None:
    listener.close()
    talking = asyncio.all_tasks() - {asyncio.current_task()}
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    await asyncio.sleep(0.01)  # lets the closed connections go


def main(arguments: list[str] | None = None) -> None:
    """Catches until SIGTERM or SIGINT; writes its address to standard output once it listens."""
    parser = argparse.ArgumentParser(description="A local mail provider that delivers nowhere.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--temporary-failure", type=float, default=0.0, help="share of 451 answers")
    parser.add_argument("--silence", type=float, default=0.0, help="share kept, but never answered")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    moods, over = Moods(options.temporary_failure, options.silence, options.seed), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with MailCatcher(options.log, options.port, moods) as catcher:
        sys.stdout.write(f"{catcher.url}\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()
