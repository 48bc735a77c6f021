"""Dispatchers killed with SIGKILL, reconciled against the provider's own log (TRUST R1, small)."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from micic.demo.mail_catcher import MailCatcher, Moods
from tests.conftest import FreshDatabase
from tests.notifications.world import World, campaign_of, email_channel, log_path


@contextmanager
def _process(database: FreshDatabase, catcher: MailCatcher, log: str) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [database.url("micic_worker"), catcher.url, *([log] if log else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.dispatcher_process", *arguments],
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _kill_while_sending(database: FreshDatabase, catcher: MailCatcher, log: str, more: int) -> None:
    """SIGKILL once the provider has taken `more` messages, at whatever point that catches the dispatcher."""
    wanted = len(catcher.messages()) + more
    with _process(database, catcher, log) as process:
        while process.poll() is None and len(catcher.messages()) < wanted:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(("size", "is_asked"), [(300, True), (120, False)])
def test_killed_dispatchers_lose_nothing_and_double_nothing_unrecorded(
    fresh_database: FreshDatabase, tmp_path: Path, size: int, is_asked: bool
) -> None:
    """R1, T13: every message reaches the provider; twice only those that stand as uncertain in the ledger, and none
    at all with a provider that says what it took. 1 % of the tries are refused for now, 1 % accepted in silence.
    """
    world = World(fresh_database.engine)
    campaign_of(world, size)
    chance = random.Random(7)
    log = log_path(tmp_path)
    with MailCatcher(log, moods=Moods(temporary_failure=0.01, silence=0.01, seed=3)) as catcher:
        for _ in range(3):
            _kill_while_sending(fresh_database, catcher, str(log) if is_asked else "", chance.randrange(15, size // 4))
            world.make_due()
        channel = email_channel(catcher.url, catcher.was_accepted if is_asked else None)
        while world.dispatch(channel).outcomes:
            world.make_due()
        taken = Counter(message.recipients[0] for message in catcher.messages())
        ids = Counter(message.message_id.strip("<>").partition("@")[0] for message in catcher.messages())
    assert set(taken) == {f"p{number}@mail.example" for number in range(size)}
    doubted = {
        str(row[0]) for row in world.rows("select notification_id from delivery_attempt where outcome = 'uncertain'")
    }
    assert doubted
    assert {one for one, times in ids.items() if times > 1} <= doubted
    if is_asked:
        assert max(ids.values()) == 1
        assert world.statuses() == {"sent": size}
        assert world.value("select status from campaign") == "done"
    handed_over = world.value("select count(distinct migrant_id) from contact_entry where state = 'handed_over'")
    assert handed_over == world.statuses()["sent"]
