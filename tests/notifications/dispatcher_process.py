"""A dispatcher in a process of its own, to be killed: `python -m tests.notifications.dispatcher_process URL SMTP LOG`.

Without LOG the provider cannot say what it accepted. Runs until nothing is due.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from geo.database import make_engine, make_session_factory
from micic.demo.mail_catcher import MailLog
from micic.notifications.dispatch import dispatch
from tests.notifications.world import MASTER, PUBLIC_URL, STATE, email_channel


def main(url: str, smtp: str, log: str = "") -> None:
    mail = MailLog(Path(log)) if log else None

    def accepted(message_id: str) -> bool:
        assert mail is not None
        return any(message.message_id == message_id for message in mail.messages())

    factory = make_session_factory(make_engine(url))
    channel = email_channel(smtp, accepted if log else None)
    while dispatch(factory, MASTER, STATE, channel, PUBLIC_URL, now=datetime.now(UTC)).outcomes:
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
