"""A lockstep game over a real socket, kept and run again; a page that cheats, caught."""

import asyncio
import json
from hashlib import sha256
from uuid import UUID

import numpy as np
import pytest

import skill_arcade.dataset as sa
from skill_arcade.environments.factory import make_environment_from_spec
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.recording.journal_files import list_files
from skill_arcade.recording.purge import read_header
from tests.support.arcade import Arcade, Player, now_ms, open_player, wait_until_uploaded
from tests.support.lockstep_page import EMPTY_MODULE, PERIOD_MS, LockstepPage

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("arcade_home")]
GAME = load_catalogue().games["breakout"]
DIGEST = sha256(EMPTY_MODULE).hexdigest()


async def begin(arcade: Arcade, player: Player, env: PlayableEnv | None = None) -> LockstepPage:
    """Start an episode in lockstep. A real page is told ALE's seed; this one looks the episode's up.

    Making a stage takes a moment, so it may have been made before.
    """
    await player.send("start", mode="lockstep")
    started, started_ms = await player.read_until("started"), now_ms()
    assert started["lockstep"]["n_steps"] == 0
    folder = arcade.home / "journal" / started["episode"]
    head = read_header(list_files(folder)[0])
    assert head is not None
    page = LockstepPage(GAME, head.seed, env)
    page.now_ms = started_ms
    return page


async def play(player: Player, page: LockstepPage, least: int) -> int:
    """Play in real time, ten messages a second; how many steps: more than `least` where the machine was late."""
    before = page.n_steps
    while page.n_steps < before + least:
        await asyncio.sleep(0.1)
        page.step(int((now_ms() - page.now_ms) / PERIOD_MS))
        await player.socket.send(json.dumps(page.ticks()))
    return page.n_steps - before


async def test_a_lockstep_game_is_kept_and_runs_again_exactly(arcade: Arcade) -> None:
    async with open_player(arcade, "ann@example.org", "breakout") as player:
        page = await begin(arcade, player)
        page.press("fire")
        fired = await play(player, page, 30)
        page.press("fire", down=False)
        page.press("left")
        went = await play(player, page, 60)
        frames = [[number, now_ms()] for number in range(page.n_steps + 1)]
        shown = {"type": "shown", "received": page.n_steps, "frames": frames[-600:]}
        await player.socket.send(json.dumps(shown))
        await player.send("leave")
        ended = await player.read_until("ended")
    assert (ended["reason"], ended["n_steps"]) == ("left", fired + went)
    assert player.packets == []
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        episode = dataset.episode(UUID(ended["episode"]))
        assert episode.provenance["mode"] == "lockstep"
        assert episode.provenance["lockstep"]["module_sha256"] == DIGEST
        assert list(episode.actions) == [1] * fired + [3] * went
        env = make_environment_from_spec(episode.environment)
        env.reset(episode.seed)
        for number, frame in enumerate(np.asarray(episode.frames)):
            np.testing.assert_array_equal(frame, env.picture().rgb())
            if number < fired + went:
                env.step(int(episode.actions[number]))
        env.close()


async def test_a_tampered_page_is_caught(arcade: Arcade) -> None:
    async with open_player(arcade, "bob@example.org", "breakout") as player:
        page = await begin(arcade, player)
        await play(player, page, 60)
        page.stage.step(1)  # a move that the server is not told
        await play(player, page, 6)
        assert (await player.read_until("ended"))["reason"] == "diverged"
        await player.send("start", mode="lockstep")
        assert (await player.read_until("started"))["lockstep"] is None
        await player.read_until_frame(10)
        await player.send("leave")  # a game that waits for its player holds up who waits for an empty journal
        await player.read_until("ended")
