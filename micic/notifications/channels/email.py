"""E-mail by SMTP: one envelope, one recipient, one connection kept for a run. May import smtplib, not a database.

The Message-ID comes from the notification's id, so that a repeated try is recognisable to provider and reader.
"""

import re
import smtplib
import ssl
import uuid
from collections.abc import Callable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from micic.notifications.channels import Delivery, Outcome, Outgoing

TIMEOUT_S = 5.0  # per step of the dialogue: a whole try stays well inside the lease
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
SEVEN_BIT = SMTP.clone(cte_type="7bit")

_ONE_ADDRESS = re.compile(r'[^\s@,;:<>()"\[\]\\]+@[^\s@,;:<>()"\[\]\\]+')
_ENHANCED_CODE = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 3463
_NO_SUCH_ADDRESS = (550, 551, 553)
_LOST = (smtplib.SMTPServerDisconnected, OSError)


class _Refused(Exception):
    """The provider answered a step with something else than yes."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        super().__init__(delivery.detail)


class EmailChannel:
    """Hands messages to one SMTP server. `url`: smtp://, smtp+starttls:// or smtps://user:password@host:port.

    `accepted` asks the provider whether it took a Message-ID; plain SMTP cannot say, the demo's catcher can.
    """

    name = "email"

    def __init__(self, url: str, sender: str, *, accepted: Callable[[str], bool | None] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("MICIC_SMTP_URL is smtp://, smtp+starttls:// or smtps:// with a host")
        if not _ONE_ADDRESS.fullmatch(sender):
            raise ValueError("MICIC_MAIL_FROM is one plain address")
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._accepted = accepted
        self._client: smtplib.SMTP | None = None

    def message_id(self, notification_id: uuid.UUID) -> str:
        """The Message-ID of a notification: the same at every try."""
        return f"<{notification_id}@{self._domain}>"

    def was_accepted(self, notification_id: uuid.UUID) -> bool | None:
        """The provider's word on an earlier try; None when it cannot say."""
        return None if self._accepted is None else self._accepted(self.message_id(notification_id))

    def is_ready(self) -> bool:
        """Whether the server can be reached and signs us in."""
        try:
            self._client = self._client or self._connect()
        except (smtplib.SMTPException, OSError):
            return False
        return True

    def send(self, message: Outgoing) -> Delivery:
        """One dialogue for one recipient; see the module `rules` for what follows each outcome."""
        try:
            composed, recipient = self.compose(message), _ascii(message.address)
        except (ValueError, IndexError):  # UnicodeError is a ValueError
            return Delivery(Outcome.PERMANENT, "address not usable", is_address_dead=True)
        try:
            client = self._begin()
            self._name_recipient(client, recipient)
            return self._hand_over(client, message, composed)
        except _Refused as refused:
            return refused.delivery

    def compose(self, message: Outgoing) -> EmailMessage:
        """The message with its headers. Raises ValueError when the address is not one plain address."""
        if not _ONE_ADDRESS.fullmatch(message.address):
            raise ValueError("not one plain address")
        mail = EmailMessage(policy=SEVEN_BIT)
        mail["From"] = Address(message.sender_name, addr_spec=self._sender)
        mail["To"] = Address(addr_spec=message.address)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = self.message_id(message.notification_id)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(message.body, charset="utf-8")
        mail["Content-Language"] = message.language  # after the content: setting that clears all Content-* fields
        return mail

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    # --- the dialogue ---

    def _begin(self) -> smtplib.SMTP:
        """A connection with MAIL FROM accepted. One that was kept may have been closed meanwhile: then once anew."""
        for is_kept in (self._client is not None, False):
            try:
                client = self._client or self._connect()
                self._client = client
                code, reply = client.mail(self._sender)
            except smtplib.SMTPAuthenticationError as error:
                self._drop()
                raise _Refused(_delivery(Outcome.UNAVAILABLE, "sign-in", error.smtp_code)) from error
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                if is_kept:
                    continue
                raise _Refused(Delivery(Outcome.UNAVAILABLE, "no connection")) from error
            if code == 250:
                return client
            self._drop()
            if not is_kept:
                raise _Refused(_delivery(Outcome.UNAVAILABLE, "sender", code, reply))
        raise AssertionError("unreachable")

    def _name_recipient(self, client: smtplib.SMTP, address: str) -> None:
        try:
            code, reply = client.rcpt(address)
        except _LOST as error:
            self._drop()
            raise _Refused(Delivery(Outcome.TEMPORARY, "connection lost at recipient")) from error
        if code in (250, 251):
            return
        self._reset(client, code)
        outcome = Outcome.TEMPORARY if code < 500 else Outcome.PERMANENT
        raise _Refused(_delivery(outcome, "recipient", code, reply, is_address_dead=code in _NO_SUCH_ADDRESS))

    def _hand_over(self, client: smtplib.SMTP, message: Outgoing, composed: EmailMessage) -> Delivery:
        try:
            code, reply = client.data(composed.as_bytes())
        except smtplib.SMTPDataError as error:  # refused before a byte of it was sent
            code, reply = error.smtp_code, _bytes(error.smtp_error)
        except _LOST:
            self._drop()
            return Delivery(Outcome.UNCERTAIN, "connection lost after the text")
        if code == 250:
            return Delivery(Outcome.SENT, "250", self.message_id(message.notification_id))
        self._reset(client, code)
        return _delivery(Outcome.TEMPORARY if code < 500 else Outcome.PERMANENT, "text", code, reply)

    def _connect(self) -> smtplib.SMTP:
        # The name said in EHLO is given: asking for this machine's own would query a name server.
        if self._scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, self._domain, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            client = smtplib.SMTP(self._host, self._port, self._domain, timeout=TIMEOUT_S)
        try:
            if self._scheme == "smtp+starttls":
                client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
            if self._user:
                client.login(self._user, self._password)
        except BaseException:
            client.close()
            raise
        return client

    def _reset(self, client: smtplib.SMTP, code: int) -> None:
        """Make the connection ready for the next message; 421 says that the server is leaving."""
        try:
            if code == 421:
                raise smtplib.SMTPServerDisconnected
            client.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _ascii(address: str) -> str:
    """The address as plain SMTP carries it: the domain in IDNA. Raises UnicodeError for a local part beyond ASCII."""
    local, _, domain = address.rpartition("@")
    return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"


def _bytes(reply: bytes | str) -> bytes:
    return reply.encode() if isinstance(reply, str) else reply


def _delivery(outcome: Outcome, step: str, code: int, reply: bytes = b"", *, is_address_dead: bool = False) -> Delivery:
    found = _ENHANCED_CODE.match(reply)
    enhanced = f" {found.group(1).decode()}" if found else ""
    return Delivery(outcome, f"{step} {code}{enhanced}", is_address_dead=is_address_dead)
