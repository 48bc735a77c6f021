"""The demo's worker: the product's own worker, with the demo's feed server and mail catcher at its ends.

A process of its own, so that it can be killed. Tells its supervisor on standard output, one JSON object a line, of
each stage that did something and of each round.
"""

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import typer

from alerts.feeds.cap_single import CapSingleFeed
from alerts.feeds.usgs import POLICY as USGS_POLICY
from alerts.feeds.usgs import UsgsFeed
from alerts.fetch import FetchSettings
from alerts.gate import Policy
from alerts.poll import Source
from micic.demo.crisis import EXERCISE_PATH, SUMMARY_PATH, TEST_PATH
from micic.demo.mail_catcher import MailCatcher
from micic.deployment import live_sources, open_deployment
from micic.lists.rules import ListPolicy
from micic.log import configure
from micic.notifications.channels.email import EmailChannel
from micic.settings import SettingMissing
from micic.worker import Round, Worker

CADENCE_S = 1


def demo_sources(base_url: str) -> list[Source]:
    """The feeds of the recorded crisis: earthquakes, and the two drills of a warning centre."""
    drills = {"drill-exercise": EXERCISE_PATH, "drill-test": TEST_PATH}
    return [
        Source(UsgsFeed(url=base_url + SUMMARY_PATH, cadence_s=CADENCE_S, floor=0), USGS_POLICY),
        *(Source(CapSingleFeed(name, base_url + path, CADENCE_S), Policy()) for name, path in drills.items()),
    ]


def main(feeds: str, mail_log: Path, live: bool = False, settle_s: int = 60) -> None:
    """Work until SIGTERM."""
    configure("WARNING")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    catcher = MailCatcher(mail_log)
    with open_deployment() as deployment:
        if deployment.mail.smtp_url is None:
            raise SettingMissing("MICIC_SMTP_URL is not set")
        channel = EmailChannel(
            deployment.mail.smtp_url.get_secret_value(), deployment.mail.mail_from, accepted=catcher.was_accepted
        )
        work = deployment.work(
            sources=[*demo_sources(feeds), *(live_sources_renamed() if live else [])],
            channel=channel,
            fetch=FetchSettings(contact="the demo", allow_private=True),
            list_policy=ListPolicy(settle_s=settle_s, refresh_s=max(settle_s, 300)),
        )
        Worker(work, deployment.leader(), on_stage=_tell_stage, on_round=_tell_round).run(stop)


def live_sources_renamed() -> list[Source]:
    """The real feeds beside the recorded ones, under names of their own."""
    return [Source(UsgsFeed(name="usgs-live"), source.policy) for source in live_sources()]


def _tell_stage(stage: str, subject: str, done: int) -> None:
    _tell(stage=stage, subject=subject, done=done)


def _tell_round(walked: Round) -> None:
    _tell(round=walked.started_at.isoformat(), idle=walked.is_idle)


def _tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(main)
