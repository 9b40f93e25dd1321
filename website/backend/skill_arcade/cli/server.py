"""`skill-arcade serve`: runs the server."""

import contextlib
import errno
import gc
import importlib
import logging
import os
import socket
from functools import partial

import typer
import uvicorn

from skill_arcade.errors import SettingsError
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.settings import Settings, read_settings
from skill_arcade.spare_process import fork_spare_processes
from skill_arcade.web.rate_limiting.table import MAX_MESSAGE_BYTES
from skill_arcade.web.uvicorn_protocols.compatibility import check_uvicorn
from skill_arcade.web.uvicorn_protocols.http import LimitedHttpProtocol, limited_http_protocol, max_connections
from skill_arcade.web.uvicorn_protocols.websocket import RateLimitedWebSocketProtocol

log = logging.getLogger(__name__)

APP = "skill_arcade.main:app"
GRACE_SECONDS = 8
"""Time for open HTTP connections to finish after SIGTERM. Cloud Run kills the process after 10 s."""


class Server(uvicorn.Server):
    """A server that prints its address after startup."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server and print or log its address."""
        await super().startup(sockets)
        # Objects created so far are permanent. Scanning them takes 0.1 s per garbage collection and delays all players.
        gc.collect()
        gc.freeze()
        gc.enable()
        message = f"Skill Arcade is at {self._address}"
        # With JSON logs the address is a log line too.
        if read_settings().log_format == "json":
            log.info("%s", message)
        else:
            typer.echo(message)


def run_server(host: str, port: int) -> None:
    """Run the server until SIGINT or SIGTERM.

    Raises:
        SettingsError: the server cannot bind to the address, or Uvicorn's version is not supported.
    """
    check_uvicorn()
    settings = read_settings()
    sockets = open_sockets(host, port)
    gc.disable()  # until startup has imported and created everything that stays
    config = uvicorn.Config(
        APP,
        host=host,
        port=port,
        proxy_headers=False,  # see TRUSTED_PROXIES
        http=_http_protocol(settings),
        ws=RateLimitedWebSocketProtocol,
        ws_per_message_deflate=False,  # frames are compressed already
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    importlib.import_module(APP.partition(":")[0])
    # They become the uploader and the certifier.
    fork_spare_processes(2 if settings.certifier else 1, partial(_forget, sockets))
    # Ctrl-C is the normal way to stop the server, so it is not an error.
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, _address(host, sockets[0].getsockname()[1])).run(sockets)


def _http_protocol(settings: Settings) -> type[LimitedHttpProtocol]:
    n_connections = max_connections(settings.max_connections)
    # Behind a proxy all connections come from its address.
    n_of_address = n_connections if settings.trusted_proxies else settings.address_share(n_connections)
    return limited_http_protocol(n_connections, n_of_address)


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind to all addresses of `host`. `localhost` has an IPv4 and an IPv6 address, and a browser may try either first.

    Raises:
        SettingsError: the port is in use, or this machine does not have the address.
    """
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SettingsError(f"Cannot resolve the host {host!r}: {error.strerror}.") from error
    sockets: list[socket.socket] = []
    reason: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(addresses):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listen(family, (address[0], chosen)))
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                _close(sockets)
                raise SettingsError(_reason(error, host, port)) from error
            reason = error
    if not sockets:
        raise SettingsError(_reason(reason, host, port)) from reason
    return sockets


def _listen(family: int, address: tuple[str | int, int]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError:
        listener.close()
        raise
    return listener


def _forget(sockets: list[socket.socket]) -> None:
    """Let go of what only the server may hold, in a copy of it."""
    _close(sockets)
    get_fork_server().forget()


def _close(sockets: list[socket.socket]) -> None:
    for listener in sockets:
        listener.close()


def _reason(error: OSError | None, host: str, port: int) -> str:
    if error is not None and error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop the process that listens there, or choose another port with --port."
    if error is not None and error.errno == errno.EACCES:
        return f"No permission to bind to port {port}: choose a port of at least 1024 with --port."
    return f"Cannot bind to {host}:{port}: {os.strerror(error.errno or 0) if error else 'no address'}."


def _address(host: str, port: int) -> str:
    name = "localhost" if host in ("", "0.0.0.0", "::", "127.0.0.1", "::1") else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
