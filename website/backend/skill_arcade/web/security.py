"""Security middleware: response headers, and rejection of untrusted hosts, untrusted origins and large bodies.

It is plain ASGI, so that open WebSockets have no overhead.
"""

import logging
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.telemetry import HEALTH_PATHS
from skill_arcade.web.problems import answer_problem
from skill_arcade.wire.error_table import BODY_TOO_BIG, UNTRUSTED_HOST, UNTRUSTED_ORIGIN, ErrorEntry

log = logging.getLogger(__name__)
# A Vite build and the game need their own scripts, styles and sockets, and inlined images; nothing from other origins.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# With lockstep the page compiles a WebAssembly module of this server; `eval` stays forbidden.
WASM = "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
# Endpoints at which the Firebase SDK signs in and refreshes tokens. It needs no frame, pop-up or script of Google's.
FIREBASE = ("https://identitytoolkit.googleapis.com", "https://securetoken.googleapis.com")
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?", re.IGNORECASE)


class SecurityHeadersMiddleware:
    """Adds the security headers to every response, including errors and files.

    COOP and COEP together isolate the page, so that its clock has a resolution of 5 instead of 100 microseconds.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": page_policy(settings),
            "cross-origin-embedder-policy": "require-corp",
            "cross-origin-opener-policy": "same-origin",
            # A page of an allowed other site is isolated too, so it needs this to show covers.
            "cross-origin-resource-policy": "cross-origin" if settings.cors_origins else "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestGuardMiddleware:
    """Rejects requests for another host name, WebSockets of another site's page, and bodies that are too large.

    The check of the host name prevents DNS rebinding, by which a page on the internet could reach a server on loopback.
    Health checks use IP addresses and are exempt.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = tuple(host.lower().strip("[]") for host in settings.trusted_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in settings.cors_origins)
        self._max_body_bytes = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rejection = self._rejection(scope) if scope["type"] in ("http", "websocket") else None
        if rejection is not None:
            headers = Headers(scope=scope)
            log.info(
                "request rejected error=%s host=%.100r origin=%.100r",
                rejection[0].name,
                headers.get("host", ""),
                headers.get("origin", ""),
            )
            await answer_problem(*rejection)(scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, self._count_body(receive), send)
        else:
            await self._app(scope, receive, send)

    def _count_body(self, receive: Receive) -> Receive:
        """Stop reading a body that has no or a wrong length once it is too large."""
        total = 0

        async def counting_receive() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_body_bytes:
                raise HTTPException(413)
            return message

        return counting_receive

    def _rejection(self, scope: Scope) -> tuple[ErrorEntry, str] | None:
        headers = Headers(scope=scope)
        if not matches_host(host_name(headers.get("host", "")), self._hosts) and scope["path"] not in HEALTH_PATHS:
            hosts = ", ".join(self._hosts)
            return UNTRUSTED_HOST, f"Unknown host name. This server answers to {hosts}; TRUSTED_HOSTS sets them."
        if scope["type"] == "websocket" and not self._admits_origin(headers.get("origin")):
            return UNTRUSTED_ORIGIN, "Pages of this origin may not connect. Add it to CORS_ORIGINS."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body_bytes:
            return BODY_TOO_BIG, f"The request body exceeds the maximum of {self._max_body_bytes} bytes."
        return None

    def _admits_origin(self, origin: str | None) -> bool:
        """Return whether a WebSocket may come from this origin.

        Programs send none; browsers always do, and scripts cannot change it.
        """
        if origin is None or origin.lower() in self._origins:
            return True
        return matches_host(host_name(origin.partition("://")[2]), self._hosts)


def page_policy(settings: Settings) -> str:
    """Return the content security policy of the page, with lockstep, Firebase and other servers if enabled."""
    policy = POLICY.replace(*WASM) if settings.is_lockstep_enabled else POLICY
    origins = settings.allowed_sockets
    if settings.sign_in_method == "firebase":
        emulator = settings.firebase_auth_emulator_host
        origins += FIREBASE if emulator is None else (f"http://{emulator}",)
    return policy.replace("connect-src 'self'", " ".join(("connect-src 'self'", *origins)))


def host_name(address: str) -> str | None:
    """Return the host of HOST or HOST:PORT in lower case and without brackets, or None if it is invalid."""
    match = HOST.fullmatch(address)
    return (match[1] or match[2]).lower() if match else None


def matches_host(host: str | None, patterns: Sequence[str]) -> bool:
    """Return whether a host matches one of these: a name, `*.name` for all its subdomains, or `*` for any."""
    if "*" in patterns:
        return True
    return host is not None and any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in patterns
    )
