"""Idempotency-Key: a POST that is repeated with the same key gets the first answer and does nothing again.

The stored answer is encrypted: it may hold what only its reader may see.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse

from micic.audit.models import IdempotencyKey
from micic.door import InHouse, Now, Transaction, Who
from micic.errors import Conflict, Invalid
from micic.security.crypto import KEY_BYTES, MasterKeys, open_sealed, seal
from micic.security.principal import Principal

MAX_KEY_CHARS = 80
HEADER = "Idempotency-Key"


class Once:
    """Runs an act of one request at most once per key, and answers a repetition from what is stored."""

    def __init__(
        self, session: Session, principal: Principal, master: MasterKeys, route: str, key: str | None, now: datetime
    ) -> None:
        self._session = session
        self._principal = principal
        self._master = master
        self._route = route
        self._key = key
        self._now = now

    def run(self, payload: BaseModel | None, act: Callable[[], Any], *, status: int = 200) -> JSONResponse:
        """The act's answer, or the stored one. Raises Conflict when the key was used for another request."""
        if self._key is None:
            return JSONResponse(jsonable_encoder(act()), status)
        digest = hashlib.sha256(f"{self._route}\n{payload.model_dump_json() if payload else ''}".encode()).digest()
        self._wait_for_twin()
        stored = self._session.get(IdempotencyKey, (self._principal.state, self._principal.actor, self._key))
        if stored is not None:
            if stored.request_sha256 != digest:
                raise Conflict("This Idempotency-Key was used for another request: choose a new one.", field=HEADER)
            return JSONResponse(self._open(stored.body), stored.status, {"Idempotent-Replay": "true"})
        body = jsonable_encoder(act())
        self._session.add(
            IdempotencyKey(
                registering_state=self._principal.state,
                principal=self._principal.actor,
                key=self._key,
                route=self._route,
                request_sha256=digest,
                status=status,
                body=self._seal(body),
                created_at=self._now,
            )
        )
        return JSONResponse(body, status)

    def _wait_for_twin(self) -> None:
        """Two requests with one key come one after the other, until the first has committed."""
        name = f"{self._principal.state}:{self._principal.actor}:{self._key}"
        self._session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

    @property
    def _bound_to(self) -> str:
        return f"idempotency_key:{self._principal.actor}:{self._key}:body"

    def _derived(self, key_id: str) -> bytes:
        info = f"idempotency:{self._principal.state}".encode()
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._master.secret(key_id))

    def _seal(self, body: Any) -> bytes:
        key_id = self._master.current
        sealed = seal(self._derived(key_id), json.dumps(body).encode(), self._bound_to)
        return key_id.encode() + b"\n" + sealed

    def _open(self, stored: bytes) -> Any:
        key_id, _, sealed = stored.partition(b"\n")
        return json.loads(open_sealed(self._derived(key_id.decode()), sealed, self._bound_to))


def once_of(
    request: Request,
    house: InHouse,
    session: Transaction,
    principal: Who,
    now: Now,
    key: Annotated[str | None, Header(alias=HEADER)] = None,
) -> Once:
    """What makes the POST of this request safe to repeat."""
    if key is not None and not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise Invalid("An Idempotency-Key has 1 to 80 printable ASCII characters.", field=HEADER)
    return Once(session, principal, house.master, f"{request.method} {request.url.path}", key, now)


OnlyOnce = Annotated[Once, Depends(once_of, scope="function")]
