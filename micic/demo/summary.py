"""What the played crisis came to: one JSON object, read off the database and the provider's own log."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from geo.database import read_statement
from micic.demo.mail_catcher import MailCatcher
from micic.security.context import Context, set_context

EMPTY = ("inside", "possible")


def read_state(sessions: sessionmaker[Session], state: str, at: datetime) -> dict[str, Any]:
    """The figures of one State."""
    with sessions() as session:
        set_context(session, Context(state))
        statement = text(read_statement(__package__, "summary.sql"))
        found: dict[str, Any] = session.execute(statement, {"state": state, "at": at}).scalar_one()
        return found


def read_alerts(sessions: sessionmaker[Session]) -> dict[str, Any]:
    """Messages by feed and verdict, refusals by reason, events by lifecycle, zones by kind."""
    counts = {
        "messages": "select feed || ' ' || verdict, count(*) from message group by 1 order by 1",
        "quarantine": "select reason_code, count(*) from quarantine group by 1 order by 1",
        "events": "select lifecycle, count(*) from event group by 1 order by 1",
        "zones": "select kind, count(*) from zone group by 1 order by 1",
    }
    with sessions() as session:
        return {name: dict(map(tuple, session.execute(text(query)))) for name, query in counts.items()}


def read_mail(catcher: MailCatcher) -> dict[str, int]:
    """What the provider says: mails accepted, distinct ones, and the most recipients of one envelope."""
    messages = catcher.messages()
    return {
        "accepted": len(messages),
        "distinct": len({message.message_id for message in messages}),
        "most_recipients_of_one_envelope": max((len(message.recipients) for message in messages), default=0),
    }


def comparable(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary without what differs between two plays of one script: seconds, hashes, restarts, mails sent
    again under the same Message-ID after a doubt, and the order of equals on a list, which is drawn by a lot that the
    event's random id seeds. A version that differs from the one before in nothing but that order does not count.
    """
    plain = json.loads(json.dumps(summary))
    for name in ("seconds", "worker_starts", "database_restarts", "started_at"):
        plain.pop(name, None)
    plain["mail"].pop("accepted", None)
    plain["lists"] = [
        {name: value for name, value in entry.items() if name not in ("sha256", "version")}
        for entry in plain["lists"]
        if entry["version"] == 1 or _tells_something(entry["changes"])
    ]
    return dict(plain)


def _tells_something(changes: dict[str, Any]) -> bool:
    return bool(changes["new"] or changes["changed"] or changes["departed"])
