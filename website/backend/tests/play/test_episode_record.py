"""The recorded events and provenance of an episode, played on the real server over a real socket."""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import skill_arcade.dataset as sa
from devtools.paths import ROOT
from skill_arcade.cli.json_field_docs import ENVIRONMENT, EVENTS, PROVENANCE
from skill_arcade.cli.show import print_origin
from skill_arcade.dataset.episode import Event
from skill_arcade.play.session.provenance import find_commit
from skill_arcade.settings import Settings
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, find_games, now_ms, open_player, running_arcade, wait_until_uploaded
from tests.support.moved import read_all
from tests.support.session_harness import SessionHarness

pytestmark = pytest.mark.anyio
STOP_SECONDS = 0.15
SILENCE_US = 500_000
"""Time without a frame after which the server has dropped frames for certain: 30 ticks."""


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


async def test_F2_O6_episode_events_are_recorded_with_their_times(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    sent_ms: dict[str, float] = {}
    async with open_player(arcade, "ann@example.org", "breakout") as player:
        await player.send("start")
        started = await player.read_until("started")
        await exchange_pings(player)
        await change_focus(player, sent_ms)
        await pause_and_resume(player, sent_ms)
        await fall_behind(player)
        await stop_game_process(arcade, player)
    async with open_player(arcade, "ann@example.org", "breakout") as player:
        sent_ms["resume after reconnect"] = now_ms()
        await player.send("resume", at=sent_ms["resume after reconnect"])
        await player.read_until("resumed")
        await player.send("leave")
        ended = await player.read_until("ended")
    await wait_until_uploaded(arcade)
    assert ended["episode"] == started["episode"]
    with sa.open() as dataset:
        episode = dataset.episode(ended["episode"])
        events = [event for event in episode.events if event.kind != "last-shown"]
        check_contents(episode)
        late = {event.step: event.data for event in events if event.kind == "late"}
        late_us = episode.times["late_us"]
        assert set(late) == set(np.flatnonzero(late_us >= 1e6 / 60))
        assert any(data["late_us"] > 100_000 for data in late.values())
        for step, data in late.items():
            assert data == {"late_us": late_us[step], "ticks_missed": data["late_us"] * 60 // 1_000_000}
    kinds = [event.kind for event in events if event.kind != "late"]
    assert kinds == [
        *("input", "input", "clock", *["focus"] * 4, "pause", "resume", "left-out", "detach", "attach", "resume")
    ]
    changes = {event.data["state"]: event for event in events if event.kind == "focus"}
    assert list(changes) == ["blur", "hidden", "visible", "focus"]
    for name, event in {**changes, "pause": find(events, "pause")}.items():
        assert event.client_us == round(sent_ms[name] * 1000)
    assert find(events, "left-out").data["frames"] > 0
    # The game notes a late step itself, perhaps before a message that arrived at the server during it.
    for is_late in (False, True):
        times = [event.server_us for event in events if (event.kind == "late") is is_late]
        assert times == sorted(times)
    assert all(event.client_us is not None for event in events if event.kind in ("input", "clock", "focus", "pause"))
    resumes = [event.client_us for event in events if event.kind == "resume"]
    assert resumes == [round(sent_ms["resume"] * 1000), round(sent_ms["resume after reconnect"] * 1000)]


async def exchange_pings(player: Player) -> None:
    """Tap, and send two pings; the second one completes a clock sample."""
    await player.read_until_frame(2)
    await player.tap("fire")
    await player.send("ping", id=0, previous=None)
    await player.read_until("pong")
    await player.send("ping", id=1, previous=[0, now_ms()])
    await player.read_until("pong")


async def change_focus(player: Player, sent_ms: dict[str, float]) -> None:
    for state in ("blur", "hidden", "visible", "focus"):
        sent_ms[state] = now_ms()
        await player.send("focus", state=state, at=sent_ms[state])


async def pause_and_resume(player: Player, sent_ms: dict[str, float]) -> None:
    for kind, answer in (("pause", "paused"), ("resume", "resumed")):
        sent_ms[kind] = now_ms()
        await player.send(kind, at=sent_ms[kind])
        await player.read_until(answer)


async def fall_behind(player: Player) -> None:
    """Acknowledge nothing until the server has dropped frames, then acknowledge everything."""
    newest, newest_us, ping_id, silence_us = player.packets[-1].frame, 0, 100, 0
    await player.send("ping", id=ping_id, previous=None)
    while silence_us < SILENCE_US:
        data = await player.socket.recv()
        if isinstance(data, bytes):
            newest, newest_us = int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:16], "little")
        elif (pong := json.loads(data))["type"] == "pong":
            silence_us, ping_id = pong["sent_us"] - newest_us if newest_us else 0, ping_id + 1
            await player.send("ping", id=ping_id, previous=None)
    await acknowledge(player, newest)
    await player.read_until_frame(newest + 1)


