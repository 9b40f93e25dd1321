"""Atari games share processes; whatever happens to one process, no record is lost, and no other process is touched."""

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
from skill_arcade.play.processes import environment_pool as stock
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
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", GAMES_PER_PROCESS="3") as running:
        yield running


def games_of(arcade: Arcade) -> list[psutil.Process]:
    return find_games(arcade.process.pid)


async def open_place(process_pool: GameProcessPool, environment: EnvironmentSpec) -> GameSlot:
    place, pipe = await process_pool.acquire_slot(environment)
    pipe.close()
    return place


async def open_stocked(process_pool: GameProcessPool, environment: EnvironmentSpec, least: int) -> GameSlot:
    """A place in a new process that has so many more stages: they are loaded while nobody asks for anything."""
    async with asyncio.timeout(30):
        while True:
            place = await open_place(process_pool, environment)
            if place.process.available[environment.model_dump_json()] >= least:
                return place
            process_pool.release_slot(place)
            await asyncio.sleep(0.1)


async def until_closed(player: Player) -> None:
    with suppress(ConnectionClosed):
        while True:
            await player.read()


async def test_a_game_joins_a_process_that_has_a_stage_for_it_while_there_is_room() -> None:
    process_pool = GameProcessPool(2, ("text", "WARNING"))
    first = await open_stocked(process_pool, BREAKOUT, 1)
    second, third, other = [await open_place(process_pool, choice) for choice in (BREAKOUT, BREAKOUT, HANOI)]
    assert second.process is first.process
    assert third.process is not first.process
    assert other.process not in (first.process, third.process)
    process_pool.release_slot(first)
    again = await open_place(process_pool, BREAKOUT)
    assert again.process in (first.process, third.process)
    for place in (second, third, other, again):
        process_pool.release_slot(place)


async def test_who_wants_every_game_alone_has_it() -> None:
    process_pool = GameProcessPool(1, ("text", "WARNING"))
    places = [await open_place(process_pool, PONG) for _ in range(3)]
    assert len({place.process.pid for place in places}) == 3
    for place in places:
        process_pool.release_slot(place)


async def test_a_process_that_has_died_gets_no_more_games() -> None:
    process_pool = GameProcessPool(4, ("text", "WARNING"))
    first = await open_stocked(process_pool, BREAKOUT, 1)
    first.process.kill()
    async with asyncio.timeout(60):
        while psutil.pid_exists(first.process.pid):
            await asyncio.sleep(0.01)
    second = await open_place(process_pool, BREAKOUT)
    assert second.process is not first.process
    process_pool.release_slot(first)
    process_pool.release_slot(second)


async def test_the_process_that_forks_them_is_started_again_when_it_dies() -> None:
    fork_server, process_pool = get_fork_server(), GameProcessPool(4, ("text", "WARNING"))
    place = await open_place(process_pool, HANOI)
    process = fork_server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    another = await open_place(process_pool, HANOI)
    assert another.process.pid != place.process.pid
    assert psutil.Process(place.process.pid).status() != psutil.STATUS_ZOMBIE
    process_pool.release_slot(place)
    process_pool.release_slot(another)


async def test_games_in_one_process_are_each_their_own_and_all_are_kept_when_it_is_killed(
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
            while len(games_of(arcade)) == len(players):  # until two share
                await (await join("breakout")).read_until_frame(20)
        await (await join("tower-of-hanoi")).tap(GAMES["tower-of-hanoi"].controls[0].name)
        for player in players[:-1]:
            await player.read_until_frame(player.packets[-1].frame + 30)
        for process in games_of(arcade):
            with suppress(psutil.NoSuchProcess):  # it had no game, and has just ended
                process.kill()
        for player in players:
            await until_closed(player)
            assert player.socket.close_code == CloseCode.GAME_CRASHED
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        kept = {str(episode.id): episode for episode in dataset.episodes()}
    seen = {episode: player.packets[-1].frame for episode, player in zip(episodes, players, strict=True)}
    assert set(seen) <= set(kept)
    assert {kept[episode].status for episode in seen} == {"incomplete"}
    for episode, frame in seen.items():
        assert kept[episode].n_steps >= frame
        assert UUID(episode) == kept[episode].id


def test_a_stock_keeps_what_was_asked_for_last_and_takes_back_only_what_can_be_played_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stock, "KINDS", 1)
    assets = EnvironmentPool()
    assets.reserve(BREAKOUT, 2)
    assets.reserve(BREAKOUT, 2)
    while assets.has_pending:
        assets.warm_one()
    assert assets.available == {BREAKOUT.model_dump_json(): 2}
    env = assets.acquire(BREAKOUT)
    assert isinstance(env, AtariPlayableEnv)
    assert assets.available == {BREAKOUT.model_dump_json(): 1}
    assets.release(BREAKOUT, env)
    assets.release(HANOI, assets.acquire(HANOI))
    assert assets.available == {BREAKOUT.model_dump_json(): 2}
    assets.reserve(PONG, 1)
    assert assets.available == {PONG.model_dump_json(): 1}


def test_an_environment_that_can_not_be_made_is_not_kept_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    assets = EnvironmentPool()
    assets.reserve(EnvironmentSpec(id="ALE/NoSuchGame-v5"), 1)
    assert not assets.has_pending
    assert "ALE/NoSuchGame-v5" in caplog.text
