"""The headless demo with its worker killed and PostgreSQL restarted at every stage boundary: it comes to the same."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from micic.demo.summary import comparable

ROOT = Path(__file__).parents[2]
MIGRANTS = 400
TIMEOUT_S = 420


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def play(folder: Path, *options: str) -> dict[str, Any]:
    """The last line of `./run demo --headless`, played below `folder`."""
    command = [
        sys.executable,
        "-m",
        "micic.cli",
        "demo",
        "--headless",
        f"--migrants={MIGRANTS}",
        f"--port={free_port()}",
    ]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MICIC_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    worth_reading = [line for line in done.stderr.splitlines() if " WARNING " not in line]
    assert done.returncode == 0, "\n".join(worth_reading[-80:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's account can reach; pytest's own are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="micic-demo-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.full
def test_r1_kills_and_restarts_at_every_stage_boundary_lose_and_double_nothing(folder: Path) -> None:
    plain = play(folder / "plain")
    struck = play(folder / "struck", "--faults=worker,database")
    assert struck["worker_starts"] > plain["worker_starts"]
    assert struck["database_restarts"] > 0
    assert comparable(struck) == comparable(plain)
    assert struck["mail"]["distinct"] == sum(struck["notifications"].values())
