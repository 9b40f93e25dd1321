"""`skill-arcade serve`."""

import contextlib
import errno
import gc
import logging
import os
import socket

import typer
import uvicorn

from skill_arcade.errors import SettingsError
from skill_arcade.settings import read_settings
from skill_arcade.web.token_bucket import MAX_MESSAGE_BYTES
from skill_arcade.web.websocket_protocol import RateLimitedWebSocketProtocol

log = logging.getLogger(__name__)

APP = "skill_arcade.main:app"
# Cloud Run gives 10 seconds between asking and killing.
GRACE_SECONDS = 8
"""Time that open HTTP connections have to finish after SIGTERM."""


class Server(uvicorn.Server):
    """Says where it is once it is there."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        # What is there by now stays. To look through it for garbage takes a tenth of a second, and every player waits.
        gc.collect()
        gc.freeze()
        words = f"Skill Arcade is at {self._address}"
        # Where lines of the log are objects, this is one of them.
        if read_settings().log_format == "json":
            log.info("%s", words)
        else:
            typer.echo(words)


def run_server(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        SettingsError: nobody can listen there.
    """
    sockets = open_sockets(host, port)
    config = uvicorn.Config(
        APP,
        host=host,
        port=port,
        proxy_headers=False,  # TRUSTED_PROXIES says whom to believe
        ws=RateLimitedWebSocketProtocol,
        ws_per_message_deflate=False,  # frames are compressed already
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # Ctrl-C is how one ends it, so it is no failure.
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, _address(host, sockets[0].getsockname()[1])).run(sockets)


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listen at every address of `host`: `localhost` is two, and a browser may try either first.

    Raises:
        SettingsError: the port is taken, or this machine has no such address.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SettingsError(f"There is no host {host!r} to listen at: {error.strerror}.") from error
    opened: list[socket.socket] = []
    reason: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        chosen = opened[0].getsockname()[1] if opened else port
        try:
            opened.append(_listen(family, (address[0], chosen)))
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                _close(opened)
                raise SettingsError(_reason(error, host, port)) from error
            reason = error
    if not opened:
        raise SettingsError(_reason(reason, host, port)) from reason
    return opened


def _listen(family: int, address: tuple[str | int, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(socket.SOMAXCONN)
    except OSError:
        made.close()
        raise
    return made


def _close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


def _reason(error: OSError | None, host: str, port: int) -> str:
    if error is not None and error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: end what listens there, or choose another with --port."
    if error is not None and error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has: choose one from 1024 on with --port."
    return f"Nobody can listen at {host}:{port}: {os.strerror(error.errno or 0) if error else 'no address'}."


def _address(host: str, port: int) -> str:
    name = "localhost" if host in ("", "0.0.0.0", "::", "127.0.0.1", "::1") else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
