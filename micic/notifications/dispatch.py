"""The dispatcher: claims, lets go of the database, dials, records. At-least-once, with doubt written down.

Killed at any point it loses nothing: what it held becomes *uncertain* when the lease ends, and an uncertain message
is asked for at the provider before it is sent again, under the same Message-ID.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from micic.notifications.channels import Channel, Delivery, Outgoing
from micic.notifications.outbox import (
    LEASE,
    Claimed,
    Kept,
    Result,
    claim,
    has_due,
    keep_result,
    renew,
    sweep,
)
from micic.notifications.rules import Outcome, hold, may_resend, next_step
from micic.notifications.templates import answer_url, put_link
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.crypto import MasterKeys

LONGEST_TRY = timedelta(seconds=40)  # a channel's slowest try; no try begins with less of the lease left
RETRIES_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # of writing a result while the database restarts
# connection lost or refused; or a person erased between the look and the write
PASSING = (OperationalError, InterfaceError, IntegrityError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dispatched:
    """What one run did: how many messages by outcome, what the sweep put right, and whether the provider was there
    when there was something to send.
    """

    outcomes: dict[Outcome, int]
    swept: dict[str, int]
    is_provider_there: bool = True

    @property
    def handed_over(self) -> int:
        """Messages that the provider took in this run."""
        return self.outcomes.get(Outcome.SENT, 0)


def dispatch(
    session_factory: sessionmaker[Session],
    master: MasterKeys,
    state: str,
    channel: Channel,
    public_url: str,
    *,
    now: datetime,
    limit: int = 1_000,
    budget_s: float | None = None,
) -> Dispatched:
    """Hand over what is due of one State, at most `limit` messages, as the live worker. Commits by itself.

    After `budget_s` seconds no new lot is claimed: what is left is due in the next run.
    """
    dispatcher = Dispatcher(session_factory, master, state, channel, public_url, now=now)
    try:
        return dispatcher.run(limit, budget_s)
    finally:
        channel.close()


class Dispatcher:
    """One run for one State over one connection of one channel."""

    def __init__(
        self,
        session_factory: sessionmaker[Session],
        master: MasterKeys,
        state: str,
        channel: Channel,
        public_url: str,
        *,
        now: datetime,
    ) -> None:
        self._session_factory, self._master, self._state = session_factory, master, state
        self._channel, self._public_url = channel, public_url
        self._began_at, self._began = now, time.monotonic()
        self._counts: Counter[Outcome] = Counter()

    def run(self, limit: int, budget_s: float | None = None) -> Dispatched:
        """Claim and send until nothing is due, limit or budget (seconds) is reached, or the provider is away."""
        swept = Counter(self._sweep())
        if not self._has_due():
            return Dispatched({}, dict(swept))
        if not self._channel.is_ready():
            return Dispatched({}, dict(swept), is_provider_there=False)
        while self._counts.total() < limit and self._is_within(budget_s) and self._lot():
            pass
        swept.update(self._sweep())
        return Dispatched(dict(self._counts), dict(swept), Outcome.UNAVAILABLE not in self._counts)

    def _is_within(self, budget_s: float | None) -> bool:
        return budget_s is None or time.monotonic() - self._began < budget_s

    def _sweep(self) -> dict[str, int]:
        with self._transaction() as session:
            return sweep(session, self._state, now=self._now())

    def _has_due(self) -> bool:
        with self._transaction() as session:
            return has_due(session, self._state, self._channel.name)

    def _lot(self) -> bool:
        """One claimed lot; whether it makes sense to go on."""
        lease_from = time.monotonic()
        with self._transaction() as session:
            vault = Vault(session, self._master, self._state)
            waiting = deque(claim(session, vault, self._state, self._channel.name, now=self._now()))
        if not waiting:
            return False
        is_away = False
        while waiting:
            if time.monotonic() - lease_from > (LEASE - LONGEST_TRY).total_seconds():
                lease_from = time.monotonic()
                waiting = self._renewed(waiting)
            if not waiting:
                break
            claimed = waiting.popleft()
            result = self._released(claimed) if is_away else self._handle(claimed)
            is_away = is_away or result.outcome is Outcome.UNAVAILABLE
            kept = self._keep(result)
            if kept.campaign_status != "sending":
                self._release(waiting, claimed)
        return not is_away

    def _renewed(self, waiting: deque[Claimed]) -> deque[Claimed]:
        with self._transaction() as session:
            ours = renew(session, self._state, waiting)
        return deque(claimed for claimed in waiting if claimed.notification_id in ours)

    def _release(self, waiting: deque[Claimed], stopped: Claimed) -> None:
        """Give back what belongs to a campaign that was stopped or paused meanwhile."""
        for claimed in [one for one in waiting if one.campaign_id == stopped.campaign_id]:
            waiting.remove(claimed)
            self._keep(self._released(claimed))

    # --- one message ---

    def _handle(self, claimed: Claimed) -> Result:
        if claimed.prior == "uncertain":
            accepted = self._ask(claimed)
            if accepted:
                return self._result(claimed, Outcome.ACCEPTED_BEFORE, "provider has it")
            if not may_resend(accepted, claimed.doubts, claimed.life_safety) or self._is_expired(claimed):
                return self._doubted(claimed, accepted)
        if self._is_expired(claimed):
            return self._result(claimed, Outcome.EXPIRED)
        if claimed.sealed is None:
            return self._result(claimed, Outcome.PERMANENT, "key destroyed or text unreadable")
        return self._delivered(claimed, self._send(claimed))

    def _ask(self, claimed: Claimed) -> bool | None:
        try:
            return self._channel.was_accepted(claimed.notification_id)
        except Exception as error:
            logger.warning("asking for %s failed: %s", claimed.notification_id, type(error).__name__)
            return None

    def _doubted(self, claimed: Claimed, accepted: bool | None) -> Result:
        """An uncertain message that is not sent again: expired for certain, or held for a person to decide."""
        if accepted is False and self._is_expired(claimed):
            return self._result(claimed, Outcome.EXPIRED)
        return Result(claimed, Outcome.HELD, hold("not known whether it arrived"))

    def _send(self, claimed: Claimed) -> Delivery:
        assert claimed.sealed is not None
        link = answer_url(self._public_url, self._master.link_token(self._state, claimed.notification_id))
        message = Outgoing(
            claimed.notification_id,
            claimed.sealed.address,
            claimed.sealed.subject,
            put_link(claimed.sealed.body, link),
            claimed.language,
            claimed.sealed.sender_name,
            self._now(),
        )
        try:
            return self._channel.send(message)
        except Exception as error:  # a fault of ours with this one message: its neighbours go on
            logger.error("sending %s failed: %s", claimed.notification_id, type(error).__name__)
            return Delivery(Outcome.TEMPORARY, type(error).__name__)

    def _delivered(self, claimed: Claimed, delivery: Delivery) -> Result:
        step = next_step(delivery.outcome, claimed.tries + 1, claimed.prior, delivery.detail[:60] or None)
        return Result(
            claimed,
            delivery.outcome,
            step,
            delivery.detail,
            delivery.provider_reference,
            delivery.is_address_dead,
        )

    def _result(self, claimed: Claimed, outcome: Outcome, detail: str = "") -> Result:
        return Result(claimed, outcome, next_step(outcome, claimed.tries + 1, claimed.prior, detail or None), detail)

    def _released(self, claimed: Claimed) -> Result:
        return self._result(claimed, Outcome.RELEASED)

    def _is_expired(self, claimed: Claimed) -> bool:
        return claimed.expires_at <= self._now()

    # --- the rim ---

    def _keep(self, result: Result) -> Kept:
        """Write the result down, also across a restart of the database: a lost result is a doubt."""
        for pause in (*RETRIES_S, None):
            try:
                with self._transaction() as session:
                    kept = keep_result(session, self._state, result, now=self._now())
                break
            except DBAPIError as error:
                if pause is None or not (error.connection_invalidated or isinstance(error, PASSING)):
                    raise
                time.sleep(pause)
        self._counts[result.outcome] += 1
        return kept

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._session_factory.begin() as session:
            set_context(session, Context(self._state))
            yield session

    def _now(self) -> datetime:
        """The caller's instant, moved on by what this run has taken: a run may outlive a message."""
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)
