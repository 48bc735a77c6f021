"""A world per test in a database of its own, and the catcher of mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from micic.demo.mail_catcher import MailCatcher
from tests.conftest import FreshDatabase
from tests.notifications.world import World, log_path


@pytest.fixture
def world(fresh_database: FreshDatabase) -> World:
    return World(fresh_database.engine)


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[MailCatcher]:
    with MailCatcher(log_path(tmp_path)) as running:
        yield running
