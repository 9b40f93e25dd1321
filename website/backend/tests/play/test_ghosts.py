"""Races against a recorded episode on a real server: seed, settings, permissions and record (rules O17 and R18)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

import skill_arcade.dataset as sa
from skill_arcade.export.episode_facts import describe_episode
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, running_arcade, sign_in, ticket_subprotocols, wait_until_uploaded

pytestmark = pytest.mark.anyio
N_FRAMES = 40


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def post(arcade: Arcade, path: str, email: str, body: Any = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {await sign_in(arcade.url, email)}"}
    async with httpx.AsyncClient(base_url=arcade.url, headers=headers, timeout=60) as client:
        return await client.post(path, json=body)


@asynccontextmanager
async def racing(arcade: Arcade, email: str, query: str = "", **body: Any) -> AsyncIterator[Player]:
    answer = await post(arcade, "/play/tickets", email, {"game_id": "breakout", **body})
    offered = ticket_subprotocols(answer.raise_for_status().json()["ticket"])
    address = f"ws://127.0.0.1:{arcade.port}/ws/breakout{query}"
    async with connect(address, subprotocols=offered, compression=None) as socket:
        yield Player(socket)


async def play_episode(arcade: Arcade, player: Player) -> str:
    """Play some frames, leave, and wait until the episode is uploaded."""
    await player.send("start")
    episode: str = (await player.read_until("started"))["episode"]
    await player.press("fire")
    await player.read_until_frame(N_FRAMES)
    await player.send("leave")
    await player.read_until("ended")
    await player.socket.close()
    await wait_until_uploaded(arcade)
    return episode


async def play(arcade: Arcade, email: str, query: str = "", **body: Any) -> tuple[str, dict[str, Any]]:
    async with racing(arcade, email, query, **body) as player:
        welcome = await player.hello()
        return await play_episode(arcade, player), welcome


async def test_R18_race_has_the_seed_of_the_ghost_and_says_so(arcade: Arcade) -> None:
    ghost, welcome = await play(arcade, "ada@example.org")
    assert welcome["ghost"] is None
    async with racing(arcade, "ada@example.org", ghost=ghost) as player:
        assert (await player.hello())["ghost"] == {"episode": ghost, "seed": "same"}
        races = []
        for _ in range(2):  # each round of the session has this seed
            await player.send("start")
            races.append((await player.read_until("started"))["episode"])
            await player.press("fire")
            await player.read_until_frame(N_FRAMES)
            await player.send("leave")
            await player.read_until("ended")
        await player.socket.close()
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        first = data.episode(UUID(ghost))
        assert "ghost" not in first.provenance
        for id_ in races:
            episode = data.episode(UUID(id_))
            assert episode.seed == first.seed
            assert episode.provenance["ghost"] == {"episode": ghost, "seed": "same"}
            assert np.array_equal(episode.frames[0], first.frames[0])
            facts = describe_episode(0, episode, "00" * 16).facts
            assert facts["ghost"]["seed"] == "same"
            assert facts["ghost"]["episode"] == describe_episode(0, first, "00" * 16).facts["episode_id"] != ghost


async def test_O17_race_with_other_options_draws_its_seed(arcade: Arcade) -> None:
    ghost, _ = await play(arcade, "bob@example.org")
    race, welcome = await play(arcade, "bob@example.org", "?difficulty=1", ghost=ghost)
    assert welcome["ghost"] == {"episode": ghost, "seed": "drawn"}
    with sa.open() as data:
        episode = data.episode(UUID(race))
        assert episode.seed != data.episode(UUID(ghost)).seed
        assert episode.provenance["ghost"] == {"episode": ghost, "seed": "drawn"}


async def test_O17_ticket_names_only_ghosts_that_the_player_may_see(arcade: Arcade) -> None:
    ghost, _ = await play(arcade, "cai@example.org")

    async def ask(**body: Any) -> int:
        answer = await post(arcade, "/play/tickets", "dan@example.org", {"game_id": "breakout", **body})
        return answer.status_code

    assert await ask(ghost=ghost) == 404
    assert await ask(ghost=str(uuid4())) == 404
    link = (await post(arcade, f"/episodes/{ghost}/shares", "cai@example.org")).raise_for_status().json()
    assert await ask(ghost=ghost, share_token=link["token"]) == 200
    assert await ask(ghost=ghost, share_token=link["token"], game_id="pong") == 422
    race, welcome = await play(arcade, "dan@example.org", ghost=ghost, share_token=link["token"])
    assert welcome["ghost"]["seed"] == "same"
    with sa.open() as data:
        assert data.episode(UUID(race)).seed == data.episode(UUID(ghost)).seed


async def test_O17_running_episode_cannot_be_a_ghost(arcade: Arcade) -> None:
    async with racing(arcade, "eva@example.org") as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        async with httpx.AsyncClient(base_url=arcade.url, timeout=60) as client:
            headers = {"authorization": f"Bearer {await sign_in(arcade.url, 'eva@example.org')}"}
            # It is uploaded with its first segment.
            for frame in range(30, 1000, 30):
                await player.read_until_frame(frame)
                if any(row["id"] == episode for row in (await client.get("/me/episodes", headers=headers)).json()):
                    break
        answer = await post(arcade, "/play/tickets", "eva@example.org", {"game_id": "breakout", "ghost": episode})
        assert (answer.status_code, answer.json()["error"]) == (422, "InvalidRequest")


async def test_O11_same_game_without_its_ghost_is_another_game(arcade: Arcade) -> None:
    ghost, _ = await play(arcade, "fay@example.org")
    async with racing(arcade, "fay@example.org", ghost=ghost) as player:
        await player.hello()
        await player.send("start")
        await player.read_until("started")
        async with racing(arcade, "fay@example.org") as other:
            welcome = await other.hello()
            assert (welcome["phase"], welcome["ghost"]) == ("ready", None)
