"""Is it alive, is it ready."""

from fastapi import APIRouter, Response

from skill_arcade.web.models import Alive, Readiness
from skill_arcade.web.readiness import check_parts
from skill_arcade.web.state import State

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def read_health() -> Alive:
    """Say that the server answers at all."""
    return Alive(status="alive")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "some part does not answer"}})
async def read_readiness(state: State, response: Response) -> Readiness:
    """Say whether new games can be played and kept, and if not, which part is missing."""
    parts = await check_parts(state)
    ready = all(part.ready for part in parts)
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, parts=parts)