async def acknowledge(player: Player, frame: int) -> None:
    await player.socket.send(f'{{"type": "shown", "received": {frame}, "frames": [[{frame}, {now_ms()}]]}}')


async def stop_game_process(arcade: Arcade, player: Player) -> None:
    """Stop the game processes for a moment, as a busy machine does."""
    games = find_games(arcade.process.pid)
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for process in games:
            with suppress(ProcessLookupError):  # it had no game and has just exited
                os.kill(process.pid, number)
        await asyncio.sleep(STOP_SECONDS)
    await player.read_until_frame(player.packets[-1].frame + 3)


def find(events: list[Event], kind: str) -> Event:
    return next(event for event in events if event.kind == kind)


def check_contents(episode: sa.Episode) -> None:
    """Every recorded field must be documented in the data dictionary, and every documented field of a streamed game
    recorded.
    """
    assert episode.environment.keys() == ENVIRONMENT.keys()
    parts = {name for name in episode.provenance if name != "player"}
    parts |= {f"player.{name}" for name in episode.provenance["player"]}
    assert parts == PROVENANCE.keys() - {
        "agent",
        "lockstep",
        "program",
        "branch",
        "takeover",
        "ghost",
        "watch",
        "study",
        "player.setup",
    }
    assert {event.kind for event in episode.events} <= EVENTS.keys()
    assert re.fullmatch(r"[0-9a-f]{64}", episode.environment["rom"]["sha256"])
    assert re.fullmatch(r"[0-9a-f]{64}", episode.provenance["manifest_sha256"])
    assert episode.provenance["commit"] == find_commit()
    assert episode.summary["device"] == "keyboard"


def test_find_commit_returns_head_of_this_clone() -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commit = find_commit()
    assert commit is not None
    assert commit.removesuffix("-dirty") == head.strip()
    assert Settings(skill_arcade_commit=commit).skill_arcade_commit == commit


def test_print_origin_describes_server_browser_and_devices() -> None:
    player = {
        "browser": "Firefox", "screen": [800, 600], "pixel_ratio": 2.0, "refresh_hz": 59.9, "isolated": True,
    }  # fmt: skip
    provenance = {"skill_arcade": "0.1.0", "commit": "c" * 40, "manifest_sha256": "a" * 64, "mode": "streamed"}
    assert print_origin({**provenance, "player": player}, {"keyboard": 7, "touch": 2}) == [
        f"server: skill-arcade 0.1.0, commit {'c' * 40}",
        f"manifest: SHA-256 {'a' * 64}; streamed",
        "browser: Firefox",
        "screen: 800 x 600 at pixel ratio 2, 59.9 Hz",
        "browser's clock: resolves 5 µs (cross-origin isolated: yes)",
        "input device: keyboard (7 presses), touch (2 presses)",
    ]
    assert print_origin({}, {})[-1] == "input device: nothing was pressed"


def test_late_event_names_the_step_that_was_late(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.ticks(3)
    harness.now += 100_000
    harness.session.tick(harness.now)
    harness.ticks(2)
    harness.session.stop("left", harness.now)
    segments = read_all(tmp_path, episode=harness.headers[0].episode_id)
    (late,) = [event for segment in segments for event in segment.events if event.kind == "late"]
    steps = [step for segment in segments for step in segment.steps]
    assert [step.step for step in steps if step.late_us == late.data["late_us"]] == [late.step] == [3]
    assert late.data["ticks_missed"] == late.data["late_us"] * 60 // 1_000_000 > 0
