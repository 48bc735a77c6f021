"""What the tests of pages, API, figures and browser share: one small world in a database of its own, and clients."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine

from micic.app import create_app
from micic.cluster import Cluster
from tests.conftest import TEMPLATE
from tests.web.world import PASSWORD, STATE, CrisisWorld

ORIGIN = "http://testserver"
SignIn = Callable[..., TestClient]


class Databases:
    """The addresses of one database by role, and engines made when asked for."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name
        self._engines: dict[str, Engine] = {}

    def url(self, role: str) -> str:
        return self._cluster.url(self._name, role)

    def engine(self, role: str) -> Engine:
        if role not in self._engines:
            self._engines[role] = create_engine(self.url(role))
        return self._engines[role]

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()


@pytest.fixture(scope="session")
def page_database(cluster: Cluster) -> Iterator[Databases]:
    """A database for all tests of the group `pages`, which commit to it."""
    name = f"micic_pages_{uuid.uuid4().hex[:10]}"
    cluster.create_database(name, template=TEMPLATE)
    made = Databases(cluster, name)
    yield made
    made.dispose()
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def world(page_database: Databases) -> CrisisWorld:
    """An earthquake, some sixty people in it, lists, messages and answers."""
    return CrisisWorld(page_database.engine, households=40)


@pytest.fixture(scope="session")
def app(world: CrisisWorld, page_database: Databases) -> FastAPI:
    """The application, as the command line makes it."""
    return create_app(world.settings(page_database.url, ORIGIN))


@pytest.fixture
def anonymous(app: FastAPI) -> Iterator[TestClient]:
    """A client that nobody knows. Errors come back as replies, as they do to a browser."""
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed_in(app: FastAPI) -> Iterator[SignIn]:
    """signed_in("cell") is a client with an open session; its forms need `csrf`."""
    opened: list[TestClient] = []

    def sign_in(login: str = "cell", state: str = STATE) -> TestClient:
        client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=False)
        reply = client.post("/login", data={"state": state, "login": login, "password": PASSWORD})
        assert reply.status_code == 303, reply.text
        opened.append(client)
        return client

    yield sign_in
    for client in opened:
        client.close()
