"""`games check` finds what would go wrong in play, in sentences, whatever the environment does."""

import pytest

from skill_arcade.environments import trial
from skill_arcade.environments.trial import try_game
from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from tests.support.catalogue import load_games
from tests.support.misbehaving_env import env_id as misbehaving_id
from tests.support.odd_env import odd_game
from tests.support.unrepeatable_env import unrepeatable_game


def misbehaving_game(kind: str) -> Manifest:
    """Return a turn-based game of a misbehaving environment."""
    environment = EnvironmentSpec(id=misbehaving_id(kind))
    return odd_game("plain").model_copy(update={"id": f"bad-{kind}", "environment": environment})


@pytest.mark.parametrize("name", ["cart-pole", "breakout", "minigrid-door-key", "tower-of-hanoi"])
def test_try_game_of_catalogue_finds_no_problems(name: str) -> None:
    report = try_game(load_games()[name])
    assert (report.problems, report.warnings) == ([], [])
    assert report.n_steps > 20
    assert 0 < report.median_step_ms <= report.max_step_ms


@pytest.mark.parametrize(
    ("game", "problem"),
    [
        (odd_game("growing"), "at the reset it had (1,)"),
        (odd_game("old-api"), "this is the API of gym before 0.26"),
        (odd_game("vector-reward"), "it must be one real number"),
        (odd_game("channels-first"), "move the channels to the end"),
        (misbehaving_game("make"), "make raised RuntimeError: gladLoadGL error. Without a display, MuJoCo needs"),
        (misbehaving_game("render"), "render raised RuntimeError: an OpenGL platform library has not been loaded"),
        (misbehaving_game("render"), "MuJoCo needs MUJOCO_GL=egl"),
        (misbehaving_game("sys-exit"), "step raised SystemExit: 3"),
        (misbehaving_game("interrupt"), "step raised KeyboardInterrupt"),
        (misbehaving_game("abort"), "killed by SIGABRT"),
        (misbehaving_game("exit"), "exit status 7"),
    ],
    ids=lambda value: value.id if isinstance(value, Manifest) else "",
)
def test_try_game_of_bad_environment_names_the_problem(game: Manifest, problem: str) -> None:
    report = try_game(game)
    assert any(problem in found for found in report.problems), report.problems


def test_try_game_of_hanging_environment_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MAX_PROCESS_SECONDS", 8.0)
    assert any("the environment hangs" in problem for problem in try_game(misbehaving_game("hang")).problems)


@pytest.mark.parametrize(
    ("game", "warning"),
    [
        (odd_game("nan-reward"), "a reward is nan"),
        (odd_game("object-info"), "info 'o' has objects"),
        (odd_game("growing-picture"), "the picture changes its size"),
        (odd_game("global-random"), "is not deterministic"),
        (unrepeatable_game("state"), "keeps state over a reset"),
        (unrepeatable_game("hash"), "two processes differ"),
        (odd_game("tuple"), "Gymnasium's checker: "),
    ],
    ids=lambda value: value.id if isinstance(value, Manifest) else "",
)
def test_try_game_of_odd_environment_warns(game: Manifest, warning: str) -> None:
    report = try_game(game)
    assert report.problems == []
    assert any(warning in found for found in report.warnings), report.warnings
