"""Rate limit middleware per client address.

Requests that may start a game have the strictest limits. It is plain ASGI, so that open WebSockets have no overhead.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.errors import TooManyRequests
from skill_arcade.settings import Settings
from skill_arcade.telemetry import HEALTH_PATHS
from skill_arcade.web.client_address import client_key
from skill_arcade.web.problems import answer_problem, retry_after
from skill_arcade.web.rate_limiting.table import (
    LIMITED_PATHS,
    RATE_LIMITS,
    REJECTION_DELAY_SECONDS,
    REQUESTS,
    SOCKETS,
)
from skill_arcade.web.rate_limiting.token_bucket import KeyedRateLimiter, retry_message
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import PROBLEMS

TOO_MANY_MESSAGE = "Too many {kind} from your IP address. {retry}"


class RateLimitMiddleware:
    """Answers 429, or closes a WebSocket with 4029, while a client address exceeds its rate limit."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limiters = {
            limit: KeyedRateLimiter(limit.scale(settings.rate_limit_burst)) for limit in RATE_LIMITS if limit.is_scaled
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        key = client_key((scope.get("client") or ("",))[0])
        exceeded, seconds = REQUESTS, self._limiters[REQUESTS].take(key)
        stricter = SOCKETS if scope["type"] == "websocket" else LIMITED_PATHS.get((scope["method"], scope["path"]))
        if not seconds and stricter is not None:
            exceeded, seconds = stricter, self._limiters[stricter].take(key)
        if not seconds:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
        message = TOO_MANY_MESSAGE.format(kind=exceeded.unit, retry=retry_message(seconds))
        if scope["type"] == "websocket":
            await _reject_websocket(receive, send, message)
        else:
            await answer_problem(PROBLEMS[TooManyRequests], message, retry_after(seconds))(scope, receive, send)


async def _reject_websocket(receive: Receive, send: Send, reason: str) -> None:
    """Accept the WebSocket and close it: a page can read the reason of a close, but not of a rejected handshake."""
    await receive()
    await send({"type": "websocket.accept", "headers": []})
    await send({"type": "websocket.close", "code": int(CloseCode.RATE_LIMITED), "reason": reason})
