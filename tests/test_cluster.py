"""The private cluster: made, shared, killed, and what its roles may do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from micic.cluster import OWNER, ROLES, Cluster, ClusterError, short_socket_dir, throwaway_database

ROOT = Path(__file__).parents[1]
EXTENSIONS = {"postgis", "pg_trgm", "unaccent", "btree_gist", "pgcrypto", "fuzzystrmatch"}
ONE_USE = """
import sys
from pathlib import Path
from micic.cluster import Cluster
c = Cluster.in_folder(Path(sys.argv[1]), test=True)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="micic-own-"))
    made.chmod(0o711)
    yield made
    Cluster.in_folder(made, test=True).remove()
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def own(folder: Path) -> Iterator[Cluster]:
    """A cluster that these tests may kill; the data directory is shared by them, the postmaster is not."""
    cluster = Cluster.in_folder(folder, test=True)
    yield cluster
    cluster.stop("immediate")


def one(cluster: Cluster, statement: str, role: str = "micic_app", database: str = "postgres") -> object:
    with psycopg.connect(cluster.url(database, role)) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def test_starting_twice_and_stopping_twice_is_harmless(own: Cluster) -> None:
    own.stop()
    own.release()
    own.start()
    own.start()
    assert own.is_running()
    own.stop()
    own.stop()
    assert not own.is_running()


def test_it_answers_on_its_socket_alone(own: Cluster) -> None:
    own.start()
    assert one(own, "show listen_addresses") == ""
    assert one(own, "show unix_socket_permissions") == "0700"
    assert own.socket_dir.stat().st_mode & 0o077 == 0
    assert own.data_dir.stat().st_mode & 0o077 == 0
    assert own.data_dir.stat().st_uid != 0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_keeps_what_was_committed(own: Cluster, mode: str) -> None:
    own.start()
    own.create_database(f"kept_{mode}")
    own.restart("fast" if mode == "fast" else "immediate")
    assert own.has_database(f"kept_{mode}")


def test_a_killed_postmaster_is_replaced(own: Cluster) -> None:
    own.start()
    pid = own.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    own.start()
    assert own.is_running()
    assert own.pid() != pid
    assert one(own, "select 1") == 1


