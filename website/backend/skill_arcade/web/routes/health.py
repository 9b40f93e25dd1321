"""Routes for liveness, readiness and metrics."""

import hmac

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from skill_arcade.errors import NotAllowed
from skill_arcade.web.metrics import read_ages, read_metrics, write_text
from skill_arcade.web.models.operations import Liveness, Readiness
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.readiness import check_components
from skill_arcade.web.state import State

router = APIRouter(tags=["health"])


# On run.app, Google's front end answers /healthz with 404 itself. The aliases are for other hosts, such as Kubernetes.
@router.get("/health/live")
@router.get("/healthz", include_in_schema=False)
async def read_health() -> Liveness:
    """Return that the server process responds."""
    return Liveness(status="alive")


@router.get("/health/ready", responses={503: {"model": Readiness, "description": "a component is unavailable"}})
@router.get("/readyz", include_in_schema=False)
async def read_readiness(state: State, response: Response) -> Readiness:
    """Return whether new games can be played and recorded, and the status of each component."""
    parts = await check_components(state)
    ready = all(part.ready for part in parts)
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, parts=parts, ages=read_ages(state))


@router.get("/metrics", response_class=PlainTextResponse, responses=problem_answers(403))
async def show_metrics(state: State, request: Request) -> PlainTextResponse:
    """Return metrics for Prometheus, protected by METRICS_TOKEN."""
    token, authorization = state.settings.metrics_token, request.headers.get("authorization", "")
    if token is None:
        if state.settings.skill_arcade_environment != "local":
            raise NotAllowed(
                "Metrics are disabled. Set METRICS_TOKEN on this server, and send it as Authorization: Bearer TOKEN."
            )
    elif not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise NotAllowed("The metrics token is missing or wrong. Send METRICS_TOKEN as Authorization: Bearer TOKEN.")
    return PlainTextResponse(write_text(read_metrics(state)), media_type="text/plain; version=0.0.4")
