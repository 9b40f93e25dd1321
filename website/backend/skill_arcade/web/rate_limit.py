"""Rate limit middleware per client address, and forwarded headers of trusted proxies.

Requests that may start a game have the strictest limits. It is plain ASGI, so that open WebSockets have no overhead.
"""

import asyncio
import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.problems import answer_problem, retry_after
from skill_arcade.web.token_bucket import REJECTION_DELAY_SECONDS, KeyedRateLimiter, retry_message
from skill_arcade.wire.close_codes import CloseCode

REFILL_SECONDS = 15.0
"""Time in which an empty token bucket is full again."""
MAX_REQUEST_BURST = 50
"""Requests of any kind per unit of the burst setting. The game list loads a few hundred pictures."""
LIMITED_PATHS = {("POST", "/auth/login"): "sign-ins", ("POST", "/play/tickets"): "games"}
EXEMPT_PATHS = ("/healthz", "/readyz")
TOO_MANY_MESSAGE = "Too many {kind} from your IP address. {retry}"


class ForwardedHeadersMiddleware:
    """Sets client address and scheme from X-Forwarded-For and X-Forwarded-Proto, if there are trusted proxies.

    With `TRUSTED_PROXIES` = n the client address is the n-th entry from the right. Entries before it are supplied by
    the client and are ignored.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._n_proxies = app, settings.trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._n_proxies and scope["type"] in ("http", "websocket"):
            addresses = [
                part.strip() for value in _header_values(scope, b"x-forwarded-for") for part in value.split(",")
            ]
            if len(addresses) >= self._n_proxies:
                scope["client"] = addresses[-self._n_proxies], 0
            if _header_values(scope, b"x-forwarded-proto")[-1:] == ["https"]:
                scope["scheme"] = "https" if scope["type"] == "http" else "wss"
        await self._app(scope, receive, send)


class RateLimitMiddleware:
    """Answers 429, or closes a WebSocket with 4029, while a client address exceeds its rate limit."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        burst = settings.rate_limit_burst
        self._app = app
        self._all_requests = KeyedRateLimiter(
            rate=MAX_REQUEST_BURST * burst / REFILL_SECONDS, burst=MAX_REQUEST_BURST * burst
        )
        kinds = "sockets", *LIMITED_PATHS.values()
        self._by_kind = {kind: KeyedRateLimiter(rate=burst / REFILL_SECONDS, burst=burst) for kind in kinds}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        key = client_key((scope.get("client") or ("",))[0])
        exceeded, seconds = "requests", self._all_requests.take(key)
        kind = "sockets" if scope["type"] == "websocket" else LIMITED_PATHS.get((scope["method"], scope["path"]))
        if not seconds and kind is not None:
            exceeded, seconds = kind, self._by_kind[kind].take(key)
        if not seconds:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
        message = TOO_MANY_MESSAGE.format(kind=exceeded, retry=retry_message(seconds))
        if scope["type"] == "websocket":
            await _reject_websocket(receive, send, message)
        else:
            await answer_problem(429, "TooManyRequests", message, retry_after(seconds))(scope, receive, send)


async def _reject_websocket(receive: Receive, send: Send, reason: str) -> None:
    """Accept the WebSocket and close it: a page can read the reason of a close, but not of a rejected handshake."""
    await receive()
    await send({"type": "websocket.accept", "headers": []})
    await send({"type": "websocket.close", "code": int(CloseCode.RATE_LIMITED), "reason": reason})


@lru_cache(10_000)
def client_key(address: str) -> str:
    """Return the key of a client address for rate limits: the IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and (mapped := parsed.ipv4_mapped) is None:
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(mapped if parsed.version == 6 else parsed)


def _header_values(scope: Scope, header: bytes) -> list[str]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1") for name, value in headers if name == header]
