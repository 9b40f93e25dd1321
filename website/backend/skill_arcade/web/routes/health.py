"""Is it alive, is it ready."""

from fastapi import APIRouter

from skill_arcade.web.models import Alive, Readiness

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def read_health() -> Alive:
    """Say that the server answers at all."""
    return Alive(status="alive")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "some part does not answer"}})
async def read_readiness() -> Readiness:
    """Say whether new games can be played and kept, and if not, which part is missing."""
    return Readiness(ready=False, parts=[])
