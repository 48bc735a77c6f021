"""The shared world and its clients."""

from tests.web.fixtures import anonymous, app, page_database, signed_in, world

__all__ = ["anonymous", "app", "page_database", "signed_in", "world"]
