"""Faults at the stage boundaries of the play: the worker is killed, PostgreSQL is restarted, once after each stage."""

import threading
from dataclasses import dataclass, field

from micic.cluster import Cluster
from micic.demo.supervisor import Supervisor


@dataclass
class Faults:
    """Told of each stage that did something, it strikes. `kinds`: "worker", "database"."""

    kinds: frozenset[str]
    cluster: Cluster
    worker_kills: int = 0
    database_restarts: int = 0
    _killed_after: set[str] = field(default_factory=set)
    _restarted_after: set[str] = field(default_factory=set)

    def strike(self, stage: str, worker: Supervisor) -> None:
        """kill -9 the worker at the first sight of a stage, restart PostgreSQL at the second."""
        if "worker" in self.kinds and stage not in self._killed_after:
            self._killed_after.add(stage)
            self.worker_kills += 1
            worker.kill()
        elif "database" in self.kinds and stage not in self._restarted_after:
            self._restarted_after.add(stage)
            self.database_restarts += 1
            threading.Thread(target=self.cluster.restart, args=("immediate",), name="restart", daemon=False).start()
