"""A server with lockstep, shared by the tests of this package."""

from collections.abc import Iterator

import pytest

from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade
from tests.support.lockstep_page import EMPTY_MODULE


@pytest.fixture(scope="package")
def arcade() -> Iterator[Arcade]:
    """A real server with long segments, so that the header of an episode stays in the journal while it is played."""
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        settings = {"LOCKSTEP_FOLDER": str(home), "MAX_GAMES": "12", "CERTIFIER": "false"}
        with running_arcade(home, None, SEGMENT_SECONDS="60", **settings) as running:
            yield running


@pytest.fixture
def arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `dataset.open()` read the recordings of this server."""
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
