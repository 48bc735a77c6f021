"""One poll of one feed: fetch, parse, gate, store, and one row that says what came of it.

No transaction is open while a document is fetched. Each item is stored in a transaction of its own: one bad item
costs one item. A failed or implausibly small poll changes nothing: silence never ends an alert.
"""

import logging
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from alerts.feed import Document, Feed, FollowUp, Parsed, ParsedMessage, ReasonCode, Rejected, wanted
from alerts.fetch import Fetched, Fetcher
from alerts.gate import Policy
from alerts.models import Feed as FeedRow
from alerts.models import FeedFetch, Message
from alerts.store import CountriesTouching, Outcome, is_known, keep_raw, store_message, store_rejected

log = logging.getLogger(__name__)

MAX_DOCUMENTS = 2_000
"""How many documents one poll may fetch: a feed that asks for more is broken."""

MENTIONED_FOR = timedelta(days=7)
"""For how long a feed that can be asked anew mentions an event: the window of its summary."""


@dataclass(frozen=True)
class Source:
    """A feed and how its messages are judged."""

    feed: Feed
    policy: Policy


@dataclass(frozen=True)
class Poller:
    """What a poll needs beside its source."""

    sessions: sessionmaker[Session]
    fetcher: Fetcher
    countries_touching: CountriesTouching
    make_id: Callable[[], uuid.UUID]
    now: Callable[[], datetime]


@dataclass
class PollResult:
    """What came of one poll."""

    outcome: str
    reason: str | None = None
    counts: Counter[Outcome] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        """How many versions were new."""
        return self.counts[Outcome.CREATED] + self.counts[Outcome.UPDATED]


@dataclass(frozen=True)
class _Wish:
    """A document still to be fetched, and the bytes that led to it."""

    follow_up: FollowUp
    raw: tuple[bytes, ...] = ()


def poll_source(source: Source, poller: Poller) -> PollResult:
    """Poll once. Never raises for what a feed says or fails to say."""
    feed = source.feed
    started_at = poller.now()
    row = _ensure_row(feed, poller)
    first = poller.fetcher.fetch(feed.url, etag=row.etag, last_modified=row.last_modified)
    result = _take_in(source, poller, first)
    _record(feed, poller, first, result, started_at)
    return result


def _take_in(source: Source, poller: Poller, first: Fetched) -> PollResult:
    feed = source.feed
    if first.outcome == "unchanged":
        return _follow(source, poller, PollResult("unchanged"), deque(_rechecks(feed, poller, set())))
    if first.outcome != "ok":
        return PollResult("broken" if first.outcome == "broken" else "empty", first.reason)
    start = feed.start()
    digest, parsed = _read(feed, poller, start, first)
    if len(parsed) < feed.floor or any(isinstance(item, Rejected) and item.whole_document for item in parsed):
        result = PollResult("broken", f"{len(parsed)} items, at least {feed.floor} are plausible")
        _keep_refusals(feed, poller, parsed, result)
        return result
    result = PollResult("ok")
    wishes = deque(_sort_out(source, poller, parsed, (digest,), result))
    seen = {item.native_id for item in parsed if isinstance(item, FollowUp | ParsedMessage) and item.native_id}
    wishes.extend(_rechecks(feed, poller, seen))
    return _follow(source, poller, result, wishes)


def _follow(source: Source, poller: Poller, result: PollResult, wishes: deque[_Wish]) -> PollResult:
    for _ in range(MAX_DOCUMENTS):
        if not wishes:
            return result
        wish = wishes.popleft()
        fetched = poller.fetcher.fetch(wish.follow_up.url)
        if fetched.outcome != "ok":
            result.outcome, result.reason = "partial", fetched.reason
            if wish.follow_up.fallback is not None:
                _store(source, poller, wish.follow_up.fallback, wish.raw, result)
            continue
        digest, parsed = _read(source.feed, poller, wish.follow_up, fetched)
        wishes.extend(_sort_out(source, poller, parsed, (*wish.raw, digest), result))
    result.outcome, result.reason = "partial", f"more than {MAX_DOCUMENTS} documents"
    return result


def _read(feed: Feed, poller: Poller, follow_up: FollowUp, fetched: Fetched) -> tuple[bytes, list[Parsed]]:
    with poller.sessions.begin() as session:
        digest = keep_raw(session, follow_up.url, fetched.body, fetched.content_type, now=poller.now())
    document = Document(follow_up.url, follow_up.kind, fetched.body, fetched.content_type, follow_up.context)
    return digest, list(feed.parse(document))


