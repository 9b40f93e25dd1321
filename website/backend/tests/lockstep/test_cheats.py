"""Cheating lockstep pages on the real server: rejected, the agreed steps kept, and the message recorded as
an incident.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

import skill_arcade.dataset as sa
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from tests.conftest import temporary_home
from tests.lockstep.test_arcade import GAME, begin, play
from tests.support.arcade import Arcade, Player, now_ms, open_player, running_arcade, wait_until_uploaded
from tests.support.lockstep_page import EMPTY_MODULE, LockstepPage

pytestmark = pytest.mark.anyio
N_HONEST_STEPS = 60
"""Steps that each page plays before it cheats."""


async def send(player: Player, page: LockstepPage, steps: int, **overrides: Any) -> dict[str, Any]:
    """Take steps, and send them with `overrides` in the message."""
    page.step(steps)
    message = page.ticks() | overrides
    await asyncio.sleep(steps / 60)
    await player.socket.send(json.dumps(message))
    return message


async def play_in_slow_motion(player: Player, page: LockstepPage) -> None:
    for _ in range(8):
        page.now_ms = now_ms()
        page.step(6)
        await asyncio.sleep(0.8)
        await player.socket.send(json.dumps(page.ticks()))


async def play_at_twenty_times_the_speed(player: Player, page: LockstepPage) -> None:
    page.step(400)
    await player.socket.send(json.dumps(page.ticks()))


async def squeeze_the_clock_of_the_page(player: Player, page: LockstepPage) -> None:
    times = [now_ms() + number for number in range(30)]
    await send(player, page, 30, at=times)


async def go_back_in_time(player: Player, page: LockstepPage) -> None:
    await send(player, page, 6, first=page.n_steps - 30)


async def send_a_message_twice(player: Player, page: LockstepPage) -> None:
    message = await send(player, page, 6)
    await player.socket.send(json.dumps(message))


async def leave_steps_out(player: Player, page: LockstepPage) -> None:
    page.step(6)
    page.ticks()
    await send(player, page, 6)


async def make_up_digests(player: Player, page: LockstepPage) -> None:
    await send(player, page, 6, digests=[1, 2, 3, 4, 5, 6])


async def move_without_a_key(player: Player, page: LockstepPage) -> None:
    await send(player, page, 6, actions=[3] * 6)


async def press_a_control_that_does_not_exist(player: Player, page: LockstepPage) -> None:
    names = [f"no-such-{number}" for number in range(300)]
    press = {"step": page.n_steps, "down": True, "at": now_ms(), "frame": None, "device": "keyboard", "code": "KeyX"}
    await send(player, page, 6, inputs=[{**press, "control": name} for name in names])


CHEATS: dict[Callable[[Player, LockstepPage], Awaitable[None]], tuple[str, str]] = {
    play_in_slow_motion: ("refused", "too-slow"),
    play_at_twenty_times_the_speed: ("refused", "too-fast"),
    squeeze_the_clock_of_the_page: ("refused", "too-fast"),
    go_back_in_time: ("refused", "replayed"),
    send_a_message_twice: ("refused", "replayed"),
    leave_steps_out: ("refused", "gap"),
    make_up_digests: ("diverged", "diverged"),
    move_without_a_key: ("refused", "not-latched"),
    press_a_control_that_does_not_exist: ("refused", "unknown-control"),
}


async def attempt(
    arcade: Arcade, cheat: Callable[[Player, LockstepPage], Awaitable[None]], env: PlayableEnv
) -> dict[str, Any]:
    """Play honestly, cheat, and check that the next game is streamed. Return `ended`."""
    async with open_player(arcade, f"{cheat.__name__}@example.org", "breakout") as player:
        page = await begin(arcade, player, env)
        page.press("fire")
        n_honest = await play(player, page, N_HONEST_STEPS)
        await cheat(player, page)
        ended = await player.read_until("ended") | {"honest": n_honest}
        await player.send("start", mode="lockstep")
        assert (await player.read_until("started"))["lockstep"] is None, cheat.__name__
        await player.read_until_frame(10)
        await player.send("leave")
        await player.read_until("ended")
    return ended


@pytest.mark.usefixtures("arcade_home")
async def test_L7_lockstep_cheats_are_rejected_and_recorded_as_incidents(arcade: Arcade) -> None:
    # Make all environments first, because no page here could play meanwhile.
    envs = [make_environment(GAME.environment) for _ in CHEATS]
    all_ended = await asyncio.gather(*(attempt(arcade, cheat, env) for cheat, env in zip(CHEATS, envs, strict=True)))
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        for (cheat, (reason, incident_kind)), ended in zip(CHEATS.items(), all_ended, strict=True):
            name = cheat.__name__
            assert (ended["status"], ended["reason"]) == ("incomplete", reason), name
            episode = dataset.episode(UUID(ended["episode"]))
            (incident,) = [event.data for event in episode.events if event.kind == "incident"]
            assert incident["what"] == incident_kind, name
            assert (episode.summary["mode"], episode.summary["incident"]) == ("lockstep", incident_kind), name
            # The agreed steps are complete: actions, and a frame for each observation.
            assert episode.n_steps == incident["agreed_steps"] >= ended["honest"], name
            assert set(episode.actions) == {1}, name
            assert len(episode.frames) == episode.n_steps + 1, name
            # The incident has everything that is needed to reproduce the disagreement.
            assert incident["ale_seed"] == episode.provenance["lockstep"]["ale_seed"], name
            assert len(incident["actions"]) == len(incident["digests"]) == len(incident["at_ms"]) > 0, name


async def test_lockstep_disabled_streams_games_and_serves_no_emulator() -> None:
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        with running_arcade(home, LOCKSTEP_FOLDER=str(home), LOCKSTEP="false", CERTIFIER="false") as arcade:
            async with open_player(arcade, "ann@example.org", "breakout") as player:
                assert player.messages[0]["lockstep"] is None
                await player.send("start", mode="lockstep")
                assert (await player.read_until("started"))["lockstep"] is None
                await player.press("fire")
                await player.read_until_frame(20)
            async with httpx.AsyncClient(base_url=arcade.url, timeout=60) as client:
                token = (await client.post("/auth/login", json={"email": "ann@example.org"})).json()["token"]
                bearer = {"Authorization": f"Bearer {token}"}
                assert (await client.get("/lockstep/roms/breakout", headers=bearer)).status_code == 404
                assert (await client.get(f"/lockstep/{'0' * 64}.wasm", headers=bearer)).status_code == 404
