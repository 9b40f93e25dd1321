"""Is it alive, is it ready."""

import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from skill_arcade.errors import NotAllowed
from skill_arcade.web.metrics import read_ages, read_metrics, write_text
from skill_arcade.web.models import Alive, Readiness
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.readiness import check_components
from skill_arcade.web.state import State

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def read_health() -> Alive:
    """Say that the server answers at all."""
    return Alive(status="alive")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "some part does not answer"}})
async def read_readiness(state: State, response: Response) -> Readiness:
    """Say whether new games can be played and kept, and if not, which part is missing."""
    parts = await check_components(state)
    ready = all(part.ready for part in parts)
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, parts=parts, ages=read_ages(state))


@router.get("/metrics", response_class=PlainTextResponse, responses=problem_answers(403))
async def show_metrics(state: State, request: Request) -> PlainTextResponse:
    """Show figures for Prometheus; METRICS_TOKEN says who may see them."""
    wanted, given = state.settings.metrics_token, request.headers.get("authorization", "")
    if wanted is None:
        if state.settings.skill_arcade_environment != "local":
            raise NotAllowed("Set METRICS_TOKEN on this server, and send it as Authorization: Bearer TOKEN.")
    elif not hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
        raise NotAllowed("This needs the server's METRICS_TOKEN as Authorization: Bearer TOKEN.")
    return PlainTextResponse(write_text(read_metrics(state)), media_type="text/plain; version=0.0.4")
