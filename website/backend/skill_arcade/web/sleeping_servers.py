"""Wakes servers that have stopped because nobody played on them (decision 0072)."""

import asyncio
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from skill_arcade.storage.database.servers import PlacedServer

log = logging.getLogger(__name__)

WAKE_SECONDS = 15.0
"""Time between requests to one server. It has started and is placed by then, or is asked once more."""
TIMEOUT_SECONDS = 5.0
"""Time to wait for an answer. A platform such as Cloud Run goes on starting the server if nobody waits."""


class SleepingServers:
    """Requests `/health` of a server that sleeps, when few places are left on those that do not.

    Only origins without a wildcard are known; see SOCKET_ORIGINS.
    """

    def __init__(
        self, origins: Sequence[str], count_margin: Callable[[int], int], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._origins = [origin for origin in origins if "*" not in origin]
        self._count_margin, self._now = count_margin, now
        self._requested_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake_if_few_places(self, servers: Sequence[PlacedServer]) -> None:
        """Wake one server in the background if all others together have no more places than one's margin.

        The margin itself does not count as places. `servers` are those that accept players.
        """
        awake = {server.socket_origin for server in servers}
        places = sum(max(0, one.max_games - self._count_margin(one.max_games) - one.games) for one in servers)
        if places > max((self._count_margin(one.max_games) for one in servers), default=0):
            return
        asleep = [origin for origin in self._origins if origin not in awake]
        now = self._now()
        if any(now - self._requested_at.get(origin, -WAKE_SECONDS) < WAKE_SECONDS for origin in asleep):
            return  # one is starting
        # The one that was asked longest ago comes first, so that a server which does not start blocks no other.
        asleep.sort(key=lambda origin: self._requested_at.get(origin, float("-inf")))
        if asleep:
            self._requested_at[asleep[0]] = now
            task = asyncio.create_task(asyncio.to_thread(_request_health, asleep[0]), name="wake a server")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Wait for requests that are on their way, at most `TIMEOUT_SECONDS`."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _request_health(origin: str) -> None:
    address = f"http{origin.removeprefix('ws')}/health"
    log.info("waking a server, because the others are nearly full address=%s", address)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        log.info("a server answered while it starts status=%d address=%s", error.code, address)
    except OSError as error:
        log.info("a server does not answer yet address=%s error=%s: %s", address, type(error).__name__, error)
