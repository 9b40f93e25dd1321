"""O35: a program steps its own copy of an Atari game, and the server verifies each step."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import ale_py
import numpy as np
import pytest
from numpy.typing import NDArray

import skill_arcade.dataset as sa
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.client import ArcadeEnv, ConnectionClosed, EpisodeRefused, LockstepUnavailable
from skill_arcade.client.emulator import LocalEmulator
from skill_arcade.client.lockstep import LockstepGame, find_controls
from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.emulator_config import ale_seed
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.lockstep.verifier import LockstepSupport
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade
from tests.support.lockstep_page import EMPTY_MODULE
from tests.support.network import NetworkConditions, delaying_proxy
from tests.support.recordings import wait_for_episode

ATARI = [game for game in load_catalogue().games.values() if game.environment.id.startswith("ALE/")]
FACTS = json.loads((MANIFESTS / "atari-facts.json").read_text())
GAMES_WITH_ACTIONS_WITHOUT_KEYS = {
    *("backgammon", "blackjack", "casino", "gopher"),
    *("hangman", "mario-bros", "video-checkers"),
}
PLAYER = "lock"
"""Player of the tests in which no rule is broken; after a violation a player has to wait."""
SEED, N_STEPS = 2**31 - 5, 150


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    """A server of its own, because each player keeps a game for minutes."""
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        settings = {"LOCKSTEP_FOLDER": str(home), "MAX_GAMES": "12", "CERTIFIER": "false"}
        with running_arcade(home, None, SEGMENT_SECONDS="1", **settings) as running:
            yield running


@pytest.fixture
def recordings(arcade: Arcade, arcade_home: None) -> Iterator[sa.Dataset]:
    with sa.open() as opened:
        yield opened


def play(arcade: Arcade, pace: Any, game: str, options: dict[str, str]) -> tuple[str, list[tuple[Any, ...]]]:
    """Play the same seed and actions at a pace. Return the episode's id, and what reset and steps returned."""
    draw, seen = np.random.default_rng(3), []
    with ArcadeEnv(arcade.url, game, name=PLAYER, pace=pace, options=options) as env:
        picture, info = env.reset(seed=SEED)
        episode = str(info["arcade"]["episode"])
        seen.append((picture, 0.0, False, False, describe(info)))
        while len(seen) <= N_STEPS and not seen[-1][2]:
            picture, *rest, info = env.step(int(draw.integers(env.action_space.n)))  # type: ignore[attr-defined]
            seen.append((picture, *rest, describe(info)))
    return episode, seen


def step_often(env: ArcadeEnv) -> None:
    """Take steps for ten seconds, in which the server's answer must arrive."""
    for _ in range(600):
        env.step(0)


def describe(info: dict[str, Any]) -> tuple[Any, ...]:
    return info["lives"], info["arcade"]["frame"], info["arcade"]["score"]


