"""Tests of the windows: actions are paired with the right observations, and an example learns from them."""

import asyncio
import runpy
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from sqlalchemy import URL

import skill_arcade.dataset as sa
from devtools.paths import BACKEND
from skill_arcade.dataset.windows import align_steps
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import export_part, finish_export, open_plan
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.conftest import opened_engine
from tests.dataset.conftest import Record
from tests.support import session_harness as played


def observe(index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array([index, -index], np.float32)


@pytest.fixture
def episode(dataset: sa.Dataset, record: Record) -> sa.Episode:
    """Record 12 steps. From step 3 on, the action comes from an input with observation 1 on the screen."""
    return dataset.episode(record(observe=observe).id)


@pytest.mark.parametrize(
    ("align", "sources"),
    [
        ("applied", list(range(12))),
        ("shift_4", list(range(-4, 8))),
        ("seen", [0, 1, 2, *range(1, 10)]),
    ],
)
def test_align_steps_selects_observation_of_each_step(align: str, sources: list[int], episode: sa.Episode) -> None:
    assert align_steps(episode, align).tolist() == sources
    windows = sa.Windows([episode], align=align)
    assert [float(one["observations"][0, 0]) for one in windows] == [place for place in sources if place >= 0]
    assert [int(one["actions"][0]) for one in windows] == episode.actions[sources.count(-1) * 4 :].tolist()


def test_windows_never_span_two_episodes(episode: sa.Episode) -> None:
    windows = sa.Windows([episode, episode], length=5, stride=3)
    assert [(one["episode"], one["step"]) for one in windows] == [(0, 0), (0, 3), (0, 6), (1, 0), (1, 3), (1, 6)]
    assert windows[5]["observations"][:, 0].tolist() == [6, 7, 8, 9, 10]
    assert windows[-1]["rewards"].tolist() == episode.rewards[6:11].tolist()
    with pytest.raises(IndexError):
        windows[6]


def test_windows_of_frames_have_pixel_arrays(dataset: sa.Dataset, record: Record) -> None:
    made = record()
    (window,) = sa.Windows([dataset.episode(made.id)], length=12)
    np.testing.assert_array_equal(window["observations"], made.frames[:12])


def test_batches_contain_each_window_once_in_seeded_order(episode: sa.Episode) -> None:
    windows = sa.Windows([episode] * 20, length=2)
    passes = [list(windows.batches(64, seed)) for seed in (1, 1, 2)]
    places = [
        [(int(e), int(s)) for one in batches for e, s in zip(one["episode"], one["step"], strict=True)]
        for batches in passes
    ]
    assert sorted(places[0]) == [(number, step) for number in range(20) for step in range(11)]
    assert places[0] == places[1]
    assert places[0] != places[2]
    assert [len(one["actions"]) for one in passes[0]] == [64, 64, 64, 28]
    for one in passes[0]:
        np.testing.assert_array_equal(one["observations"][:, :, 0], one["step"][:, None] + [0, 1])


@pytest.mark.parametrize("arguments", [{"align": "late"}, {"align": "shift_"}, {"length": 0}, {"stride": 0}])
def test_windows_with_invalid_argument_are_rejected(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"align must be|at least 1"):
        sa.Windows([], **arguments)  # type: ignore[arg-type]


def play_well(journal: Path, steps: int) -> None:
    """Play CartPole with keys, by a rule that balances the pole."""
    harness = played.SessionHarness(journal, "cart-pole")
    harness.send("start")
    twin = gymnasium.make("CartPole-v1")
    observation, _ = twin.reset(seed=harness.headers[0].seed)
    pressed = ""
    for _ in range(steps):
        control = "right" if observation[2] + 0.5 * observation[3] > 0 else "left"
        if control != pressed:
            if pressed:
                harness.press(pressed, down=False)
            harness.press(control)
            pressed = control
        harness.ticks(1)
        observation, _, terminated, _, _ = twin.step(int(control == "right"))
        assert not terminated
    twin.close()
    harness.send("leave")


def test_example_learns_from_dataset_and_from_export(
    database_url: URL, folder: Path, tmp_path: Path, dataset: sa.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def upload() -> None:
        async with opened_engine(database_url) as engine:
            async with engine.begin() as connection:
                await upsert_user(connection, "user", "somebody@example.org")
                await upsert_games(connection, {"cart-pole": {}})
            await played.upload_all(tmp_path / "journal", folder, engine)

    for _ in range(3):
        play_well(tmp_path / "journal", 150)
    asyncio.run(upload())
    out = tmp_path / "out"
    plan = open_plan(dataset, FormatName.minari, None, out)
    for part in plan.parts:
        export_part(dataset, plan, part, out)
    finish_export(plan, out)
    monkeypatch.setenv("MINARI_DATASETS_PATH", "")  # restores the variable, which the example sets
    example = runpy.run_path(str(BACKEND / "examples" / "clone.py"), run_name="example")
    for observation, actions in (example["read_arcade"](dataset), example["read_minari"](out)):
        assert len(observation) == len(actions) == 450
        cloned, random = example["compare_policies"](observation, actions)
        assert random < 40
        assert cloned > 3 * random
