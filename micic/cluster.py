"""The private PostGIS of demo and tests: found, made, started and stopped without an administrator.

Reachable through a socket of mode 0700 only, with trust inside: never for a deployment. The cluster's
superuser is used here alone, to make login roles, extensions and databases. Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

SUPERUSER = "micic"
OWNER = "micic_owner"
ROLES = (
    OWNER,
    "micic_app",
    "micic_worker",
    "micic_exercise",
    "micic_public",
    "micic_readonly",
    "micic_backup",
)
INSTALL = "apt-get install --no-install-recommends postgresql-postgis python3-venv"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
SOCKET_PATH_BYTES = 100  # the kernel's limit is 107 for folder, name and NUL

StopMode = Literal["smart", "fast", "immediate"]
_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_POLL_SECONDS = 0.01

# Statements and row details can hold a person: the log gets neither.
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "cluster_name": "micic",
}
_TEST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_children: list[subprocess.Popen[bytes]] = []  # a postmaster may outlive the Cluster that started it


class ClusterError(RuntimeError):
    """The private cluster cannot be made, started or stopped; the message says what to do."""


class Cluster:
    """One data directory and its postmaster. Several processes may share it: each start() is a use, and
    release() stops the server when it was the last one.
    """

    def __init__(self, data_dir: Path, socket_dir: Path, port: int = 5432, test: bool = False) -> None:
        self.data_dir = data_dir.absolute()
        self.socket_dir = short_socket_dir(socket_dir.absolute())
        self.port = port
        self.test = test
        self.log_file = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._use: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def in_folder(cls, folder: Path, *, test: bool = False) -> Self:
        """The cluster of one data root (MICIC_DATA): everything of it in the subfolder cluster/."""
        return cls(folder / "cluster" / "postgres", folder / "cluster" / "run", test=test)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    # --- life ---

    def ensure(self) -> None:
        """Make the data directory if there is none. Starts nothing."""
        with self._locked():
            self._ensure()

    def start(self) -> None:
        """Make it if need be and start it unless it runs. Counts as one use until release()."""
        with self._locked():
            self._ensure()
            if not self._answers():
                self._spawn_and_wait()
            if self._use is None:
                self._use = _open_private(self._beside("users"))
                fcntl.flock(self._use, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give up this process's use; the last one to do so stops the server. Safe if never started."""
        if self._use is None:
            return
        with self._locked():
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                self._stop("fast")
            finally:
                os.close(self._use)
                self._use = None

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server, whoever uses it, and wait until it is gone. Safe if it never ran."""
        if not self.data_dir.parent.is_dir():
            return
        with self._locked():
            self._stop(mode)
            if self._use is not None:
                os.close(self._use)
                self._use = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again; uses by other processes stay counted."""
        with self._locked():
            self._stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop the server and delete the data directory, its log and its socket folder."""
        self.stop("immediate")
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)
        self.log_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether a postmaster of this data directory is alive; a zombie or a reused pid is not."""
        if self._child is not None:
            self._child.poll()
        pid = self.pid()
        return pid is not None and _is_postmaster(pid, self.data_dir)

    def pid(self) -> int | None:
        """The pid that the data directory names, alive or not."""
        lines = self._pid_lines()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    # --- addresses and databases ---

    def url(self, database: str, role: str) -> str:
        """The address for SQLAlchemy and libpq. role is one of ROLES."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{role}@/{quote(database)}?host={host}&port={self.port}"

    def urls(self, database: str) -> dict[str, str]:
        """role -> address, for every role."""
        return {role: self.url(database, role) for role in ROLES}

    def has_database(self, name: str) -> bool:
        """Whether a database of this name exists."""
        with self._superuser() as connection:
            row = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        return row is not None

    def create_database(self, name: str, template: str | None = None) -> None:
        """A database of micic_owner with the extensions, ready for the migrations; or a copy of template."""
        statement = sql.SQL("create database {} owner {} template {} strategy {}").format(
            sql.Identifier(name),
            sql.Identifier(OWNER),
            sql.Identifier(template or "template0"),
            sql.Identifier("file_copy" if self.test else "wal_log"),
        )
        with self._superuser() as connection:
            connection.execute(statement)
        with self._superuser(name) as connection:
            connection.execute(_script("cluster_database.sql"))

    def drop_database(self, name: str) -> None:
        """Drop it, ending its connections; no error if it is absent."""
        with self._superuser() as connection:
            name_sql = sql.Identifier(name)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name_sql))

    # --- inside ---

    def _superuser(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database, SUPERUSER), autocommit=True)

    def _beside(self, what: str) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.{what}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time makes, starts or stops."""
        _make_folder(self.data_dir.parent, self._account())
        handle = _open_private(self._beside("lock"))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _account(self) -> pwd.struct_passwd | None:
        """The account PostgreSQL runs as when we are root, which it refuses; None: we are the account."""
        if os.geteuid() != 0:
            return None
        if self.data_dir.exists():
            return pwd.getpwuid(self.data_dir.stat().st_uid)
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise ClusterError("PostgreSQL refuses to run as root, and there is no account postgres or nobody")

    def _ensure(self) -> None:
        """initdb into a folder beside, renamed when complete: a killed initdb leaves nothing half made."""
        account = self._account()
        _make_folder(self.socket_dir, account)
        if (self.data_dir / "PG_VERSION").exists():
            return
        fresh = self._beside("new")
        shutil.rmtree(fresh, ignore_errors=True)
        _make_folder(fresh, account)
        command = [str(_binaries() / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--auth-local=trust"]
        command += ["--auth-host=reject", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **_as_account(account))
        if done.returncode:
            who = account.pw_name if account else "this account"
            hint = f"can {who} reach {fresh.parent}? MICIC_DATA names another folder"
            raise ClusterError(f"initdb failed; {hint}\n{done.stdout}{done.stderr}")
        fresh.rename(self.data_dir)

    def _answers(self) -> bool:
        """Whether it runs and lets us in; False if there is none. One just killed may look alive."""
        deadline = time.monotonic() + START_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), self._superuser():
                return True
            time.sleep(_POLL_SECONDS)
        if self.is_running():
            raise ClusterError(f"PostgreSQL (pid {self.pid()}) runs but does not answer; see {self.log_file}")
        return False

    def _spawn_and_wait(self) -> None:
        """A new postmaster, its roles seen to; whatever interrupts this leaves none running."""
        try:
            self._clear_stale_locks()
            self._spawn()
            self._wait_until_ready()
            with self._superuser() as connection:
                connection.execute(_script("cluster_roles.sql"))
        except BaseException:
            self._stop("immediate")
            raise

    def _spawn(self) -> None:
        """The postmaster as our child, in a session of its own: Ctrl-C on the terminal is ours to handle."""
        version = (self.data_dir / "PG_VERSION").read_text().strip()
        options = _OPTIONS | (_TEST_OPTIONS if self.test else {})
        options["unix_socket_directories"] = str(self.socket_dir)
        command = [str(_binaries(version) / "postgres"), "-D", str(self.data_dir), "-p", str(self.port)]
        command += [f"--{name}={value}" for name, value in options.items()]
        self.log_file.unlink(missing_ok=True)
        log = _open_private(self.log_file, os.O_APPEND)
        try:
            as_account = _as_account(self._account())
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_account,
            )
        finally:
            os.close(log)
        _children.append(self._child)

    def _wait_until_ready(self) -> None:
        """Until the postmaster's file says ready. A first try may meet the orphans of a killed postmaster."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise ClusterError(f"PostgreSQL did not start in {START_SECONDS:.0f} s; see {self.log_file}")
            if self._child is not None and self._child.poll() is not None:
                if "shared memory block" not in self._log_tail():
                    raise ClusterError(f"PostgreSQL did not start:\n{self._log_tail()}")
                time.sleep(0.2)
                self._spawn()
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        lines = self._pid_lines()
        return len(lines) > 7 and lines[7].strip() == "ready" and self.is_running()

    def _stop(self, mode: StopMode) -> None:
        """Signal the postmaster and wait until it is gone; after STOP_SECONDS, do without a clean end."""
        child_pid = self._child.pid if self._child is not None and self._child.poll() is None else None
        pid = self.pid() if self.is_running() else child_pid
        if pid is None:
            return
        for signal_number, seconds in ((_SIGNALS[mode], STOP_SECONDS), (signal.SIGQUIT, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)
            if self._is_gone(pid, within=seconds):
                return
        raise ClusterError(f"PostgreSQL (pid {pid}) does not stop; see {self.log_file}")

    def _is_gone(self, pid: int, within: float) -> bool:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self._child is not None:
                self._child.poll()
            if not _is_postmaster(pid, self.data_dir):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _clear_stale_locks(self) -> None:
        """PostgreSQL sees through a vanished pid, but not through a zombie or another process's pid."""
        for child in _children[:]:
            if child.poll() is not None:
                _children.remove(child)
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        socket_lock = self.socket_dir / f".s.PGSQL.{self.port}.lock"
        if str(self.data_dir) in _lines(socket_lock):
            socket_lock.unlink(missing_ok=True)

    def _pid_lines(self) -> list[str]:
        return _lines(self.data_dir / "postmaster.pid")

    def _log_tail(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-8:])


