"""The recorded times of frames and taps, over a network with delay and loss, compared with the true ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade
from tests.support.network import NetworkConditions
from tests.support.scripted_page import PageClock, play_and_compare, self_describing_settings
from tests.support.taps import play_taps


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with (
        temporary_home() as home,
        running_arcade(
            home, None, SEGMENT_SECONDS="1", CERTIFIER="false", **self_describing_settings(home / "games")
        ) as running,
    ):
        yield running


@pytest.mark.parametrize(
    ("network", "clock"),
    [
        (NetworkConditions(), PageClock(drift_ppm=50)),
        (NetworkConditions(up_ms=60, down_ms=15, jitter_ms=5, loss=0.02), PageClock(shift_ms=10, drift_ppm=-50)),
    ],
)
@pytest.mark.anyio
async def test_recorded_times_of_frames_and_taps_are_true(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch, network: NetworkConditions, clock: PageClock
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    comparison = await play_and_compare(arcade, network, clock, seconds=2.5, ping_seconds=0.1)
    assert (comparison.paints_wrong, comparison.taps_wrong) == (0, 0)
    assert comparison.taps == comparison.taps_on_record == comparison.taps_acted > 5
    assert comparison.paints > 20
    assert comparison.samples > 5
    assert all(wrong <= stated + 0.01 for wrong, stated in zip(comparison.wrong, comparison.stated, strict=True))


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_tap_of_5_ms_is_recorded_and_acts(database_url: URL, tmp_path: Path, count: int) -> None:
    taps = play_taps(tmp_path, database_url, count)
    assert (taps.on_record, taps.acted) == (count, count)
    assert taps.steps > count
