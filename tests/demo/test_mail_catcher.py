"""The catcher over real SMTP: its log is what the provider accepted, whatever the sender heard."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from micic.demo.mail_catcher import MailCatcher, MailLog, Moods

LINK = "http://127.0.0.1:8000/c/aB3-x?lang=fil&v=1"


def letter(number: int, language: str = "fil", to: str = "ana@mail.example") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<n{number}@registry.example>"
    message["From"], message["To"] = "no-reply@registry.example", f"Ana <{to}>"
    message["Subject"] = "Lindol: ligtas ka ba?"
    message.set_content(f"Kumusta. Sagutin: {LINK}.\nسلام\n")
    message.add_alternative(f'<p><a href="{LINK.replace("&", "&amp;")}">Sagutin</a></p>', subtype="html")
    message["Content-Language"] = language  # the makers of content would drop it
    return message


def send(catcher: MailCatcher, *messages: EmailMessage) -> list[int]:
    """The SMTP code of each, 0 when the provider hung up; a new connection each time."""
    codes = []
    for message in messages:
        try:
            with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as client:
                client.send_message(message)
            codes.append(250)
        except smtplib.SMTPResponseException as error:
            codes.append(max(error.smtp_code, 0))
        except (smtplib.SMTPServerDisconnected, ConnectionError):
            codes.append(0)
    return codes


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[MailCatcher]:
    with MailCatcher(tmp_path / "mail" / "log.jsonl") as running:
        yield running


def test_an_accepted_message_stands_in_the_log_before_250(catcher: MailCatcher) -> None:
    assert send(catcher, letter(1)) == [250]
    (caught,) = MailLog(catcher.log.path).messages()  # as another process would read it
    assert caught.message_id == "<n1@registry.example>"
    assert caught.recipients == caught.to == ("ana@mail.example",)
    assert (caught.cc, caught.bcc, caught.language) == ((), (), "fil")
    assert caught.subject == "Lindol: ligtas ka ba?"
    assert caught.size == len(caught.raw) > 200
    assert caught.accepted_at.tzinfo is not None


def test_the_letter_can_be_opened(catcher: MailCatcher) -> None:
    send(catcher, letter(1))
    (caught,) = catcher.messages()
    assert "سلام" in caught.text
    assert caught.html.startswith("<p>")
    assert caught.links() == (LINK,)


def test_it_is_asked_by_message_id_with_or_without_brackets(catcher: MailCatcher) -> None:
    send(catcher, letter(1), letter(1), letter(2))
    assert catcher.was_accepted("n1@registry.example")
    assert catcher.times_accepted("<n1@registry.example>") == 2
    assert not catcher.was_accepted("<n3@registry.example>")


def test_every_recipient_of_the_envelope_is_told(catcher: MailCatcher) -> None:
    """So that a test can see a letter sent to two people at once."""
    message = letter(1)
    message["Cc"], message["Bcc"] = "b@mail.example", "c@mail.example"
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as client:
        client.sendmail("x@registry.example", ["ana@mail.example", "d@mail.example"], message.as_bytes(policy=SMTP))
    (caught,) = catcher.messages()
    assert caught.recipients == ("ana@mail.example", "d@mail.example")
    assert (caught.cc, caught.bcc) == (("b@mail.example",), ("c@mail.example",))


def test_several_messages_in_one_connection(catcher: MailCatcher) -> None:
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as client:
        for number in range(50):
            client.send_message(letter(number))
    assert len({caught.message_id for caught in catcher.messages()}) == 50


def test_temporary_failures_keep_nothing_and_pass(tmp_path: Path) -> None:
    moods = Moods(temporary_failure=0.5, seed=4)
    letters = [letter(number) for number in range(30)]
    with MailCatcher(tmp_path / "log", moods=moods) as catcher:
        codes = send(catcher, *letters)
        assert 5 < codes.count(451) < 25
        assert set(codes) == {250, 451}
        assert len(catcher.messages()) == codes.count(250)
        for _ in range(20):
            letters = [one for one in letters if not catcher.was_accepted(one["Message-ID"])]
            send(catcher, *letters)
        assert not letters
        assert len(catcher.messages()) == 30
    with MailCatcher(tmp_path / "again", moods=moods) as twin:
        assert send(twin, *(letter(number) for number in range(30))) == codes


def test_silence_accepts_and_says_nothing(tmp_path: Path) -> None:
    """The uncertain case: the sender cannot know, the log does."""
    with MailCatcher(tmp_path / "log", moods=Moods(silence=1.0)) as catcher:
        assert send(catcher, letter(1)) == [0]
        assert catcher.was_accepted("<n1@registry.example>")


def test_it_goes_on_with_the_same_log(tmp_path: Path) -> None:
    catcher = MailCatcher(tmp_path / "log").start()
    send(catcher, letter(1))
    catcher.stop()
    catcher.stop()
    assert catcher.was_accepted("<n1@registry.example>")
    port = catcher.port
    with catcher:
        assert catcher.port == port
        send(catcher, letter(2))
    assert [m.message_id[1:3] for m in MailCatcher(tmp_path / "log").messages()] == ["n1", "n2"]


def test_a_torn_last_line_was_never_accepted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with MailCatcher(path) as catcher:
        send(catcher, letter(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(MailLog(path).messages()) == 1
    with MailCatcher(path) as catcher:
        send(catcher, letter(2))
        assert [m.message_id[1:3] for m in catcher.messages()] == ["n1", "n2"]


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert MailLog(tmp_path / "none").messages() == ()


def test_it_runs_as_a_process_and_survives_being_killed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    command = [sys.executable, "-m", "micic.demo.mail_catcher", "--log", str(path), "--port"]
    port = "0"
    for number, end in ((1, signal.SIGKILL), (2, signal.SIGTERM)):
        with subprocess.Popen([*command, port], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            url = urlsplit(process.stdout.readline().strip())
            assert url.scheme == "smtp"
            port = str(url.port)
            assert send(MailCatcher(path, int(port)), letter(number)) == [250]
            os.kill(process.pid, end)
            assert process.wait(5) == (-signal.SIGKILL if end == signal.SIGKILL else 0)
    assert len(MailCatcher(path).messages()) == 2


def test_it_keeps_pace_with_a_campaign(catcher: MailCatcher) -> None:
    began = time.monotonic()
    message = letter(1)
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as client:
        for _ in range(200):
            client.send_message(message)
    assert time.monotonic() - began < 5
    assert len(catcher.messages()) == 200
