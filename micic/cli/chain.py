"""Commands along the chain: feeds polled and shown, events with their figures, the crossing, answers taken up."""

import json
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select, text

from alerts.feed import Document, Feed, ParsedMessage
from alerts.feeds.cap_single import CapSingleFeed
from alerts.feeds.usgs import DETAIL, UsgsFeed
from alerts.models import Feed as FeedRow
from alerts.models import FeedFetch, Quarantine
from alerts.poll import poll_source
from geo.database import read_statement
from micic.cli.rim import StateOption, as_worker, deployment_or_exit, fail, print_table
from micic.clock import utc_now
from micic.deployment import live_sources
from micic.exposure.service import cross_everything
from micic.exposure.stages import cross_due_acts, cross_due_messages, take_up_moves
from micic.notifications.replies import take_up_replies
from micic.registry.whereabouts import derive

feeds = typer.Typer(no_args_is_help=True, help="The alert feeds.")
events = typer.Typer(no_args_is_help=True, help="Events as a State sees them.")


@feeds.command("list")
def list_feeds() -> None:
    """Each feed's freshness, and its latest poll."""
    with deployment_or_exit() as deployment, deployment.sessions("micic_worker")() as session:
        rows = session.execute(select(FeedRow).order_by(FeedRow.name)).scalars().all()
        print_table(
            "Feeds",
            ("feed", "every", "last poll", "last success", "failures in a row"),
            [(row.name, f"{row.cadence_s} s", row.polled_at, row.succeeded_at, row.failures) for row in rows],
        )


@feeds.command("poll")
def poll(name: Annotated[str, typer.Argument(help="The feed, for example usgs.")]) -> None:
    """Poll one feed now."""
    with deployment_or_exit() as deployment:
        sources = {source.feed.name: source for source in live_sources()}
        if name not in sources:
            fail(f"there is no feed {name}; there are {', '.join(sources)}")
        result = poll_source(sources[name], deployment.poller())
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(result.counts.items()) if count)
        reason = f" ({result.reason})" if result.reason else ""
        sys.stdout.write(f"{name}: {result.outcome}{reason}; {counts or 'no items'}\n")


@feeds.command("quarantine")
def quarantine() -> None:
    """What could not be read, and why."""
    with deployment_or_exit() as deployment, deployment.sessions("micic_worker")() as session:
        rows = session.execute(select(Quarantine).order_by(Quarantine.seen_at.desc()).limit(100)).scalars().all()
        print_table(
            "Quarantine",
            ("seen", "feed", "item", "reason", "detail"),
            [(row.seen_at, row.feed, row.item, row.reason_code, row.detail) for row in rows],
        )


@feeds.command("fetches")
def fetches() -> None:
    """The last hundred polls."""
    with deployment_or_exit() as deployment, deployment.sessions("micic_worker")() as session:
        rows = session.execute(select(FeedFetch).order_by(FeedFetch.started_at.desc()).limit(100)).scalars().all()
        print_table(
            "Polls",
            ("began", "feed", "outcome", "created", "updated", "unchanged", "rejected", "reason"),
            [(r.started_at, r.feed, r.outcome, r.created, r.updated, r.unchanged, r.rejected, r.reason) for r in rows],
        )


@feeds.command("parse")
def parse(
    feed: Annotated[str, typer.Option(help="usgs (a detail document) or cap (one bare message).")],
    files: Annotated[list[Path], typer.Argument(help="Documents as received.")],
) -> None:
    """Read documents without storing anything: one JSON line for each message, refusal or wish for a further
    document. Needs no database.
    """
    readers: dict[str, tuple[Feed, str]] = {"usgs": (UsgsFeed(), DETAIL), "cap": (CapSingleFeed("cap", ""), "alert")}
    if feed not in readers:
        fail(f"no reader for {feed}; there are usgs and cap")
    reader, kind = readers[feed]
    for path in files:
        for item in reader.parse(Document(path.name, kind, path.read_bytes())):
            sys.stdout.write(json.dumps({"file": path.name, **_plain(item)}, ensure_ascii=False) + "\n")


def _plain(item: object) -> dict[str, object]:
    if isinstance(item, ParsedMessage):
        zones = [
            {
                "kind": zone.kind,
                "basis": zone.basis,
                "severity": zone.severity,
                "label": zone.label,
                "bounds": None if zone.area is None else [round(side, 4) for side in zone.area.bounds],
            }
            for zone in item.zones
        ]
        return {
            "message": item.native_id,
            "version": item.native_version,
            "kind": item.kind,
            "status": item.status,
            "test_suspected": item.test_suspected,
            "sent_at": item.sent_at.isoformat(),
            "title": item.title,
            "severity": item.severity,
            "zones": zones,
        }
    reason = getattr(item, "reason_code", None)
    if reason is not None:
        return {"rejected": reason, "detail": getattr(item, "detail", "")}
    return {"wants": getattr(item, "url", "")}


@events.command("list")
def list_events(state: StateOption) -> None:
    """Situations with the number of people inside and possibly inside."""
    with deployment_or_exit() as deployment, as_worker(deployment, state) as session:
        rows = session.execute(text(read_statement(__package__, "events.sql")), {"state": state}).all()
        columns = ("event", "title", "began", "inside", "possible", "worst", "closed")
        print_table("Situations", columns, [tuple(row) for row in rows])


@events.command("changes")
def changes(
    state: StateOption, event_id: Annotated[uuid.UUID, typer.Argument(help="The event, from `events list`.")]
) -> None:
    """What each crossing changed for an event, oldest first."""
    with deployment_or_exit() as deployment, as_worker(deployment, state) as session:
        rows = session.execute(
            text(read_statement(__package__, "changes.sql")), {"state": state, "event": event_id}
        ).all()
        print_table("Changes", ("at", "cause", "change", "persons"), [tuple(row) for row in rows])


def cross(
    state: StateOption,
    everything: Annotated[bool, typer.Option(help="Everybody with every zone, whatever was crossed before.")] = False,
) -> None:
    """Cross what is due; with --everything, make the nightly truth now."""
    with deployment_or_exit() as deployment:
        sessions = deployment.sessions("micic_worker")
        if everything:
            with as_worker(deployment, state) as session:
                derived = derive(session, state)
                result = cross_everything(session, state, now=utc_now())
            changed = 0 if result is None else result.changed
            sys.stdout.write(f"{state}: {derived.persons} persons crossed, {changed} exposures changed\n")
            return
        done = {
            "messages": cross_due_messages(sessions, state, now=utc_now()),
            "acts": cross_due_acts(sessions, state, now=utc_now()),
            "moves": take_up_moves(sessions, state, now=utc_now()),
        }
        sys.stdout.write(f"{state}: crossed " + ", ".join(f"{count} {name}" for name, count in done.items()) + "\n")


def take_up(state: StateOption) -> None:
    """Take up the answers that came in."""
    with deployment_or_exit() as deployment:
        done = take_up_replies(deployment.sessions("micic_worker"), deployment.master, state, now=utc_now())
        sys.stdout.write(f"{state}: {done} answers taken up\n")
