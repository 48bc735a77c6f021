"""Logging for all processes: one line an event, to standard error, with times in UTC.

What is logged are names of feeds and stages, ids, counts and seconds. A person's name, number, address or place is
never passed to a logger, and database errors hide their parameters (`geo.database`).
"""

import logging
import sys
import time
import traceback


def configure(level: str = "INFO") -> None:
    """Set up the root logger of this process."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a poll that outlasts its cadence is no news


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log that something failed: the error's type and the lines of code, never its message. PostgreSQL repeats the
    failing row in its messages, and a row may name a person.
    """
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    logger.error("%s failed: %s at %s", what, type(error).__name__, where)
