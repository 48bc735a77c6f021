"""The invented State of a test of lists: one database for all of them, a State of its own for each."""

import uuid
from collections.abc import Iterator

import pytest

from micic.cluster import Cluster
from tests.conftest import TEMPLATE, FreshDatabase
from tests.lists.builders import World


@pytest.fixture(scope="package")
def lists_database(cluster: Cluster) -> Iterator[FreshDatabase]:
    name = f"micic_lists_{uuid.uuid4().hex[:12]}"
    cluster.create_database(name, template=TEMPLATE)
    made = FreshDatabase(cluster, name)
    yield made
    made.dispose()
    cluster.drop_database(name)


@pytest.fixture
def world(lists_database: FreshDatabase) -> World:
    return World(lists_database).found()
