"""Clock error, and recorded frames and taps compared with the true ones, over networks with delay and loss.

It runs the real server process, with real sockets through a proxy. A scripted page with a shifted, drifting clock
paints 60 times per second and taps for 5 ms. The pictures of its game encode the number of the observation, so the page
knows what was on the screen. Then 10,000 taps on a manual clock go through session, journal and database.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks.certify import temporary_arcade
from benchmarks.report import Report, quantile
from tests.support.arcade import running_arcade
from tests.support.network import NetworkConditions
from tests.support.scripted_page import Axis, PageClock, play_and_compare, self_describing_settings
from tests.support.taps import play_taps

COLUMNS = (
    "network (up + down)", "page's clock ppm", "round trip ms", "clock samples", "clock error p50 ms", "p95 ms",
    "max ms",
    "stated at most ms", "beyond the stated", "painted", "painted wrong", "taps", "taps on record", "taps wrong",
    "taps acted", "picture's age p50", "p95 steps",
)  # fmt: skip
CASES = (
    (NetworkConditions(), 0.0),
    (NetworkConditions(), 50.0),
    (NetworkConditions(25, 25), 50.0),
    (NetworkConditions(75, 75), -50.0),
    (NetworkConditions(40, 10), 50.0),
    (NetworkConditions(25, 25, jitter_ms=10, loss=0.01), -50.0),
    (NetworkConditions(75, 75, jitter_ms=20, loss=0.02), 50.0),
    (NetworkConditions(120, 30, jitter_ms=20, loss=0.02), -50.0),
)


def run(seconds: float = 30.0, n_taps: int = 10_000) -> Report:
    """Play each case for `seconds`, with one ping per second, then make `n_taps` taps."""
    report = Report("times", COLUMNS)
    with (
        tempfile.TemporaryDirectory(prefix="times-", ignore_cleanup_errors=True) as name,
        temporary_arcade(Path(name)) as arcade_settings,
    ):
        assert arcade_settings.database_url is not None
        settings = self_describing_settings(arcade_settings.skill_arcade_home / "games") | {
            "DATABASE_URL": arcade_settings.database_url
        }
        environment = {**settings, "SKILL_ARCADE_HOME": str(arcade_settings.skill_arcade_home)}
        previous = dict(os.environ)
        os.environ.update(environment)
        try:
            with running_arcade(arcade_settings.skill_arcade_home, log=None, **settings) as arcade:
                for network, ppm in CASES:
                    axis = asyncio.run(
                        play_and_compare(arcade, network, PageClock(drift_ppm=ppm), seconds, ping_seconds=1.0)
                    )
                    report.add(*describe(network, ppm, axis))
        finally:
            os.environ.clear()
            os.environ.update(previous)
        folder = Path(name) / "taps"
        folder.mkdir()
        taps = play_taps(folder, make_url(arcade_settings.database_url), n_taps)
        report.facts["taps of 5 ms, manual clock"] = {
            "made": taps.made, "on record": taps.on_record, "acted": taps.acted, "steps": taps.steps,
        }  # fmt: skip
    return report


def describe(network: NetworkConditions, ppm: float, axis: Axis) -> tuple[object, ...]:
    """Return a row of the table."""
    beyond = sum(wrong > stated for wrong, stated in zip(axis.wrong, axis.stated, strict=True))
    return (
        network.describe(), ppm, axis.round_trip, axis.samples,
        quantile(axis.wrong, 0.5), quantile(axis.wrong, 0.95), max(axis.wrong), max(axis.stated), beyond,
        axis.paints, axis.paints_wrong, axis.taps, axis.taps_on_record, axis.taps_wrong, axis.taps_acted,
        int(quantile(axis.age, 0.5)), int(quantile(axis.age, 0.95)),
    )  # fmt: skip
