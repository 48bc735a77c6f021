"""What every test may use: the private cluster, databases copied from a migrated template, sessions by role.

The cluster starts with the first test that asks for it, in whichever xdist worker; the controlling process
removes it at the end. Nothing here reaches, or lets a test reach, any address but this machine's.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geo.database import make_engine
from micic.cluster import OWNER, ROLES, Cluster
from micic.migrate import upgrade

RUN_FOLDER = "MICIC_TEST_RUN"  # passes the folder of this test run from the controller to the workers
PREFIX = "micic-test-"
TEMPLATE = "micic_template"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

hypothesis.settings.register_profile("fast", max_examples=50, deadline=None)
hypothesis.settings.register_profile("full", max_examples=1000, deadline=None)


# --- the run: options, environment, end ---


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the tests marked full")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("full" if config.getoption("--full") else "fast")
    if not hasattr(config, "workerinput"):
        _remove_orphans()
        _begin_run(config)
    for name in [name for name in os.environ if name.startswith("MICIC_") and name != RUN_FOLDER]:
        del os.environ[name]
    sys.addaudithook(_refuse_outside)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and RUN_FOLDER in os.environ:
        _remove_run(Path(os.environ.pop(RUN_FOLDER)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests marked full run with --full only; the summary counts those left out."""
    if config.getoption("--full"):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Under CI=true a browser test that is skipped has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("browser") and _is_ci():
        report.outcome = "failed"
        report.longrepr = f"a browser test was skipped under CI=true: {report.longrepr}"
    return report


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _begin_run(config: pytest.Config) -> None:
    """A folder for this run, locked while its controller lives."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)
    handle = os.open(folder / "controller.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    config.add_cleanup(lambda: os.close(handle))
    os.environ[RUN_FOLDER] = str(folder)


def _remove_run(folder: Path) -> None:
    Cluster.in_folder(folder, test=True).remove()
    shutil.rmtree(folder, ignore_errors=True)


def _remove_orphans() -> None:
    """Clusters of earlier runs whose controller was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "controller.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_run(folder)


# --- the network: this machine only ---


class OutsideRefused(RuntimeError):
    """A test reached for an address that is not this machine's. Not an OSError: nothing may swallow it."""


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path: a Unix socket
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        raise OutsideRefused(f"{event}: {host}")


def _is_this_machine(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback or ipaddress.ip_address(str(name)).is_unspecified
    except ValueError:
        return False


# --- the cluster and its databases ---


class FreshDatabase:
    """A database of one test's own, for tests that commit; an engine for each role, made when asked for."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self._engines: dict[str, Engine] = {}

    def url(self, role: str) -> str:
        return self.cluster.url(self.name, role)

    def engine(self, role: str) -> Engine:
        if role not in self._engines:
            self._engines[role] = make_engine(self.url(role))
        return self._engines[role]

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster of this test run, with the migrated template in it."""
    folder = Path(os.environ[RUN_FOLDER])
    found = Cluster.in_folder(folder, test=True)
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure, ready = folder / "template.failed", folder / "template.ready"
        if failure.exists():
            pytest.fail(f"the migrations failed in another worker: {failure.read_text()}", pytrace=False)
        found.start()
        if not ready.exists():
            _make_template(found, failure)
            ready.touch()
    return found


def _make_template(cluster: Cluster, failure: Path) -> None:
    try:
        cluster.create_database(TEMPLATE)
        upgrade(cluster.url(TEMPLATE, OWNER))
    except Exception as error:
        failure.write_text(repr(error))
        raise


@pytest.fixture(scope="session")
def database(cluster: Cluster, worker_id: str) -> str:
    """The name of this worker's database. Tests leave it as they found it: use the sessions below."""
    name = f"micic_test_{worker_id}"
    cluster.create_database(name, template=TEMPLATE)
    return name


@pytest.fixture(scope="session")
def engines(cluster: Cluster, database: str) -> Iterator[dict[str, Engine]]:
    """role -> engine on this worker's database."""
    made = {role: make_engine(cluster.url(database, role)) for role in ROLES}
    yield made
    for engine in made.values():
        engine.dispose()


@pytest.fixture
def fresh_database(cluster: Cluster) -> Iterator[FreshDatabase]:
    """A copy of the template for one test that commits, dropped afterwards."""
    name = f"micic_fresh_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name, template=TEMPLATE)
    made = FreshDatabase(cluster, name)
    yield made
    made.dispose()
    cluster.drop_database(name)


@contextlib.contextmanager
def _rolled_back(engine: Engine) -> Iterator[Session]:
    """A session inside one transaction that never commits; its own commits are savepoints."""
    with engine.connect() as connection:
        outer = connection.begin()
        try:
            with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
                yield session
        finally:
            outer.rollback()


@pytest.fixture
def owner_session(engines: dict[str, Engine]) -> Iterator[Session]:
    """As micic_owner, rolled back at the end of the test."""
    with _rolled_back(engines[OWNER]) as session:
        yield session


@pytest.fixture
def app_session(engines: dict[str, Engine]) -> Iterator[Session]:
    """As micic_app, rolled back at the end of the test."""
    with _rolled_back(engines["micic_app"]) as session:
        yield session


@pytest.fixture
def worker_session(engines: dict[str, Engine]) -> Iterator[Session]:
    """As micic_worker, rolled back at the end of the test."""
    with _rolled_back(engines["micic_worker"]) as session:
        yield session


# --- the browser ---


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium; ./run test installs it where it can."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine: apt-get install chromium")
