"""The keys of persons, fetched from the database and opened with the master key.

Reads through row-level security: a person who is not visible has no key here. Keys live as long as the Vault does,
which is one request or one unit of work.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from micic.posts.models import PostKey
from micic.registry.models import PersonKey
from micic.security.crypto import MasterKeys, Unreadable, new_key, unwrap_person_key, wrap_person_key


class Vault:
    """Opens and makes person keys for one State within one session."""

    def __init__(self, session: Session, master: MasterKeys, state: str) -> None:
        self._session = session
        self._master = master
        self._state = state
        self._post_keys: dict[uuid.UUID, bytes] = {}

    @property
    def master(self) -> MasterKeys:
        """The master keys: for blind indexes and link tokens."""
        return self._master

    def post_key(self, post_id: uuid.UUID) -> bytes:
        """The key of a post. Raises Unreadable when it was destroyed."""
        if post_id not in self._post_keys:
            row = self._session.get(PostKey, (self._state, post_id))
            if row is None:
                raise Unreadable(f"the key of post {post_id} was destroyed")
            self._post_keys[post_id] = self._master.unwrap_post_key(post_id, row.wrapped_key, row.master_key_id)
        return self._post_keys[post_id]

    def person_keys(self, migrant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        """The data keys of those persons whose key is visible and can be opened; the others are absent: erased, not
        to be seen, or of a post whose key was destroyed.
        """
        rows = self._session.execute(
            select(PersonKey.migrant_id, PersonKey.post_id, PersonKey.wrapped_key).where(
                PersonKey.registering_state == self._state,
                PersonKey.migrant_id == any_(literal(list(migrant_ids), ARRAY(Uuid))),
            )
        )
        found: dict[uuid.UUID, bytes] = {}
        for migrant_id, post_id, wrapped in rows:
            with suppress(Unreadable):
                found[migrant_id] = unwrap_person_key(self.post_key(post_id), migrant_id, wrapped)
        return found

    def make_person_key(self, post_id: uuid.UUID, migrant_id: uuid.UUID) -> tuple[bytes, PersonKey]:
        """A new data key and the row that keeps it wrapped; the caller adds the row."""
        key = new_key()
        wrapped = wrap_person_key(self.post_key(post_id), migrant_id, key)
        return key, PersonKey(
            registering_state=self._state, migrant_id=migrant_id, post_id=post_id, wrapped_key=wrapped
        )
