"""Who polls: one process among many, the one that holds an advisory lock. It runs the schedule; the others wait.

The lock lives on a connection of its own, in autocommit, so that it goes with the process or with the connection,
and a successor takes it at its next try. Not through a transaction-pooling proxy.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

LOCK = "micic.scheduler"
TRY_EVERY_S = 2.0


@dataclass(frozen=True)
class Job:
    """What the leader runs every so many seconds, first `first_after_s` seconds after it took the lead."""

    run: Callable[[], None]
    every_s: int
    first_after_s: int = 0


class Leader:
    """Runs jobs on their cadences while this process holds the lock."""

    def __init__(self, engine: Engine, *, try_every_s: float = TRY_EVERY_S) -> None:
        self._engine, self._try_every_s = engine, try_every_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._scheduler: BackgroundScheduler | None = None

    @property
    def is_leading(self) -> bool:
        """Whether this process holds the lock now."""
        return self._connection is not None

    def start(self, jobs: Mapping[str, Job]) -> None:
        """Begin to try for the lock, in a thread of its own."""
        self._thread = threading.Thread(target=self._keep, args=(dict(jobs),), name="leader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the jobs and give the lock back. Waits for a running job."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self, jobs: dict[str, Job]) -> None:
        while not self._stopping.is_set():
            if self._holds() or self._take():
                if self._scheduler is None:
                    self._scheduler = _schedule(jobs)
            else:
                self._stand_down()
            self._stopping.wait(self._try_every_s)
        self._stand_down()

    def _holds(self) -> bool:
        """Whether the connection that holds the lock still lives."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("select 1"))
        except DBAPIError:
            log.warning("lost the scheduler's lock with its connection")
            self._let_go()
            return False
        return True

    def _take(self) -> bool:
        self._stand_down()
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if connection.execute(text("select pg_try_advisory_lock(hashtext(:lock))"), {"lock": LOCK}).scalar():
                log.info("leading: this process polls the feeds")
                self._connection = connection
                return True
            connection.close()
        except DBAPIError as error:
            log.warning("cannot try for the scheduler's lock: %s", type(error.orig).__name__)
        return False

    def _stand_down(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
        self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()


def _schedule(jobs: dict[str, Job]) -> BackgroundScheduler:
    """Each job on its cadence; a late one runs once, never twice at a time."""
    scheduler = BackgroundScheduler(timezone=UTC)
    for name, job in jobs.items():
        scheduler.add_job(
            job.run,
            "interval",
            seconds=job.every_s,
            id=name,
            next_run_time=datetime.now(UTC) + timedelta(seconds=job.first_after_s),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=job.every_s,
        )
    scheduler.start()
    return scheduler
