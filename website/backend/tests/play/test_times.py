"""The time axis over a real socket, through a network that delays: what is on record is held against the truth."""

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
        running_arcade(home, log=None, SEGMENT_SECONDS="1", **self_describing_settings(home / "games")) as running,
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
async def test_frames_and_taps_are_on_record_as_they_were(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch, network: NetworkConditions, clock: PageClock
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    axis = await play_and_compare(arcade, network, clock, seconds=2.5, ping_seconds=0.1)
    assert (axis.paints_wrong, axis.taps_wrong) == (0, 0)
    assert axis.taps == axis.taps_on_record == axis.taps_acted > 5
    assert axis.paints > 20
    assert axis.samples > 5
    assert all(wrong <= stated + 0.01 for wrong, stated in zip(axis.wrong, axis.stated, strict=True))


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_each_tap_of_five_milliseconds_is_on_record_and_acts(database_url: URL, tmp_path: Path, count: int) -> None:
    taps = play_taps(tmp_path, database_url, count)
    assert (taps.on_record, taps.acted) == (count, count)
    assert taps.steps > count