@contextlib.contextmanager
def throwaway_database(name: str = "micic") -> Iterator[str]:
    """The address, as micic_owner, of an empty database in a cluster that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="micic-"))
    folder.chmod(0o711)
    cluster = Cluster.in_folder(folder, test=True)
    try:
        cluster.start()
        cluster.create_database(name)
        yield cluster.url(name, OWNER)
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def short_socket_dir(wanted: Path) -> Path:
    """The folder itself, or a short one made of its digest where the kernel's limit would be passed."""
    if len(os.fsencode(wanted)) + len("/.s.PGSQL.65535.lock") <= SOCKET_PATH_BYTES:
        return wanted
    return Path(tempfile.gettempdir()) / f"micic-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]}"


def _binaries(version: str | None = None) -> Path:
    """The bin folder of the newest PostgreSQL that has PostGIS, or of the major version given."""
    found = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        major = folder.parent.name
        if Path(f"/usr/share/postgresql/{major}/extension/postgis.control").exists() and major.isdigit():
            found[major] = folder
    if version is not None and version not in found:
        raise ClusterError(
            f"the data directory is of PostgreSQL {version}, which is not installed with PostGIS "
            f"(found: {', '.join(sorted(found)) or 'none'}); install it, or point MICIC_DATA elsewhere"
        )
    if not found:
        raise ClusterError(f"PostgreSQL with PostGIS is not installed. An administrator runs: {INSTALL}")
    return found[version or max(found, key=int)]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _script(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()


def _as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments for subprocess: another account if we are root, and an environment of its own."""
    arguments: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
    if account is not None:
        arguments |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return arguments


def _make_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """A folder of mode 0700 that belongs to the account. An existing one is taken if it is the account's, or
    root's and empty; a new parent can be passed through but not read.
    """
    uid = os.geteuid() if account is None else account.pw_uid
    try:
        if not folder.parent.exists():
            folder.parent.mkdir(parents=True)
            folder.parent.chmod(0o711)
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat().st_uid
        if account is not None and owner == 0 and not any(folder.iterdir()):
            os.chown(folder, account.pw_uid, account.pw_gid)
            owner = uid
    except OSError as error:
        message = f"cannot make {folder} ({error.strerror}); MICIC_DATA names another folder"
        raise ClusterError(message) from error
    if owner != uid:
        raise ClusterError(f"{folder} belongs to uid {owner}, not {uid}; MICIC_DATA names another folder")


def _open_private(path: Path, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    """Whether pid is a living PostgreSQL of this data directory, as far as the system lets us see."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    process = Path("/proc") / str(pid)
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()
    return state != "Z" and os.fsencode(data_dir) in arguments
