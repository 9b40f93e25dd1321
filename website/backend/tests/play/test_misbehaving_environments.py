"""Environments with bad manners: their player reads a sentence, their episode is kept, and nobody else notices."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.settings import read_settings
from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import Arcade, Player, find_games, open_player, running_arcade, wait_until_uploaded
from tests.support.database import temporary_home
from tests.support.misbehaving_env import BAD_STEP, CHILD_MARK, DEADLY_ACTS, ENDING_ACTS, RUDE_ACTS, write_manifests

pytestmark = pytest.mark.anyio
MAX_STEP_SECONDS = "3"
N_STEPS = 10


@pytest.fixture(scope="module")
def arcade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arcade]:
    """A server with all misbehaving games, and a low limit for the time of a step."""
    games = tmp_path_factory.mktemp("games")
    write_manifests(games)
    backend = str(Path(__file__).parents[2])
    log = tmp_path_factory.mktemp("log") / "server.log"
    with (
        temporary_home() as home,
        running_arcade(
            home,
            log,
            GAMES_FOLDER=str(games),
            PYTHONPATH=backend,
            MAX_STEP_SECONDS=MAX_STEP_SECONDS,
            GAME_MEMORY_MB="1024",
            RESUME_SECONDS="2",
        ) as running,
    ):
        yield running


async def _press(player: Player, n: int) -> int:
    """Press the only key `n` times; return the index of the last frame that has arrived."""
    for _ in range(n):
        key = {"control": "go", "frame": player.packets[-1].frame, "device": "keyboard", "code": "ArrowRight"}
        await player.send("input", down=True, **key)
        await player.send("input", down=False, **key)
        await player.read_until_frame(player.packets[-1].frame + 1)
    return player.packets[-1].frame


async def _play(arcade: Arcade, kind: str) -> tuple[int, str, int]:
    """Play until the end; return close code and reason (1000 if none), and the number of steps that were shown."""
    async with open_player(arcade, f"{kind}@example.org", f"bad-{kind}") as player:
        await player.send("start")
        await player.read_until_frame(0)
        with suppress(ConnectionClosed):
            async with asyncio.timeout(30):
                steps = await _press(player, N_STEPS)
                await player.read_until("ended")
                return 1000, "", steps
        return player.socket.close_code or 0, player.socket.close_reason or "", player.packets[-1].frame


def _episodes(arcade: Arcade, dataset: Dataset, kind: str) -> list[Any]:
    return list(dataset.episodes(game=f"bad-{kind}"))


async def _read_episode(arcade: Arcade, kind: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Return number of steps, reason of the end, and the data of all `crash` events of the only episode."""
    await wait_until_uploaded(arcade)

    def read() -> tuple[int, str, list[dict[str, Any]]]:
        os.environ["SKILL_ARCADE_HOME"] = str(arcade.home)
        with open_dataset(settings=read_settings()) as dataset:
            (episode,) = _episodes(arcade, dataset, kind)
            crashes = [event for event in episode.events if event.kind == "crash"]
            return episode.n_steps, episode.end_reason, [event.data for event in crashes]

    return await asyncio.to_thread(read)


@pytest.mark.parametrize("kind", ENDING_ACTS)
async def test_R16_environment_raises_episode_is_kept_with_the_error(arcade: Arcade, kind: str) -> None:
    code, reason, shown = await _play(arcade, kind)
    assert (code, shown) == (CloseCode.GAME_CRASHED, BAD_STEP - 1)
    assert "step raised" in reason
    n_steps, end_reason, crashes = await _read_episode(arcade, kind)
    assert (n_steps, end_reason) == (BAD_STEP - 1, "crashed")
    assert ["step raised" in crash["error"] for crash in crashes] == [True]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("exit", "exit status 7"),
        ("abort", "SIGABRT"),
        ("segfault", "SIGSEGV"),
        ("alarm", "SIGALRM"),
        ("hang", "did not respond for 3 s"),
        ("spin", "did not respond for 3 s"),
    ],
)
async def test_R16_game_process_dies_episode_is_kept_with_the_cause(arcade: Arcade, kind: str, cause: str) -> None:
    code, reason, shown = await _play(arcade, kind)
    assert (code, shown) == (CloseCode.GAME_CRASHED, BAD_STEP - 1)
    assert "Everything you played is saved." in reason
    n_steps, end_reason, crashes = await _read_episode(arcade, kind)
    assert (n_steps, end_reason) == (BAD_STEP - 1, "crashed")
    assert [cause in crash["error"] for crash in crashes] == [True]
    assert set(DEADLY_ACTS) == {"exit", "abort", "segfault", "alarm", "hang", "spin"}


@pytest.mark.parametrize("kind", [*RUDE_ACTS, "close-raises", "close-hangs"])
async def test_rude_environment_plays_to_its_end(arcade: Arcade, kind: str) -> None:
    assert await _play(arcade, kind) == (1000, "", N_STEPS)
    assert (await _read_episode(arcade, kind))[:2] == (N_STEPS, "terminated")


@pytest.mark.parametrize("kind", ["make", "reset", "render"])
async def test_environment_cannot_start_player_reads_why(arcade: Arcade, kind: str) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        async with open_player(arcade, f"{kind}@example.org", f"bad-{kind}"):
            pass
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.GAME_CRASHED
    assert f"{kind} raised RuntimeError" in closed.value.rcvd.reason


async def test_misbehaving_environments_leave_no_process_behind(arcade: Arcade) -> None:
    deadline = time.monotonic() + 30
    while (left := [*find_games(arcade.process.pid), *_marked_children()]) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert left == []


def _marked_children() -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if CHILD_MARK in " ".join(process.info["cmdline"] or [])
    ]
