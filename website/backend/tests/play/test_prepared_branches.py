"""Games that are prepared at a frame of a recorded episode, before their player asks to play from it (rule O40)."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

import skill_arcade.dataset as sa
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, find_games, running_arcade, wait_until_uploaded
from tests.support.rounds import connect_with, play, playing, request

pytestmark = pytest.mark.anyio
FRAME = 40


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    """A server on which each game has a process of its own, and stays for long after its player has gone."""
    settings = {"SEGMENT_SECONDS": "1", "CERTIFIER": "false", "GAMES_PER_PROCESS": "1", "RESUME_SECONDS": "600"}
    with temporary_home() as home, running_arcade(home, None, **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def ask(arcade: Arcade, email: str, **body: Any) -> tuple[int, str]:
    """Ask for a ticket. Return the status, and the text of a refusal."""
    answer = await request(arcade, "POST", "/play/tickets", email, {"game_id": "breakout", **body})
    return answer.status_code, "" if answer.status_code == 200 else answer.text


async def read_close_code(player: Player) -> int | None:
    """Read until the server closes the socket. Return the close code."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(40):
            while True:
                await player.read()
    return player.socket.close_code


def count_games(arcade: Arcade) -> int:
    """Return the number of game processes that run."""
    return len(find_games(arcade.process.pid))


async def test_O40_ticket_to_play_finds_the_prepared_game(arcade: Arcade) -> None:
    root = await play(arcade, "ann@example.org")
    branch = {"episode": root, "frame": FRAME}
    async with playing(arcade, "ann@example.org", branch=branch, is_preparation=True) as prepared:
        await prepared.hello()
        games = find_games(arcade.process.pid)
        async with playing(arcade, "ann@example.org", branch=branch) as player:
            assert (await player.hello())["phase"] == "ready"
            assert find_games(arcade.process.pid) == games
            assert await read_close_code(prepared) == CloseCode.TAKEN_OVER
            await player.send("start")
            episode = (await player.read_until("started"))["episode"]
            await player.read_until_frame(20)
            await player.send("leave")
            await player.read_until("ended")
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        child, parent = data.episode(UUID(episode)), data.episode(UUID(root))
        assert np.array_equal(child.frames[0], parent.frames[FRAME])
        assert rerun_episode(child).result is CertificateResult.certified


async def test_O40_prepared_game_ends_with_its_socket_and_leaves_nothing(arcade: Arcade) -> None:
    n_before = count_games(arcade)
    root = await play(arcade, "bob@example.org")
    branch = {"episode": root, "frame": FRAME}
    async with playing(arcade, "bob@example.org", branch=branch, is_preparation=True) as prepared:
        await prepared.hello()
        assert count_games(arcade) == n_before + 1  # the game that was played has made place
    async with asyncio.timeout(60):
        while count_games(arcade) > n_before:
            await asyncio.sleep(0.05)
    assert not any((Path(arcade.home) / "journal").iterdir())


async def test_O40_another_game_replaces_the_prepared_one(arcade: Arcade) -> None:
    root = await play(arcade, "cyd@example.org")
    async with playing(
        arcade, "cyd@example.org", branch={"episode": root, "frame": FRAME}, is_preparation=True
    ) as prepared:
        await prepared.hello()
        n_games = count_games(arcade)
        async with playing(arcade, "cyd@example.org", "pong") as player:
            assert (await player.hello())["game"] == "pong"
            assert await read_close_code(prepared) in (CloseCode.TAKEN_OVER, CloseCode.NORMAL)
            assert count_games(arcade) == n_games


async def test_O40_nothing_is_prepared_for_who_plays_and_a_running_game_goes_on(arcade: Arcade) -> None:
    root = await play(arcade, "dee@example.org")
    branch = {"episode": root, "frame": FRAME}
    answer = await request(
        arcade,
        "POST",
        "/play/tickets",
        "dee@example.org",
        {"game_id": "breakout", "branch": branch, "is_preparation": True},
    )
    early = answer.raise_for_status().json()["ticket"]
    async with playing(arcade, "dee@example.org", "pong") as player:
        await player.hello()
        await player.send("start")
        await player.read_until("started")
        status, text = await ask(arcade, "dee@example.org", branch=branch, is_preparation=True)
        assert (status, "none is prepared" in text) == (409, True)
        async with connect_with(arcade, early) as late:  # its ticket is older than the game
            assert await read_close_code(late) == CloseCode.TAKEN_OVER
        frame = player.packets[-1].frame if player.packets else 0
        await player.read_until_frame(frame + 10)


async def test_O40_request_without_a_branch_is_refused(arcade: Arcade) -> None:
    status, text = await ask(arcade, "eli@example.org", is_preparation=True)
    assert (status, "Name its branch" in text) == (422, True)


async def test_O40_last_places_are_for_who_plays() -> None:
    with (
        temporary_home() as home,
        running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false", MAX_GAMES="2") as arcade,
    ):
        root = await play(arcade, "fay@example.org")
        branch = {"episode": root, "frame": FRAME}
        async with playing(arcade, "gus@example.org") as player:
            await player.hello()
            status, text = await ask(arcade, "fay@example.org", branch=branch, is_preparation=True)
            assert (status, "Few places" in text) == (429, True)
            assert await ask(arcade, "fay@example.org", branch=branch) == (200, "")
