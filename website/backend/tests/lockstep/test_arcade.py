"""A lockstep game over a real socket, kept and run again; a page that cheats, caught."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

import numpy as np
import pytest

import skill_arcade.dataset as sa
from skill_arcade.environments.making import make_stage_from_spec
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.recording.segment import parse_segment
from tests.arcade import Arcade, Player, now_ms, playing, running_arcade, settled
from tests.conftest import temporary_home
from tests.lockstep.page import Page

pytestmark = pytest.mark.anyio
GAME = load_catalogue().games["breakout"]
MODULE = b"\0asm\1\0\0\0"
"""The smallest module there is: what pages run is not run here."""
DIGEST = sha256(MODULE).hexdigest()


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(MODULE)
        with running_arcade(home, SEGMENT_SECONDS="1", LOCKSTEP_FOLDER=str(home)) as running:
            yield running


@pytest.fixture(autouse=True)
def _its_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def begin(arcade: Arcade, player: Player) -> Page:
    """Start an episode in lockstep. A real page is told ALE's seed; this one looks the episode's up."""
    await player.say("start", mode="lockstep")
    started = await player.until("started")
    assert started["lockstep"]["n_steps"] == 0
    folder = arcade.home / "journal" / started["episode"]
    segment, _ = parse_segment(next(folder.glob("000000.*")).read_bytes())
    assert segment is not None
    return Page(GAME, segment.head.seed)


async def play(player: Player, page: Page, steps: int) -> None:
    """Play in real time, a message for six steps."""
    for _ in range(steps // 6):
        page.now_ms = now_ms()
        page.step(6)
        await asyncio.sleep(0.1)
        await player.socket.send(json.dumps(page.ticks()))


async def test_a_lockstep_game_is_kept_and_runs_again_exactly(arcade: Arcade) -> None:
    async with playing(arcade, "ann@example.org", "breakout") as player:
        page = await begin(arcade, player)
        page.press("fire")
        await play(player, page, 30)
        page.press("fire", down=False)
        page.press("left")
        await play(player, page, 60)
        shown = {"type": "shown", "received": 90, "frames": [[number, now_ms()] for number in range(91)]}
        await player.socket.send(json.dumps(shown))
        await player.say("leave")
        ended = await player.until("ended")
    assert (ended["reason"], ended["n_steps"]) == ("left", 90)
    assert player.packets == []
    await settled(arcade)
    with sa.open() as dataset:
        episode = dataset.episode(UUID(ended["episode"]))
        assert episode.provenance["mode"] == "lockstep"
        assert episode.provenance["lockstep"]["module_sha256"] == DIGEST
        assert list(episode.actions) == [1] * 30 + [3] * 60
        stage = make_stage_from_spec(episode.environment)
        stage.reset(episode.seed)
        for number, frame in enumerate(np.asarray(episode.frames)):
            np.testing.assert_array_equal(frame, stage.picture().rgb())
            if number < 90:
                stage.step(int(episode.actions[number]))
        stage.close()


async def test_a_tampered_page_is_caught(arcade: Arcade) -> None:
    async with playing(arcade, "bob@example.org", "breakout") as player:
        page = await begin(arcade, player)
        await play(player, page, 60)
        page.stage.step(1)  # a move that the server is not told
        await play(player, page, 6)
        assert (await player.until("ended"))["reason"] == "diverged"
        await player.say("start", mode="lockstep")
        assert (await player.until("started"))["lockstep"] is None
        await player.until_frame(10)
