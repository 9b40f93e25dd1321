"""Plays real games over a socket, and compares the recording with what the player saw, end to end."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

import skill_arcade.dataset as sa
from skill_arcade.environments.factory import make_environment_from_spec
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, open_player, running_arcade, wait_until_uploaded

pytestmark = pytest.mark.anyio
HANOI = "1323121"
"""Poles to take from and to put on, alternating: moves 3 disks to the third pole in 7 moves."""


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def test_recording_of_breakout_equals_screen_and_rerun(arcade: Arcade) -> None:
    async with open_player(arcade, "ann@example.org", "breakout") as player:
        await player.send("setup", keys={"fire": ["KeyX"]}, touch=False, hand="right", gamepads=[])
        await player.send("start")
        await player.read_until_frame(10)
        await player.send("setup", keys={"fire": ["KeyX"]}, touch=False, hand="right", gamepads=["Standard pad"])
        await player.tap("fire")
        await player.read_until_frame(60)
        await player.press("left")
        await player.read_until_frame(150)
        await player.press("left", down=False)
        await player.press("right")
        await player.read_until_frame(200)
        await player.send("leave")
        ended = await player.read_until("ended")
    assert (ended["status"], ended["reason"]) == ("incomplete", "left")
    await wait_until_uploaded(arcade)
    seen = {packet.frame: picture for packet, picture in zip(player.packets, player.pictures, strict=True)}
    check_episode(ended, seen)
    check_setup(ended)
    await check_counters(arcade)


async def check_counters(arcade: Arcade) -> None:
    """The counters of the objectives count the game's start and, once a second, its steps."""
    async with httpx.AsyncClient(base_url=arcade.url) as http:
        lines = (await http.get("/metrics")).raise_for_status().text.splitlines()
    counters = {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}
    assert counters["skill_arcade_game_starts_total"] >= 1
    assert 60 <= counters["skill_arcade_steps_total"] <= 10_000
    assert counters["skill_arcade_late_steps_total"] <= counters["skill_arcade_steps_total"]


def check_setup(ended: dict[str, object]) -> None:
    """The first setup must be in the provenance, and the one with a gamepad among the events."""
    with sa.open() as dataset:
        episode = dataset.episode(UUID(str(ended["episode"])))
        first_setup = {"keys": {"fire": ["KeyX"]}, "touch": False, "hand": "right", "gamepads": [], "sound": False}
        assert episode.provenance["setup"] == first_setup
        [changed] = [event for event in episode.events if event.kind == "setup"]
        assert changed.data == {**first_setup, "gamepads": ["Standard pad"]}


async def test_recording_of_won_hanoi_equals_screen_and_rerun(arcade: Arcade) -> None:
    async with open_player(arcade, "bob@example.org", "tower-of-hanoi") as player:
        await player.send("start")
        await player.read_until_frame(0)
        for number, pole in enumerate(["1", "3", "1", "2", "3", "2", "1", "3", "2", "1", "2", "3", "1", "3"]):
            await player.press(f"pole-{pole}")
            await player.press(f"pole-{pole}", down=False)
            await player.read_until_frame(number + 1)
        ended = await player.read_until("ended")
    assert (ended["status"], ended["n_steps"]) == ("won", 14)
    await wait_until_uploaded(arcade)
    seen = {packet.frame: picture for packet, picture in zip(player.packets, player.pictures, strict=True)}
    check_episode(ended, seen)


def check_episode(ended: dict[str, object], seen: dict[int, NDArray[np.uint8]]) -> None:
    """The recording must equal what the player saw, and what the environment does again from seed and actions."""
    with sa.open() as dataset:
        episode = dataset.episode(UUID(str(ended["episode"])))
        assert (episode.status, len(episode.actions)) == (ended["status"], ended["n_steps"])
        frames = np.asarray(episode.frames)
        for number, picture in seen.items():
            np.testing.assert_array_equal(frames[number], picture)
        assert len(frames) == len(episode.actions) + 1 == len(seen)
        env = make_environment_from_spec(episode.environment)
        outcome = env.reset(episode.seed)
        np.testing.assert_array_equal(env.picture().rgb(), frames[0])
        for step, action in enumerate(episode.actions):
            outcome = env.step(int(action))
            np.testing.assert_array_equal(env.picture().rgb(), frames[step + 1])
            assert outcome.reward == episode.rewards[step]
            assert (outcome.terminated, outcome.truncated) == (episode.terminations[step], episode.truncations[step])
        env.close()
