"""Measures the frames of other players before and during each attack."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from anyio import sleep

from tests.support.attacks.bystanders import Bystanders, format_quantiles
from tests.support.attacks.core_usage import read_usage
from tests.support.server import ServerUnderTest

Attack = Callable[[], Awaitable[Counter[int]]]
TABLE_HEADER = (
    "| attack | cases | close codes, statuses | crashes | server memory, MB: before, after "
    "| others' frame interval, ms, p50 / p99: before | during |\n|---|---|---|---|---|---|---|"
)
CPU_TABLE_HEADER = (
    "| attack | cores, % of one, used / waited for: attacker | server | the others' games "
    "| between steps, ms, p50 / p99: before | during | from step to arrival, ms, p50 / p99: before | during |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass
class Scene:
    """An arcade with bystanders. `cpu_rows` are rows of the second table, about CPU and delays."""

    server: ServerUnderTest
    bystanders: Bystanders
    quiet_seconds: float
    cpu_rows: list[str] = field(default_factory=list)

    async def measure(self, name: str, attack: Attack, attacker_pid: int) -> str:
        """Return a row of the first table. `attacker_pid` is the process that attacks."""
        before, process = time.monotonic(), self.server.server
        await sleep(self.quiet_seconds)
        groups = [attacker_pid], [process.pid], self._busiest(len(self.bystanders.frames))
        usages, memory, started = [read_usage(group) for group in groups], process.memory_info().rss, time.monotonic()
        codes = await attack()
        ended = time.monotonic()
        used = [
            (read_usage(group) - earlier).describe(ended - started)
            for group, earlier in zip(groups, usages, strict=True)
        ]
        log = (self.server.home / "server.log").read_text(errors="replace")
        crashes = log.count("Traceback") + (not process.is_running())
        statuses = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))
        sizes = f"{memory >> 20}, {process.memory_info().rss >> 20}"
        spans = (before, started), (started, ended)
        frames, ticks, delays = (
            " | ".join(format_quantiles(find(*span)) for span in spans)
            for find in (self.bystanders.intervals, self.bystanders.ticks, self.bystanders.delays)
        )
        self.cpu_rows.append(f"| {name} | {' | '.join(used)} | {ticks} | {delays} |")
        return f"| {name} | {sum(codes.values())} | {statuses} | {crashes} | {sizes} | {frames} |"

    def _busiest(self, people: int) -> Sequence[int]:
        """Return the process ids of the bystanders' games, which have used the most CPU."""
        games = sorted(self.server.games(), key=lambda game: -sum(game.cpu_times()[:2]))
        return [game.pid for game in games[:people]]