def test_a_pid_that_another_process_got_is_not_taken_for_a_postmaster(own: Cluster) -> None:
    own.ensure()
    (own.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{own.data_dir}\n")
    assert not own.is_running()
    own.stop()
    own.start()
    assert one(own, "select 1") == 1


def test_a_zombie_is_not_taken_for_a_postmaster(own: Cluster) -> None:
    own.ensure()
    with subprocess.Popen(["/bin/true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not collected
        (own.data_dir / "postmaster.pid").write_text(f"{child.pid}\n{own.data_dir}\n")
        own.start()
    assert one(own, "select 1") == 1


def test_commands_may_race_and_the_last_one_stops_it(own: Cluster, folder: Path) -> None:
    program = ONE_USE + "c.start(); print(c.pid(), flush=True); sys.stdin.read(); c.release()"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    pids = {racer.stdout.readline().strip() for racer in racers if racer.stdout}
    assert pids == {str(own.pid())}
    for racer in racers:
        assert own.is_running()
        racer.communicate()
        assert racer.returncode == 0
    assert not own.is_running()


def test_ctrl_c_on_the_terminal_leaves_the_postmaster_to_us(own: Cluster) -> None:
    own.start()
    pid = own.pid()
    assert pid is not None
    assert os.getpgid(pid) != os.getpgid(0)


def test_a_failing_body_leaves_nothing_running(own: Cluster) -> None:
    with pytest.raises(KeyboardInterrupt), own:
        raise KeyboardInterrupt
    assert not own.is_running()


def test_a_failed_start_says_why_and_leaves_nothing_running(folder: Path, own: Cluster) -> None:
    own.ensure()
    broken = Cluster(own.data_dir, own.socket_dir, port=99999, test=True)
    with pytest.raises(ClusterError, match="port"):
        broken.start()
    assert not own.is_running()


def test_a_missing_major_version_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path(tempfile.mkdtemp(prefix="micic-own-"))
    folder.chmod(0o711)
    cluster = Cluster.in_folder(folder, test=True)
    cluster.ensure()
    (cluster.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterError, match="PostgreSQL 9"):
        cluster.start()
    shutil.rmtree(folder)


def test_a_folder_of_another_account_is_refused() -> None:
    with pytest.raises(ClusterError, match="MICIC_DATA"):
        Cluster(Path("/proc/postgres"), Path("/proc/run")).ensure()


def test_a_long_socket_path_is_shortened() -> None:
    wanted = Path("/tmp") / ("x" * 120)
    assert len(str(short_socket_dir(wanted))) < 60
    assert short_socket_dir(wanted) == short_socket_dir(wanted)
    assert short_socket_dir(Path("/var/lib/micic/cluster/run")) == Path("/var/lib/micic/cluster/run")


def test_no_running_role_is_above_the_rules(cluster: Cluster) -> None:
    statement = b"""select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication,
                             rolbypassrls
                      from pg_roles where rolname = any(%s)"""
    with psycopg.connect(cluster.url("postgres", "micic_app")) as connection:
        rows = connection.execute(statement, [list(ROLES)]).fetchall()
    assert {row[0] for row in rows} == set(ROLES)
    for name, login, *powers, bypasses in rows:
        assert login
        assert not any(powers), name
        assert bypasses == (name == "micic_backup"), name


def test_the_database_belongs_to_its_owner_and_has_the_extensions(cluster: Cluster, database: str) -> None:
    owner = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
    assert one(cluster, owner, database=database) == OWNER
    assert one(cluster, "select current_schema()", OWNER, database) == "public"
    with psycopg.connect(cluster.url(database, "micic_app")) as connection:
        found = {name for (name,) in connection.execute("select extname from pg_extension")}
    assert found >= EXTENSIONS


@pytest.mark.parametrize("role", [role for role in ROLES if role != OWNER])
def test_only_the_owner_makes_tables(cluster: Cluster, database: str, role: str) -> None:
    with (
        psycopg.connect(cluster.url(database, role)) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
    ):
        connection.execute("create table public.mine (id int)")


@pytest.mark.parametrize("role", ["micic_backup", "micic_readonly"])
def test_backup_and_readers_begin_read_only(cluster: Cluster, database: str, role: str) -> None:
    assert one(cluster, "show transaction_read_only", role, database) == "on"


def test_a_throwaway_database_is_gone_afterwards() -> None:
    with throwaway_database() as url:
        with psycopg.connect(url) as connection:
            assert connection.info.user == OWNER
        socket = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])
        assert socket.is_dir()
    assert not socket.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests already run as an ordinary account")
def test_an_ordinary_account_runs_its_own(folder: Path) -> None:
    """As nobody, with a copy of the one module, so that the folders of this checkout need not be readable."""
    code = Path(tempfile.mkdtemp(prefix="micic-own-"))
    shutil.copytree(ROOT / "micic", code / "micic", ignore=shutil.ignore_patterns("vendor", "__pycache__"))
    home = code / "home"
    home.mkdir()
    shutil.chown(home, 65534, 65534)
    code.chmod(0o755)
    interpreter = shutil.which("python3", path="/usr/bin") or sys.executable
    path = os.pathsep.join([str(code), str(code / "packages")])
    for name in ("psycopg", "psycopg_binary", "typing_extensions.py"):
        source = Path(psycopg.__file__).parents[1] / name
        target = code / "packages" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    program = ONE_USE + "\nwith c: print(c.data_dir.stat().st_uid, c.has_database('micic'))"
    done = subprocess.run(
        [interpreter, "-c", program, str(home)],
        cwd="/",
        env={"PYTHONPATH": path, "PATH": os.defpath},
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(code)
    assert done.stdout.split() == ["65534", "False"], done.stderr
