"""The ASGI application: routes, error handlers, middleware and the static site."""

import sys
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade import __version__
from skill_arcade.errors import ArcadeError
from skill_arcade.settings import Settings, read_settings
from skill_arcade.web import play_socket, watch_socket
from skill_arcade.web.client_address import ForwardedHeadersMiddleware
from skill_arcade.web.document import describe_api, operation_name
from skill_arcade.web.lifespan import run_arcade
from skill_arcade.web.problems import HANDLERS
from skill_arcade.web.rate_limiting.middleware import RateLimitMiddleware
from skill_arcade.web.request_id import RequestIdMiddleware
from skill_arcade.web.routes import (
    auth,
    boards,
    clips,
    config,
    consent,
    daily,
    datasets,
    episodes,
    exports,
    games,
    health,
    judgements,
    lockstep,
    me,
    notes,
    play,
    preferences,
    replay,
    research,
    shared,
    shares,
    studies,
)
from skill_arcade.web.security import RequestGuardMiddleware, SecurityHeadersMiddleware
from skill_arcade.web.static_site import StaticSite

# Traces would record URLs, which contain play tickets; nothing reads them here.
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False}


class Arcade(FastAPI):
    """FastAPI application with security headers on every response, and the socket's messages in its OpenAPI."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(
            title="Skill Arcade",
            version=__version__,
            description="Play Gymnasium environments in a browser; every frame, action and time is recorded.",
            lifespan=lambda _: run_arcade(settings),
            exception_handlers=HANDLERS,
            middleware=_middleware(settings),
            generate_unique_id_function=operation_name,
            redirect_slashes=False,
            telemetry=NO_TELEMETRY,
            docs_url=None,
            redoc_url=None,
        )
        route_modules = (
            *(auth, config, games, play, me, preferences, play_socket, episodes, exports, lockstep, health),
            *(watch_socket, replay, clips, notes, shares, shared, boards, daily, consent, studies, research, datasets),
            *(judgements,),
        )
        for router in (module.router for module in route_modules):
            self.include_router(router)
        self.router.default = StaticSite(settings.page_folder)

    def openapi(self) -> dict[str, Any]:
        """Build the OpenAPI document once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_api(self)
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        """Put the security headers outermost, so that they are also on the response to a crash."""
        app_with_headers = SecurityHeadersMiddleware(super().build_middleware_stack(), self.settings)
        return ForwardedHeadersMiddleware(
            RequestIdMiddleware(app_with_headers, self.settings.gcp_project_name), self.settings
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; report an expected startup error by its message, without a traceback."""

        async def send_reason(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and isinstance(sys.exception(), ArcadeError):
                message["message"] = f"{sys.exception()}"
            await send(message)

        await super().__call__(scope, receive, send_reason if scope["type"] == "lifespan" else send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application. Nothing is opened before it starts."""
    return Arcade(settings or read_settings())


def _middleware(settings: Settings) -> list[Middleware]:
    stack = [Middleware(RateLimitMiddleware, settings=settings), Middleware(RequestGuardMiddleware, settings=settings)]
    if not settings.cors_origins:
        return stack
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Range", "Share-Token"],
        max_age=600,
    )
    return [cors, *stack]
