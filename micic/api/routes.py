"""Every route of the API under one prefix."""

from fastapi import APIRouter

from micic.api import alerts, campaigns, events, lists, sessions, tiles

PREFIX = "/api/v1"

router = APIRouter(prefix=PREFIX)
for module in (sessions, events, lists, tiles, alerts, campaigns):
    router.include_router(module.router)
