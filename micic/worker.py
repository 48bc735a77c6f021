"""The worker: polls the feeds and drives the chain from what they said to the messages that are handed over.

Any number of workers may run. One of them, the leader by an advisory lock, polls; all of them drive the chain, whose
stages find their work in the database, lock it, do it and commit: a worker may be killed between any two statements.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from alerts.poll import Poller, Source, poll_source
from micic.clock import utc_now
from micic.exposure.stages import cross_all, cross_due_acts, cross_due_messages, take_up_moves, tick
from micic.leader import Job, Leader
from micic.lists.rules import DEFAULT_POLICY as DEFAULT_LIST_POLICY
from micic.lists.rules import ListPolicy
from micic.lists.service import freeze_due_lists
from micic.log import log_failure
from micic.notifications.campaigns import apply_due_rules
from micic.notifications.channels import Channel
from micic.notifications.dispatch import dispatch
from micic.notifications.reminders import remind_untold
from micic.notifications.replies import take_up_replies
from micic.posts.models import State
from micic.security.crypto import MasterKeys

log = logging.getLogger(__name__)

PAUSE_S = 0.5
PAUSE_AFTER_TROUBLE_S = 1.0
DISPATCH_LIMIT = 500
DISPATCH_BUDGET_S = 5.0  # a slow provider must not hold up the next crossing
DAY_S = 86_400


@dataclass(frozen=True)
class Work:
    """What a worker works with."""

    sessions: sessionmaker[Session]
    master: MasterKeys
    channel: Channel
    public_url: str
    sources: Sequence[Source]
    poller: Poller
    list_policy: ListPolicy = DEFAULT_LIST_POLICY
    now: Callable[[], datetime] = utc_now


@dataclass
class Round:
    """One walk round all States and stages: how much was done, by stage."""

    started_at: datetime
    done: dict[str, int] = field(default_factory=dict)
    failures: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to do, and nothing failed."""
        return not any(self.done.values()) and not self.failures


Stage = Callable[[Work, str], int]


def _cross_messages(work: Work, state: str) -> int:
    return cross_due_messages(work.sessions, state, now=work.now())


def _cross_acts(work: Work, state: str) -> int:
    return cross_due_acts(work.sessions, state, now=work.now())


def _take_up_moves(work: Work, state: str) -> int:
    return take_up_moves(work.sessions, state, now=work.now())


def _tick(work: Work, state: str) -> int:
    return tick(work.sessions, state, now=work.now())


def _freeze_lists(work: Work, state: str) -> int:
    return freeze_due_lists(work.sessions, work.master, state, now=work.now(), policy=work.list_policy)


def _apply_rules(work: Work, state: str) -> int:
    return apply_due_rules(work.sessions, work.master, state, now=work.now())


def _remind(work: Work, state: str) -> int:
    return remind_untold(work.sessions, work.master, state, now=work.now())


def _take_up_replies(work: Work, state: str) -> int:
    return take_up_replies(work.sessions, work.master, state, now=work.now())


def _dispatch(work: Work, state: str) -> int:
    done = dispatch(
        work.sessions,
        work.master,
        state,
        work.channel,
        work.public_url,
        now=work.now(),
        limit=DISPATCH_LIMIT,
        budget_s=DISPATCH_BUDGET_S,
    )
    return sum(done.outcomes.values()) + sum(done.swept.values())


STAGES: dict[str, Stage] = {
    "cross messages": _cross_messages,
    "cross acts": _cross_acts,
    "take up moves": _take_up_moves,
    "tick": _tick,
    "freeze lists": _freeze_lists,
    "apply rules": _apply_rules,
    "remind": _remind,
    "take up replies": _take_up_replies,
    "dispatch": _dispatch,
}
"""In the order of the chain: what one stage commits, the next finds."""


class Worker:
    """Drives the chain until told to stop. `report` hears of each stage that did something, and of each round."""

    def __init__(
        self,
        work: Work,
        leader: Leader,
        *,
        on_stage: Callable[[str, str, int], None] = lambda stage, state, done: None,
        on_round: Callable[[Round], None] = lambda round_: None,
    ) -> None:
        self._work, self._leader = work, leader
        self._on_stage, self._on_round = on_stage, on_round

    def run(self, stop: threading.Event) -> None:
        """Go round until `stop` is set. A database that is away is waited for."""
        jobs = {one.feed.name: Job(self._poll_job(one), one.feed.cadence_s) for one in self._work.sources}
        jobs["cross everything"] = Job(self._cross_everything, DAY_S, first_after_s=DAY_S)
        self._leader.start(jobs)
        try:
            while not stop.is_set():
                stop.wait(self._go_round())
        finally:
            self._leader.stop()

    def round(self) -> Round:
        """Every stage once for every registering State. Stage by stage: all States are crossed before the first
        writes its lists, all have their lists before the first one's mails go out.
        """
        walked = Round(self._work.now())
        states = self._states()
        for name, stage in STAGES.items():
            for state in states:
                done = self._attempt(walked, name, stage, state)
                walked.done[name] = walked.done.get(name, 0) + done
                if done:
                    self._on_stage(name, state, done)
        return walked

    def _attempt(self, walked: Round, name: str, stage: Stage, state: str) -> int:
        """One stage for one State. One that fails costs itself: later stages and other States go on. Only a database
        that is away ends the round.
        """
        try:
            return stage(self._work, state)
        except OperationalError:
            raise
        except Exception as error:
            log_failure(log, f"stage {name} for {state}", error)
            walked.failures += 1
            return 0

    def _go_round(self) -> float:
        """One round; the pause after it, in seconds."""
        try:
            walked = self.round()
        except DBAPIError as error:
            log.warning("the database does not answer: %s", type(error.orig).__name__)
            return PAUSE_AFTER_TROUBLE_S
        self._on_round(walked)
        if walked.failures:
            return PAUSE_AFTER_TROUBLE_S
        return PAUSE_S if walked.is_idle else 0.0

    def _states(self) -> Sequence[str]:
        with self._work.sessions() as session:
            return session.execute(select(State.code).where(State.is_registering).order_by(State.code)).scalars().all()

    def _cross_everything(self) -> None:
        """The nightly truth, for every State. It should change nothing: what it does change is logged as a fault."""
        for state in self._states():
            try:
                changed = cross_all(self._work.sessions, state, now=self._work.now())
            except Exception as error:
                log_failure(log, f"crossing of everything for {state}", error)
                continue
            if changed:
                log.warning("crossing everything changed %d exposures of %s that should have stood", changed, state)

    def _poll_job(self, source: Source) -> Callable[[], None]:
        def poll() -> None:
            began = time.monotonic()
            try:
                result = poll_source(source, self._work.poller)
            except DBAPIError as error:
                log.warning("poll of %s: the database does not answer: %s", source.feed.name, type(error.orig).__name__)
                return
            log.info("polled feed=%s outcome=%s new=%d s=%.2f", source.feed.name, result.outcome, result.changed,
                     time.monotonic() - began)  # fmt: skip
            if result.changed:
                self._on_stage("poll", source.feed.name, result.changed)

        return poll
