"""The invented State of the tests of lists serves the histories too."""

from tests.lists.conftest import lists_database, world

__all__ = ["lists_database", "world"]
