"""Every page."""

from fastapi import APIRouter

from micic.web import signin, situation

router = APIRouter(include_in_schema=False)
for module in (signin, situation):
    router.include_router(module.router)
