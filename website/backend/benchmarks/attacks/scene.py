"""An arcade with bystanders, one attack after the other, and what each did to the frames of the others."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from anyio import sleep

from benchmarks.attacks.people import Bystanders, spread
from benchmarks.attacks.shares import share
from tests.support.server import ServerUnderTest

Attack = Callable[[], Awaitable[Counter[int]]]
HEAD = (
    "| attack | cases | close codes, statuses | crashes | server memory, MB: before, after "
    "| others' frame interval, ms, p50 / p99: before | during |\n|---|---|---|---|---|---|---|"
)
WHY_HEAD = (
    "| attack | cores, % of one, used / waited for: attacker | server | the others' games "
    "| between steps, ms, p50 / p99: before | during | from step to arrival, ms, p50 / p99: before | during |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass
class Scene:
    """`why`: rows that tell what the frames of the others waited for."""

    house: ServerUnderTest
    crowd: Bystanders
    quiet: float
    why: list[str] = field(default_factory=list)

    async def measure(self, name: str, attack: Attack, attacker: int) -> str:
        """One row: the others' frames before and during. `attacker` is the process that attacks."""
        before, server = time.monotonic(), self.house.server
        await sleep(self.quiet)
        groups = [attacker], [server.pid], self._busiest(len(self.crowd.frames))
        shares, memory, begun = [share(group) for group in groups], server.memory_info().rss, time.monotonic()
        codes = await attack()
        ended = time.monotonic()
        had = [(share(group) - then).of(ended - begun) for group, then in zip(groups, shares, strict=True)]
        log = (self.house.home / "server.log").read_text(errors="replace")
        crashes = log.count("Traceback") + (not server.is_running())
        told = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))
        sizes = f"{memory >> 20}, {server.memory_info().rss >> 20}"
        spans = (before, begun), (begun, ended)
        frames, ticks, ways = (
            " | ".join(spread(find(*span)) for span in spans)
            for find in (self.crowd.intervals, self.crowd.ticks, self.crowd.ways)
        )
        self.why.append(f"| {name} | {' | '.join(had)} | {ticks} | {ways} |")
        return f"| {name} | {sum(codes.values())} | {told} | {crashes} | {sizes} | {frames} |"

    def _busiest(self, people: int) -> Sequence[int]:
        """The processes of the bystanders' games: they have played longest."""
        games = sorted(self.house.games(), key=lambda process: -sum(process.cpu_times()[:2]))
        return [process.pid for process in games[:people]]
