"""Game processes: how the pool shares them, restarts of the fork server, and what a killed process leaves behind."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

import skill_arcade.dataset as sa
from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.play.processes import environment_pool
from skill_arcade.play.processes import process_pool as pool_module
from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.play.processes.process_pool import GameProcessPool, GameSlot
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, find_games, open_player, running_arcade, wait_until_uploaded

pytestmark = pytest.mark.anyio
GAMES = load_catalogue().games
BREAKOUT, PONG, HANOI = (GAMES[name].environment for name in ("breakout", "pong", "tower-of-hanoi"))


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    settings = {"SEGMENT_SECONDS": "1", "GAMES_PER_PROCESS": "3", "CERTIFIER": "false"}
    with temporary_home() as home, running_arcade(home, None, **settings) as running:
        yield running


def find_game_processes(arcade: Arcade) -> list[psutil.Process]:
    return find_games(arcade.process.pid)


async def acquire_slot(
    process_pool: GameProcessPool, environment: EnvironmentSpec, *, is_repeating: bool = False
) -> GameSlot:
    slot, pipe = await process_pool.acquire_slot(environment, is_repeating=is_repeating)
    pipe.close()
    return slot


async def acquire_slot_in_preloaded_process(
    process_pool: GameProcessPool, environment: EnvironmentSpec, min_available: int
) -> GameSlot:
    """Acquire a slot in a process with at least `min_available` idle environments, which the fork server preloads while
    idle.
    """
    async with asyncio.timeout(30):
        while True:
            slot = await acquire_slot(process_pool, environment)
            if slot.process.available[environment.model_dump_json()] >= min_available:
                return slot
            process_pool.release_slot(slot)
            await asyncio.sleep(0.1)


async def read_until_closed(player: Player) -> None:
    with suppress(ConnectionClosed):
        while True:
            await player.read()


async def test_process_pool_shares_process_with_preloaded_environment() -> None:
    process_pool = GameProcessPool(2, ("text", "WARNING"))
    first = await acquire_slot_in_preloaded_process(process_pool, BREAKOUT, 1)
    second, third, other = [await acquire_slot(process_pool, choice) for choice in (BREAKOUT, BREAKOUT, HANOI)]
    assert second.process is first.process
    assert third.process is not first.process
    assert other.process not in (first.process, third.process)
    process_pool.release_slot(first)
    rejoined = await acquire_slot(process_pool, BREAKOUT)
    assert rejoined.process in (first.process, third.process)
    for slot in (second, third, other, rejoined):
        process_pool.release_slot(slot)


async def test_games_that_repeat_steps_are_spread_over_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "N_CPUS", 2)
    process_pool = GameProcessPool(4, ("text", "WARNING"))
    playing = await acquire_slot_in_preloaded_process(process_pool, BREAKOUT, 3)
    first = await acquire_slot(process_pool, BREAKOUT, is_repeating=True)
    second = await acquire_slot(process_pool, BREAKOUT, is_repeating=True)
    third = await acquire_slot(process_pool, BREAKOUT, is_repeating=True)
    assert first.process is playing.process
    assert second.process is not first.process
    assert third.process is first.process, "each CPU repeats a game, so the fullest process takes one more"
    second.end_repetition()
    fourth = await acquire_slot(process_pool, BREAKOUT, is_repeating=True)
    assert fourth.process is second.process
    slots = [playing, first, second, third, fourth]
    processes = {slot.process for slot in slots}
    for slot in slots:
        process_pool.release_slot(slot)
    assert [process.n_repeating for process in processes] == [0, 0]


async def test_process_pool_with_one_game_per_process_never_shares() -> None:
    process_pool = GameProcessPool(1, ("text", "WARNING"))
    slots = [await acquire_slot(process_pool, PONG) for _ in range(3)]
    assert len({slot.process.pid for slot in slots}) == 3
    for slot in slots:
        process_pool.release_slot(slot)


async def test_process_pool_replaces_dead_process() -> None:
    process_pool = GameProcessPool(4, ("text", "WARNING"))
    first = await acquire_slot_in_preloaded_process(process_pool, BREAKOUT, 1)
    first.process.kill()
    async with asyncio.timeout(60):
        while psutil.pid_exists(first.process.pid):
            await asyncio.sleep(0.01)
    second = await acquire_slot(process_pool, BREAKOUT)
    assert second.process is not first.process
    process_pool.release_slot(first)
    process_pool.release_slot(second)


async def test_fork_server_is_restarted_after_kill() -> None:
    fork_server, process_pool = get_fork_server(), GameProcessPool(4, ("text", "WARNING"))
    slot = await acquire_slot(process_pool, HANOI)
    process = fork_server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    another = await acquire_slot(process_pool, HANOI)
    assert another.process.pid != slot.process.pid
    assert psutil.Process(slot.process.pid).status() != psutil.STATUS_ZOMBIE
    process_pool.release_slot(slot)
    process_pool.release_slot(another)


async def test_killed_game_process_crashes_its_games_and_keeps_their_episodes(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    async with AsyncExitStack() as stack:
        players: list[Player] = []
        episodes: list[str] = []

        async def join(game: str) -> Player:
            player = await stack.enter_async_context(open_player(arcade, f"h{len(players)}@example.org", game))
            await player.send("start")
            episodes.append((await player.read_until("started"))["episode"])
            players.append(player)
            return player

        async with asyncio.timeout(60):
            while len(find_game_processes(arcade)) == len(players):  # until two share
                await (await join("breakout")).read_until_frame(20)
        await (await join("tower-of-hanoi")).tap(GAMES["tower-of-hanoi"].controls[0].name)
        for player in players[:-1]:
            await player.read_until_frame(player.packets[-1].frame + 30)
        for process in find_game_processes(arcade):
            with suppress(psutil.NoSuchProcess):  # it had no game and has just exited
                process.kill()
        # At once: a client that has not read its close frame after `LINGER_SECONDS` is reset.
        await asyncio.gather(*map(read_until_closed, players))
        assert [player.socket.close_code for player in players] == [CloseCode.GAME_CRASHED] * len(players)
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        episodes_by_id = {str(episode.id): episode for episode in dataset.episodes()}
    seen = {episode: player.packets[-1].frame for episode, player in zip(episodes, players, strict=True)}
    assert set(seen) <= set(episodes_by_id)
    assert {episodes_by_id[episode].status for episode in seen} == {"incomplete"}
    for episode, frame in seen.items():
        assert episodes_by_id[episode].n_steps >= frame
        assert UUID(episode) == episodes_by_id[episode].id


def test_environment_pool_evicts_least_recently_used_and_reuses_atari_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment_pool, "MAX_POOLED_GAMES", 1)
    pool = EnvironmentPool()
    pool.reserve(BREAKOUT, 2)
    pool.reserve(BREAKOUT, 2)
    while pool.has_pending:
        pool.warm_one()
    assert pool.available == {BREAKOUT.model_dump_json(): 2}
    env = pool.acquire(BREAKOUT)
    assert isinstance(env, AtariPlayableEnv)
    assert pool.available == {BREAKOUT.model_dump_json(): 1}
    pool.release(BREAKOUT, env)
    pool.release(HANOI, pool.acquire(HANOI))
    assert pool.available == {BREAKOUT.model_dump_json(): 2}
    pool.reserve(PONG, 1)
    assert pool.available == {PONG.model_dump_json(): 1}


def test_environment_pool_logs_environment_that_cannot_be_preloaded(caplog: pytest.LogCaptureFixture) -> None:
    pool = EnvironmentPool()
    pool.reserve(EnvironmentSpec(id="ALE/NoSuchGame-v5"), 1)
    assert not pool.has_pending
    assert "ALE/NoSuchGame-v5" in caplog.text
