"""How fast one address may ask: newcomers least of all, for each of them may become a game. Plain ASGI."""

import asyncio
import ipaddress
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.problems import answer_problem, retry_after
from skill_arcade.web.token_bucket import REJECTION_DELAY_SECONDS, KeyedRateLimiter, retry_message
from skill_arcade.wire.close_codes import CloseCode

REFILL_SECONDS = 15.0
"""After so long an address that has asked for all that it may ask for at once may do so again."""
MAX_REQUEST_BURST = 50
"""Requests of any kind to one newcomer: the page of all games asks for a few hundred pictures."""
LIMITED_PATHS = {("POST", "/auth/login"): "sign-ins", ("POST", "/play/tickets"): "games"}
EXEMPT_PATHS = ("/healthz", "/readyz")
TOO_MANY_MESSAGE = "Very many {what} come from your address; {when}."


class ForwardedHeadersMiddleware:
    """Puts into the scope who really asks, and how, as so many proxies that are trusted say."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._number = app, settings.trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. What stands to the left of what our own proxies wrote is anybody's invention."""
        if self._number and scope["type"] in ("http", "websocket"):
            told = [part.strip() for value in _values(scope, b"x-forwarded-for") for part in value.split(",")]
            if len(told) >= self._number:
                scope["client"] = told[-self._number], 0
            if _values(scope, b"x-forwarded-proto")[-1:] == ["https"]:
                scope["scheme"] = "https" if scope["type"] == "http" else "wss"
        await self._app(scope, receive, send)


class RateLimitMiddleware:
    """Answers 429, or closes a socket with 4029, while an address asks too fast: in words, with when to try again."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        burst = settings.rate_limit_burst
        self._app = app
        self._all = KeyedRateLimiter(rate=MAX_REQUEST_BURST * burst / REFILL_SECONDS, burst=MAX_REQUEST_BURST * burst)
        kinds = "sockets", *LIMITED_PATHS.values()
        self._newcomers = {kind: KeyedRateLimiter(rate=burst / REFILL_SECONDS, burst=burst) for kind in kinds}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say when to come again."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        who = client_key((scope.get("client") or ("",))[0])
        what, seconds = "requests", self._all.take(who)
        kind = "sockets" if scope["type"] == "websocket" else LIMITED_PATHS.get((scope["method"], scope["path"]))
        if not seconds and kind is not None:
            what, seconds = kind, self._newcomers[kind].take(who)
        if not seconds:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
        if scope["type"] == "websocket":
            await _reject_websocket(receive, send, TOO_MANY_MESSAGE.format(what=what, when=retry_message(seconds)))
        else:
            words = TOO_MANY_MESSAGE.format(what=what, when=retry_message(seconds))
            await answer_problem(429, "TooManyRequests", words, retry_after(seconds))(scope, receive, send)


async def _reject_websocket(receive: Receive, send: Send, words: str) -> None:
    """Accept it first: a page reads the reason of a close, but nothing of a handshake that is refused."""
    await receive()
    await send({"type": "websocket.accept", "headers": []})
    await send({"type": "websocket.close", "code": int(CloseCode.RATE_LIMITED), "reason": words})


def client_key(address: str) -> str:
    """Who that is, for a limit: an address of IPv4, or the network (/64) that one household has of IPv6."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 6 and (inside := known.ipv4_mapped) is None:
        return str(ipaddress.ip_network((int(known), 64), strict=False))
    return str(inside if known.version == 6 else known)


def _values(scope: Scope, wanted: bytes) -> list[str]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1") for name, value in headers if name == wanted]
