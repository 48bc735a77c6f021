"""Every page."""

from fastapi import APIRouter

from micic.web import alerts, areas, campaigns, checkin, lists, people, signin, situation

router = APIRouter(include_in_schema=False)
for module in (signin, situation, people, lists, alerts, areas, campaigns, checkin):
    router.include_router(module.router)
