"""From settings to working parts: the databases by role, the keys, the channel, the feeds.

Where the environment names no database, the private cluster of this machine is used, which the demo fills.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from alerts.feeds.usgs import POLICY as USGS_POLICY
from alerts.feeds.usgs import UsgsFeed
from alerts.fetch import Fetcher, FetchSettings
from alerts.poll import Poller, Source
from geo.database import make_engine, make_session_factory
from micic.app import AppSettings
from micic.clock import utc_now
from micic.cluster import Cluster
from micic.geography import countries_touching
from micic.identifiers import new_id
from micic.leader import Leader
from micic.lists.rules import DEFAULT_POLICY, ListPolicy
from micic.notifications.channels import Channel
from micic.notifications.channels.email import EmailChannel
from micic.security.crypto import MasterKeys
from micic.settings import Databases, Keys, Mail, SettingMissing, Storage, Web
from micic.worker import Work

DATABASE = "micic"
KEY_FILE = "master.key"


@dataclass(frozen=True)
class Deployment:
    """The parts of one installation. Engines are made when first asked for; `close` lets go of them."""

    databases: Databases
    master: MasterKeys
    mail: Mail
    web: Web
    _engines: dict[str, Engine] = field(default_factory=dict, repr=False)

    def engine(self, role: str) -> Engine:
        """The engine of one database role. Raises SettingMissing."""
        if role not in self._engines:
            self._engines[role] = make_engine(self.databases.url(role), application_name=role.replace("_", " "))
        return self._engines[role]

    def sessions(self, role: str) -> sessionmaker[Session]:
        """Sessions as one database role."""
        return make_session_factory(self.engine(role))

    @property
    def app_settings(self) -> AppSettings:
        """What the web application needs."""
        return AppSettings(
            self.databases.url("micic_app"), self.databases.url("micic_public"), self.master, self.web.public_url
        )

    @cached_property
    def channel(self) -> Channel:
        """The e-mail channel. Raises SettingMissing."""
        if self.mail.smtp_url is None:
            raise SettingMissing("MICIC_SMTP_URL is not set: where e-mail is handed over")
        return EmailChannel(self.mail.smtp_url.get_secret_value(), self.mail.mail_from)

    def work(
        self,
        *,
        sources: Sequence[Source] | None = None,
        channel: Channel | None = None,
        fetch: FetchSettings | None = None,
        list_policy: ListPolicy = DEFAULT_POLICY,
    ) -> Work:
        """What a worker works with."""
        return Work(
            sessions=self.sessions("micic_worker"),
            master=self.master,
            channel=channel or self.channel,
            public_url=self.web.public_url,
            sources=live_sources() if sources is None else sources,
            poller=self.poller(fetch),
            list_policy=list_policy,
        )

    def poller(self, fetch: FetchSettings | None = None) -> Poller:
        """What a poll needs."""
        return Poller(self.sessions("micic_worker"), Fetcher(fetch), countries_touching, new_id, utc_now)

    def leader(self) -> Leader:
        """Who polls, among the workers of this deployment."""
        return Leader(self.engine("micic_worker"))

    def close(self) -> None:
        """Let go of all connections."""
        for engine in self._engines.values():
            engine.dispose()


def live_sources() -> list[Source]:
    """The real feeds that this version can read."""
    return [Source(UsgsFeed(), USGS_POLICY)]


@contextmanager
def open_deployment() -> Iterator[Deployment]:
    """The deployment that the environment names, or the private one of this machine. Raises SettingMissing."""
    databases = Databases()
    if databases.is_configured:
        deployment = Deployment(databases, MasterKeys.parse(Keys().text()), Mail(), Web())
        try:
            yield deployment
        finally:
            deployment.close()
        return
    with open_private(Storage().data) as private:
        yield private


@contextmanager
def open_private(data: Path, *, mail: Mail | None = None, web: Web | None = None) -> Iterator[Deployment]:
    """The private deployment below a data folder; its PostgreSQL runs as long as somebody uses it."""
    with Cluster.in_folder(data) as cluster:
        databases = Databases.of_roles(cluster.urls(DATABASE))
        deployment = Deployment(databases, MasterKeys.parse(private_key(data)), mail or Mail(), web or Web())
        try:
            yield deployment
        finally:
            deployment.close()


def private_key(data: Path) -> str:
    """The master key of the private deployment, made at the first use and readable by its owner only."""
    path = data / KEY_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(MasterKeys.new(), "ascii")
    return path.read_text("ascii").strip()
