"""The demo's processes: the worker, watched and started again when it dies, and the web pages."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

StageHeard = Callable[[str], None]


@dataclass
class Supervisor:
    """Keeps one worker process running and knows its latest round. `on_stage` hears of each stage that did
    something, at once, on the thread that reads the worker's output.
    """

    command: list[str]
    environment: dict[str, str]
    on_stage: StageHeard = lambda stage: None
    starts: int = 0
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _stopping: bool = False
    _idle_round_at: datetime | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        """Start the worker and the thread that watches it."""
        self._spawn()
        self._reader = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """End the worker and wait until it is gone."""
        self._stopping = True
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._reader is not None:
            self._reader.join(timeout=20)

    def kill(self) -> None:
        """kill -9; the watching thread starts another."""
        if self._process is not None:
            self._process.kill()

    def wait_idle(self, since: datetime, timeout_s: float) -> bool:
        """Wait for a round that began after `since` and found nothing to do; whether it came in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._idle_round_at is None or self._idle_round_at <= since:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 1.0))
        return True

    def _spawn(self) -> None:
        self.starts += 1
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self.command],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"} | self.environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _watch(self) -> None:
        while not self._stopping:
            process = self._process
            assert process is not None
            assert process.stdout is not None
            for line in process.stdout:
                self._hear(line)
            process.wait()
            if not self._stopping:
                time.sleep(0.2)
                self._spawn()

    def _hear(self, line: str) -> None:
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        if "stage" in said:
            self.on_stage(said["stage"])
        if said.get("idle"):
            with self._changed:
                self._idle_round_at = datetime.fromisoformat(said["round"])
                self._changed.notify_all()
