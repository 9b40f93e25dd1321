"""The address of a client, from the headers of trusted proxies, and its key for limits."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.settings import Settings


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
