"""Lockstep over a real socket: the recording equals a re-run, and a tampered page is detected."""

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
    """Start a lockstep episode. A real page gets ALE's seed; this one reads the episode's seed from the journal.

    `env` may be made in advance, because that takes a moment.
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


async def play(player: Player, page: LockstepPage, min_steps: int) -> int:
    """Play at least `min_steps` steps in real time, ten messages per second; return the number of steps."""
    before = page.n_steps
    while page.n_steps < before + min_steps:
        await asyncio.sleep(0.1)
        page.step(int((now_ms() - page.now_ms) / PERIOD_MS))
        await player.socket.send(json.dumps(page.ticks()))
    return page.n_steps - before


async def test_lockstep_recording_equals_rerun(arcade: Arcade) -> None:
    async with open_player(arcade, "ann@example.org", "breakout") as player:
        page = await begin(arcade, player)
        page.press("fire")
        n_fire_steps = await play(player, page, 30)
        page.press("fire", down=False)
        page.press("left")
        n_left_steps = await play(player, page, 60)
        frames = [[number, now_ms()] for number in range(page.n_steps + 1)]
        shown = {"type": "shown", "received": page.n_steps, "frames": frames[-600:]}
        await player.socket.send(json.dumps(shown))
        await player.send("leave")
        ended = await player.read_until("ended")
    assert (ended["reason"], ended["n_steps"]) == ("left", n_fire_steps + n_left_steps)
    assert player.packets == []
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        episode = dataset.episode(UUID(ended["episode"]))
        assert episode.provenance["mode"] == "lockstep"
        assert episode.provenance["lockstep"]["module_sha256"] == DIGEST
        assert list(episode.actions) == [1] * n_fire_steps + [3] * n_left_steps
        env = make_environment_from_spec(episode.environment)
        env.reset(episode.seed)
        for number, frame in enumerate(np.asarray(episode.frames)):
            np.testing.assert_array_equal(frame, env.picture().rgb())
            if number < n_fire_steps + n_left_steps:
                env.step(int(episode.actions[number]))
        env.close()


async def test_lockstep_tampered_page_ends_as_diverged(arcade: Arcade) -> None:
    async with open_player(arcade, "bob@example.org", "breakout") as player:
        page = await begin(arcade, player)
        await play(player, page, 60)
        page.env.step(1)  # a step that is not sent to the server
        await play(player, page, 6)
        assert (await player.read_until("ended"))["reason"] == "diverged"
        await player.send("start", mode="lockstep")
        assert (await player.read_until("started"))["lockstep"] is None
        await player.read_until_frame(10)
        await player.send("leave")  # otherwise its open segment delays tests that wait for an empty journal
        await player.read_until("ended")