@pytest.mark.parametrize(
    ("game", "options"), [("breakout", {}), ("pong", {"mode": "1", "difficulty": "1"})], ids=["breakout", "pong"]
)
def test_O35_lockstep_episode_equals_a_stepped_one(
    arcade: Arcade, recordings: sa.Dataset, game: str, options: dict[str, str]
) -> None:
    (stepped, expected), (lockstep, seen) = (play(arcade, pace, game, options) for pace in ("stepped", "lockstep"))
    assert len(seen) == len(expected) == N_STEPS + 1
    for ours, theirs in zip(seen, expected, strict=True):
        assert np.array_equal(ours[0], theirs[0])
        assert ours[1:] == theirs[1:]
    one, other = (wait_for_episode(recordings, id_) for id_ in (stepped, lockstep))
    assert (one.seed, other.seed) == (SEED, SEED)
    assert other.provenance["program"] == {"pace": "lockstep", "seed": SEED}
    assert (one.provenance["mode"], other.provenance["mode"]) == ("streamed", "lockstep")
    for name in ("actions", "rewards", "terminations"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert np.array_equal(np.asarray(one.frames), np.asarray(other.frames))
    assert [rerun_episode(episode).result for episode in (one, other)] == [CertificateResult.certified] * 2


def test_O35_steps_keep_the_rate_of_the_game_and_drawn_seeds_are_the_servers(
    arcade: Arcade, recordings: sa.Dataset
) -> None:
    with ArcadeEnv(arcade.url, "breakout", name=PLAYER, pace="lockstep") as env:
        episodes = []
        for _ in range(2):
            _, info = env.reset()
            begin = time.monotonic()
            for _ in range(60):
                env.step(1)
            assert time.monotonic() - begin > 60 / 60 * 0.9  # never faster; a busy machine may be slower
            episodes.append(info["arcade"]["episode"])
    first, second = (wait_for_episode(recordings, id_) for id_ in episodes)
    assert first.seed != second.seed
    assert [(one.provenance["program"], len(one)) for one in (first, second)] == [
        ({"pace": "lockstep", "seed": None}, 60)
    ] * 2


@pytest.mark.anyio
async def test_O35_steps_do_not_wait_for_the_network(arcade: Arcade, recordings: sa.Dataset) -> None:
    async with delaying_proxy(NetworkConditions(up_ms=150, down_ms=150), arcade.port) as port:
        seconds, episode = await asyncio.to_thread(play_by_clock, f"http://127.0.0.1:{port}", 90)
        stepped, _ = await asyncio.to_thread(play_by_clock, f"http://127.0.0.1:{port}", 9, "stepped")
    assert stepped > 9 * 0.3  # each step waits for its answer
    assert seconds < 90 * 0.3 / 3
    assert len(await asyncio.to_thread(wait_for_episode, recordings, episode)) == 90


def play_by_clock(url: str, n_steps: int, pace: Any = "lockstep") -> tuple[float, str]:
    """Take steps. Return the seconds that they took, and the id of the episode."""
    with ArcadeEnv(url, "breakout", name=PLAYER, pace=pace) as env:
        _, info = env.reset()
        begin = time.monotonic()
        for step in range(n_steps):
            env.step(step % 3)
        seconds = time.monotonic() - begin
    return seconds, info["arcade"]["episode"]


def test_O35_late_program_pauses_the_game(arcade: Arcade, recordings: sa.Dataset) -> None:
    with ArcadeEnv(arcade.url, "breakout", name=PLAYER, pace="lockstep") as env:
        _, info = env.reset(seed=4)
        for step in range(60):
            if step == 30:
                time.sleep(4)  # without a pause the server would refuse what comes after 3 s
            env.step(2)
    episode = wait_for_episode(recordings, info["arcade"]["episode"])
    kinds = [event.kind for event in episode.events]
    assert kinds.count("pause") == kinds.count("resume") >= 1
    assert episode.end_reason == "left"
    assert episode.actions.tolist() == [2] * 60
    assert rerun_episode(episode).result is CertificateResult.certified


def test_O35_tampered_step_is_refused_in_words_and_ends_lockstep(arcade: Arcade, recordings: sa.Dataset) -> None:
    env = ArcadeEnv(arcade.url, "breakout", name="cheat", pace="lockstep")
    _, info = env.reset(seed=4)
    for _ in range(20):
        env.step(0)
    assert env._emulator is not None
    env._emulator.digest ^= 1
    with pytest.raises(EpisodeRefused, match=r"differs from the server's.*reason diverged"):
        step_often(env)
    with pytest.raises(ConnectionClosed, match="not offered in lockstep, or earlier steps were refused"):
        env.reset()
    env.close()
    assert len(wait_for_episode(recordings, info["arcade"]["episode"])) >= 20


def test_O35_act_in_lockstep_is_rejected(arcade: Arcade) -> None:
    env = ArcadeEnv(arcade.url, "breakout", name="acting", pace="lockstep")
    env.reset()
    env._send("act", action=0, frame=0)
    with pytest.raises(ConnectionClosed, match="in lockstep send ticks"):
        step_often(env)
    env.close()


def test_game_that_is_not_offered_in_lockstep_is_refused_in_words(arcade: Arcade) -> None:
    with pytest.raises(LockstepUnavailable, match=r"does not offer lockstep for cart-pole.*Choose another pace"):
        ArcadeEnv(arcade.url, "cart-pole", name=PLAYER, pace="lockstep")
    with pytest.raises(ValueError, match="not played in lockstep"):
        ArcadeEnv(arcade.url, "breakout", name=PLAYER, pace="lockstep", branch=("0", 1))


def test_other_ale_py_and_other_rom_are_refused_in_words(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ale_py.__version__
    with monkeypatch.context() as patched:
        patched.setattr(ale_py, "__version__", "0.1")
        with pytest.raises(LockstepUnavailable, match=rf"has ale-py 0\.1 and the arcade {ours}.*ale-py=={ours}"):
            ArcadeEnv(arcade.url, "breakout", name=PLAYER, pace="lockstep")
    with monkeypatch.context() as patched:
        pong = ale_py.roms.get_rom_path("pong")
        patched.setattr(ale_py.roms, "get_rom_path", lambda _game: pong)
        with pytest.raises(LockstepUnavailable, match="ROM of breakout on this machine is not that of the arcade"):
            ArcadeEnv(arcade.url, "breakout", name=PLAYER, pace="lockstep")


def test_missing_ale_py_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ale_py", None)
    monkeypatch.delitem(sys.modules, "skill_arcade.client.emulator", raising=False)
    with pytest.raises(LockstepUnavailable, match=r"needs ale-py.*pip install ale-py"):
        ArcadeEnv("http://127.0.0.1:9", "breakout", name=PLAYER, pace="lockstep")


@pytest.mark.parametrize(
    ("game", "settings"),
    [
        ("breakout", {}),
        ("pong", {"repeat_action_probability": 0.25, "frameskip": 4, "mode": 1, "difficulty": 1}),
        ("qbert", {"repeat_action_probability": 0.25, "full_action_space": True, "max_num_frames_per_episode": 90}),
        ("berzerk", {"repeat_action_probability": 0.5, "max_episode_steps": 50}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_L3_copy_of_a_program_computes_the_digests_of_the_server(game: str, settings: dict[str, Any]) -> None:
    manifest = load_catalogue().games[game]
    environment = manifest.environment.model_copy(update={"kwargs": {**manifest.environment.kwargs, **settings}})
    env = make_environment(environment)
    assert isinstance(env, AtariPlayableEnv)
    support = LockstepSupport.find(manifest, env, "0" * 64)
    assert support is not None
    copy, draw = LocalEmulator(support.make_offer().model_dump(mode="json")), np.random.default_rng(2)
    for seed in (1, 2**31 - 1):
        env.reset(seed)
        copy.reset(ale_seed(seed))
        digest = env.update_digest(0, 0.0)
        for _ in range(150):
            assert copy.digest == digest
            np.testing.assert_array_equal(copy.picture, env.picture().rgb())
            action = int(draw.integers(env.n_actions))
            outcome = env.step(action)
            assert copy.step(action) == (outcome.reward, outcome.terminated, outcome.truncated)
            digest = env.update_digest(digest, outcome.reward)
            if outcome.terminated or outcome.truncated:
                break
    env.close()
    copy.close()


def test_action_that_no_key_leads_to_is_refused_in_words() -> None:
    offer = {"bindings": [{"press": ["fire"], "action": 1}], "noop": 0, "hz": 60}
    game = LockstepGame(offer, StillEmulator(), lambda *_: None, lambda: 0.0)
    game.start(1)
    with pytest.raises(ValueError, match="no key of this game leads to the action 2"):
        game.step(2)
    assert game.n_steps == 0


class StillEmulator:
    """An emulator in which nothing happens."""

    digest = 0

    def reset(self, ale_seed: int) -> None:
        self.digest = ale_seed

    def step(self, action: int) -> tuple[float, bool, bool]:
        return 0.0, False, False


@pytest.mark.parametrize("game", ATARI, ids=lambda game: game.id)
def test_I2_controls_of_each_action_lead_to_it_from_any_other(game: Manifest) -> None:
    assert game.noop is not None
    bindings = [{"press": list(one.press), "action": one.action} for one in game.actions]
    controls, latch = find_controls(bindings, game.noop), InputLatch(game.actions, game.noop)
    has_all = sorted(controls) == list(range(len(FACTS[game.id]["joystick"]["meanings"])))
    assert has_all is (game.id not in GAMES_WITH_ACTIONS_WITHOUT_KEYS)
    actions: NDArray[Any] = np.random.default_rng(1).choice(sorted(controls), 300)
    held: frozenset[str] = frozenset()
    for action in actions.tolist():
        for down, changed in ((False, held - controls[action]), (True, controls[action] - held)):
            for control in sorted(changed):
                latch.change(control, down=down, source=ActiveInput(0, 0, None))
        held = controls[action]
        assert latch.sample()[0] == action
