"""Agones: tells the sidecar that this server is ready, healthy, in use, or done (rule R42, decision 0065)."""

import asyncio
import json
import logging
import os
import urllib.request
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

HEALTH_SECONDS = 5.0
"""Interval of the health calls. Agones replaces a server that leaves out several of them."""
TIMEOUT_SECONDS = 2.0
COUNTER = "games"
"""Counter of the GameServer, whose capacity is MAX_GAMES."""


class Agones:
    """Client of the sidecar's HTTP API. See `find_agones`.

    The server is allocated while it runs a game, so that no scale-down removes it, and ready again after the last one.
    A call that fails is repeated with the next health call, because the sidecar may start after the server.
    """

    def __init__(self, url: str, count_games: Callable[[], int]) -> None:
        self._url, self._count_games = url, count_games
        self._sent_state, self._sent_count = "", -1

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(HEALTH_SECONDS)

    async def report(self) -> None:
        """Report health, and the state and the number of games where they have changed. A failure is logged."""
        n_games = self._count_games()
        state = "/allocate" if n_games else "/ready"
        try:
            await self._call("POST", "/health")
            if state != self._sent_state:
                await self._call("POST", state)
                self._sent_state = state
            if n_games != self._sent_count:
                # 64-bit integers are text in the JSON of gRPC.
                await self._call("PATCH", f"/v1beta1/counters/{COUNTER}", {"count": str(n_games)})
                self._sent_count = n_games
        except OSError as error:
            log.warning("cannot reach Agones, retrying error=%s: %s", type(error).__name__, error)

    async def shut_down(self) -> None:
        """Say that the server has stopped and stored everything. Agones then deletes it and starts another one."""
        try:
            await self._call("POST", "/shutdown")
        except OSError as error:
            log.warning("cannot tell Agones of the stop error=%s: %s", type(error).__name__, error)

    async def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, json.dumps(body or {}).encode(), headers, method=method)
        await asyncio.to_thread(_send, request)


def find_agones(count_games: Callable[[], int], environment: Mapping[str, str] = os.environ) -> Agones | None:
    """Return the client, or None if this server is no GameServer: Agones sets AGONES_SDK_HTTP_PORT."""
    port = environment.get("AGONES_SDK_HTTP_PORT")
    return Agones(f"http://localhost:{port}", count_games) if port else None


def _send(request: urllib.request.Request) -> None:
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        answer.read()
