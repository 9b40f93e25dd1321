"""Who may ask, and what the browser is told to forbid. Plain ASGI: a socket passes at no cost."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.problems import answer_problem

# What a Vite build and the game need: own scripts, styles and sockets, inlined images, nothing from elsewhere.
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
# Where games may run in the page, it may compile what it got from here; evaluating text stays forbidden.
WASM = "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
# Where the Firebase SDK signs in and renews what it holds. It needs no frame, no pop-up and no script of Google's.
FIREBASE = ("https://identitytoolkit.googleapis.com", "https://securetoken.googleapis.com")
HEALTH = ("/healthz", "/readyz")
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{1,5})?", re.IGNORECASE)


class SecurityHeadersMiddleware:
    """Puts the security headers on every answer, errors and files included.

    COOP and COEP together isolate the page, so that its clock resolves 5 microseconds instead of 100.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": page_policy(settings),
            "cross-origin-embedder-policy": "require-corp",
            "cross-origin-opener-policy": "same-origin",
            # A page of another site that is allowed here is isolated itself, so it needs this to show covers.
            "cross-origin-resource-policy": "cross-origin" if settings.cors_origins else "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        await self._app(scope, receive, send_dressed)


class RequestGuardMiddleware:
    """Refuses requests for another host name, sockets of another site's page, and bodies that are too big.

    The host name matters on a laptop most: it keeps any page on the internet from reaching a server
    on loopback by a name that it points there. Health checks come by address and are let in.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = tuple(host.lower().strip("[]") for host in settings.trusted_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in settings.cors_origins)
        self._max_body = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        refusal = self._rejection(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is not None:
            await answer_problem(*refusal)(scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, self._count_body(receive), send)
        else:
            await self._app(scope, receive, send)

    def _count_body(self, receive: Receive) -> Receive:
        """Stop reading a body that gives no length, or a wrong one, when it has become too big."""
        total = 0

        async def receive_counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_body:
                raise HTTPException(413)
            return message

        return receive_counted

    def _rejection(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        if not matches_host(host_name(headers.get("host", "")), self._hosts) and scope["path"] not in HEALTH:
            known = ", ".join(self._hosts)
            return 400, "UntrustedHost", f"This server answers to {known} only; TRUSTED_HOSTS sets the names."
        if scope["type"] == "websocket" and not self._admits_origin(headers.get("origin")):
            return 403, "UntrustedOrigin", "A page of another site asked; CORS_ORIGINS sets which may."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            return 413, "BodyTooBig", f"The body of a request may have {self._max_body} bytes at most."
        return None

    def _admits_origin(self, origin: str | None) -> bool:
        """Programs send no origin; browsers always do, and scripts can't change it."""
        if origin is None or origin.lower() in self._origins:
            return True
        return matches_host(host_name(origin.partition("://")[2]), self._hosts)


def page_policy(settings: Settings) -> str:
    """Say what the page may do: run games where that is on, and speak to Firebase where one signs in by it."""
    policy = POLICY.replace(*WASM) if settings.is_lockstep_enabled else POLICY
    if settings.sign_in_method != "firebase":
        return policy
    stand_in = settings.firebase_auth_emulator_host
    places = FIREBASE if stand_in is None else (f"http://{stand_in}",)
    return policy.replace("connect-src 'self'", f"connect-src 'self' {' '.join(places)}")


def host_name(address: str) -> str | None:
    """Take the name out of HOST or HOST:PORT: lower case, without brackets; None when it is not one."""
    match = HOST.fullmatch(address)
    return (match[1] or match[2]).lower() if match else None


def matches_host(host: str | None, patterns: Sequence[str]) -> bool:
    """Say whether a host's name is one of these: a name, `*.name` for all below it, or `*` for any."""
    if "*" in patterns:
        return True
    return host is not None and any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in patterns
    )
