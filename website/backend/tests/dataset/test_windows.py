"""Windows pair actions with the observations that they are said to pair them with, and one can learn from them."""

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
    """Twelve steps; from step 3 on, an input that happened while observation 1 was on the screen."""
    return dataset.episode(record(observe=observe).id)


@pytest.mark.parametrize(
    ("align", "sources"),
    [
        ("applied", list(range(12))),
        ("shift_4", list(range(-4, 8))),
        ("seen", [0, 1, 2, *range(1, 10)]),
    ],
)
def test_each_step_has_its_observation(align: str, sources: list[int], episode: sa.Episode) -> None:
    assert align_steps(episode, align).tolist() == sources
    windows = sa.Windows([episode], align=align)
    assert [float(one["observations"][0, 0]) for one in windows] == [place for place in sources if place >= 0]
    assert [int(one["actions"][0]) for one in windows] == episode.actions[sources.count(-1) * 4 :].tolist()


def test_windows_stay_within_an_episode(episode: sa.Episode) -> None:
    windows = sa.Windows([episode, episode], length=5, stride=3)
    assert [(one["episode"], one["step"]) for one in windows] == [(0, 0), (0, 3), (0, 6), (1, 0), (1, 3), (1, 6)]
    assert windows[5]["observations"][:, 0].tolist() == [6, 7, 8, 9, 10]
    assert windows[-1]["rewards"].tolist() == episode.rewards[6:11].tolist()
    with pytest.raises(IndexError):
        windows[6]


def test_frames_are_windows_too(dataset: sa.Dataset, record: Record) -> None:
    made = record()
    (window,) = sa.Windows([dataset.episode(made.id)], length=12)
    np.testing.assert_array_equal(window["observations"], made.frames[:12])


def test_batches_hold_every_window_once_in_an_order_of_the_seed(episode: sa.Episode) -> None:
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


@pytest.mark.parametrize("given", [{"align": "late"}, {"align": "shift_"}, {"length": 0}, {"stride": 0}])
def test_what_does_not_fit_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"align is|at least 1"):
        sa.Windows([], **given)  # type: ignore[arg-type]


def play_well(journal: Path, steps: int) -> None:
    """CartPole, balanced by a rule that looks at the pole, with the keys of a person."""
    table = played.SessionHarness(journal, "cart-pole")
    table.send("start")
    twin = gymnasium.make("CartPole-v1")
    seen, _ = twin.reset(seed=table.headers[0].seed)
    held = ""
    for _ in range(steps):
        wanted = "right" if seen[2] + 0.5 * seen[3] > 0 else "left"
        if wanted != held:
            if held:
                table.press(held, down=False)
            table.press(wanted)
            held = wanted
        table.ticks(1)
        seen, _, over, _, _ = twin.step(int(wanted == "right"))
        assert not over
    twin.close()
    table.send("leave")


def test_the_example_learns_to_balance_from_the_arcade_and_from_an_export(
    database_url: URL, folder: Path, tmp_path: Path, dataset: sa.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deliver() -> None:
        async with opened_engine(database_url) as engine:
            async with engine.begin() as connection:
                await upsert_user(connection, "user", "somebody@example.org")
                await upsert_games(connection, {"cart-pole": {}})
            await played.upload_all(tmp_path / "journal", folder, engine)

    for _ in range(3):
        play_well(tmp_path / "journal", 150)
    asyncio.run(deliver())
    out = tmp_path / "out"
    plan = open_plan(dataset, FormatName.minari, None, out)
    for part in plan.parts:
        export_part(dataset, plan, part, out)
    finish_export(plan, out)
    monkeypatch.setenv("MINARI_DATASETS_PATH", "")  # the example sets it
    example = runpy.run_path(str(BACKEND / "examples" / "clone.py"), run_name="example")
    for seen, done in (example["read_arcade"](dataset), example["read_minari"](out)):
        assert len(seen) == len(done) == 450
        cloned, random = example["compare_policies"](seen, done)
        assert random < 40
        assert cloned > 3 * random