def _sort_out(
    source: Source, poller: Poller, parsed: list[Parsed], raw: tuple[bytes, ...], result: PollResult
) -> list[_Wish]:
    """Store messages and refusals; what is still to be fetched, without the versions that are known."""
    with poller.sessions() as session:

        def known(native_id: str, native_version: str) -> bool:
            return is_known(session, source.feed.name, native_id, native_version)

        pending = [item for item in parsed if wanted(item, known)]
    result.counts[Outcome.UNCHANGED] += len(parsed) - len(pending)
    wishes = []
    for item in pending:
        if isinstance(item, FollowUp):
            wishes.append(_Wish(item, raw))
        elif isinstance(item, ParsedMessage):
            _store(source, poller, item, raw, result)
    _keep_refusals(source.feed, poller, pending, result)
    return wishes


def _store(source: Source, poller: Poller, message: ParsedMessage, raw: tuple[bytes, ...], result: PollResult) -> None:
    try:
        with poller.sessions.begin() as session:
            stored = store_message(
                session,
                message,
                raw,
                policy=source.policy,
                countries_touching=poller.countries_touching,
                make_id=poller.make_id,
                now=poller.now(),
            )
        result.counts[stored.outcome] += 1
    except OperationalError:
        raise
    except Exception as error:
        log.error(
            "the store refused an item: feed=%s item=%s: %s", message.feed, message.native_id, type(error).__name__
        )
        _keep_refusals(source.feed, poller, [_refused(message, error, raw)], result)
        result.outcome, result.reason = "partial", f"an item was refused: {type(error).__name__}"


def _refused(message: ParsedMessage, error: Exception, raw: tuple[bytes, ...]) -> Rejected:
    """An item that could be read and not be kept, for the quarantine."""
    detail = f"could not be stored: {type(error).__name__}"
    return Rejected(ReasonCode.BAD_VALUE, detail, (raw[-1] if raw else b"").hex(), message.native_id)


def _keep_refusals(feed: Feed, poller: Poller, parsed: list[Parsed], result: PollResult) -> None:
    refusals = [item for item in parsed if isinstance(item, Rejected)]
    for refusal in refusals:
        with poller.sessions.begin() as session:
            store_rejected(session, feed.name, refusal, new_id=poller.make_id(), now=poller.now())
    result.counts[Outcome.REJECTED] += len(refusals)


def _rechecks(feed: Feed, poller: Poller, seen: set[str]) -> list[_Wish]:
    """Ask anew about the young messages in force that the feed no longer mentions, where it can be asked: one that
    has vanished may have been deleted, and only its own page says so. Older ones leave the feed by age.
    """
    recheck = getattr(feed, "recheck", None)
    if recheck is None or not seen:
        return []
    with poller.sessions() as session:
        in_force = session.execute(
            select(Message.native_id)
            .where(
                Message.feed == feed.name,
                Message.ended_at.is_(None),
                Message.kind.not_in(("cancel", "all_clear")),
                Message.verdict == "accepted",
                Message.event_at > poller.now() - MENTIONED_FOR,
            )
            .distinct()
        ).scalars()
        return [_Wish(recheck(native_id)) for native_id in in_force if native_id not in seen]


def _ensure_row(feed: Feed, poller: Poller) -> FeedRow:
    with poller.sessions.begin() as session:
        row = session.get(FeedRow, feed.name)
        if row is None:
            row = FeedRow(name=feed.name, url=feed.url, cadence_s=feed.cadence_s, enabled=True, failures=0)
            session.add(row)
        elif row.url != feed.url:
            row.url, row.etag, row.last_modified = feed.url, None, None
        row.cadence_s = feed.cadence_s
        return row


def _record(feed: Feed, poller: Poller, first: Fetched, result: PollResult, started_at: datetime) -> None:
    """One row per poll. The validators are kept only of a poll that was taken in whole, so that a part that
    failed is asked for again.
    """
    ended_at = poller.now()
    with poller.sessions.begin() as session:
        row = session.get_one(FeedRow, feed.name)
        row.polled_at = ended_at
        if result.outcome in ("ok", "unchanged"):
            row.succeeded_at, row.failures = ended_at, 0
            if first.outcome == "ok":
                row.etag, row.last_modified = first.etag, first.last_modified
        else:
            row.failures += 1
            row.etag = row.last_modified = None
        session.add(
            FeedFetch(
                fetch_id=poller.make_id(),
                feed=feed.name,
                url=feed.url,
                started_at=started_at,
                ended_at=ended_at,
                outcome=result.outcome,
                status=first.status,
                reason=result.reason,
                created=result.counts[Outcome.CREATED],
                updated=result.counts[Outcome.UPDATED],
                unchanged=result.counts[Outcome.UNCHANGED],
                rejected=result.counts[Outcome.REJECTED],
            )
        )
