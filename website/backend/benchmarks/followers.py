"""What a player costs the server: scripted ones, all streamed or all in lockstep, with recording, for some seconds."""

import asyncio
import json
import random
import time
from pathlib import Path

from benchmarks.players import Tally, play
from benchmarks.processes import Meter
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.recording.journal_files import list_files
from skill_arcade.recording.purge import read_header
from tests.support.arcade import Arcade, now_ms, open_player, running_arcade
from tests.support.lockstep_page import EMPTY_MODULE, PERIOD_MS, LockstepPage

GAME = load_catalogue().games["breakout"]
SEND_EVERY = 0.1
KINDS = ("server", "games", "delivery", "certifier", "postgres")


async def measure_cpu(folder: Path, mode: str, players: int, seconds: float) -> dict[str, float]:
    """Per cent of a core for each player, by kind of process and in all, and the steps a second that each took."""
    (folder / "lockstep.wasm").write_bytes(EMPTY_MODULE)
    settings = {
        "LOCKSTEP_FOLDER": str(folder),
        "MAX_GAMES": str(players + 2),
        "RATE_LIMIT_BURST": "1000",
        "LOG_LEVEL": "WARNING",
    }
    with running_arcade(folder, None, SEGMENT_SECONDS="5", **settings) as arcade:
        envs = [make_environment(GAME.environment) for _ in range(players if mode == "lockstep" else 0)]
        measuring, over = asyncio.Event(), asyncio.Event()
        tally, steps = Tally(), [0]
        async with asyncio.TaskGroup() as group:
            for number in range(players):
                email = f"{mode}{number}@example.org"
                if mode == "lockstep":
                    group.create_task(follow(arcade, email, envs[number], measuring, over, steps))
                else:
                    until = time.monotonic() + seconds + 4 + 0.1 * (players - number)
                    group.create_task(stream(arcade, email, until, tally, measuring))
                await asyncio.sleep(0.1)
            await asyncio.sleep(3)
            # In a thread: who plays here must not wait for it.
            meter = await asyncio.to_thread(Meter, arcade.process.pid, arcade.home)
            measuring.set()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(0.25)
                await asyncio.to_thread(meter.read)
            lasted = time.monotonic() - meter.began
            taken = steps[0]
            over.set()
    used = {kind: 100 * meter.seconds.get(kind, 0.0) / lasted / players for kind in KINDS}
    rate = sum(tally.rates) / len(tally.rates) if tally.rates else taken / lasted / players
    return {"in all": sum(used.values()), **used, "steps/s": rate}


async def stream(arcade: Arcade, email: str, until: float, tally: Tally, measuring: asyncio.Event) -> None:
    """A streamed player, until a moment."""
    async with open_player(arcade, email, "breakout") as player:
        await play(player, random.Random(email), until, tally, measuring)


async def follow(
    arcade: Arcade, email: str, env: PlayableEnv, measuring: asyncio.Event, over: asyncio.Event, steps: list[int]
) -> None:
    """A player whose page steps by itself, ten messages a second, keys some four times a second."""
    rng = random.Random(email)
    async with open_player(arcade, email, "breakout") as player:
        while not over.is_set():
            await player.send("start", mode="lockstep")
            started = await player.read_until("started")
            page = LockstepPage(GAME, find_seed(arcade, started["episode"]), env)
            page.now_ms = now_ms()
            reader = asyncio.create_task(player.read_until("ended"))
            held: str | None = None
            while not (page.over or over.is_set()):
                await asyncio.sleep(SEND_EVERY)
                if rng.random() < 0.4:
                    if held is not None:
                        page.press(held, down=False)
                    held = rng.choice(("left", "right"))
                    page.press(held)
                before = page.n_steps
                page.step(int((now_ms() - page.now_ms) / PERIOD_MS))
                if measuring.is_set() and not over.is_set():
                    steps[0] += page.n_steps - before
                if reader.done():
                    raise RuntimeError(
                        f"the server ended the game: {reader.result()['reason']}; this machine may be too busy for "
                        "pages in real time"
                    )
                await player.socket.send(json.dumps(page.ticks()))
            if not page.over:
                await player.send("leave")
            await reader


def find_seed(arcade: Arcade, episode: str) -> int:
    """The episode's seed, which a real page has from the server in ALE's form."""
    head = read_header(list_files(arcade.home / "journal" / episode)[0])
    assert head is not None
    return head.seed
