"""Tests of certification: an unchanged episode certifies, and each change is detected and named."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL, text

from skill_arcade.certify.pool import verify_episodes
from skill_arcade.certify.rerun import Verdict, rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.uploader.objects import object_key
from tests.conftest import opened_engine
from tests.support.catalogue import load_games
from tests.support.nondeterministic_env import nondeterministic_game
from tests.support.session_harness import (
    SessionHarness,
    play_breakout,
    play_cart_pole,
    play_hanoi,
    play_randomly,
    upload_all,
)


class RecordedArcade:
    """Recorded episodes that a test may modify."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url, self.journal, self.objects = url, folder / "journal", folder / "objects"
        self.journal.mkdir()

    def upload(self) -> None:
        async def work() -> None:
            async with opened_engine(self.url) as engine:
                await upload_all(self.journal, self.objects, engine)

        asyncio.run(work())

    def change(self, statement: str) -> None:
        async def work() -> None:
            async with opened_engine(self.url) as engine, engine.begin() as connection:
                result = await connection.execute(text(statement))
                assert result.rowcount > 0

        asyncio.run(work())

    def verdict(self, episode: UUID) -> Verdict:
        with open_dataset(self.url.render_as_string(hide_password=False), self.objects) as dataset:
            return rerun_episode(dataset.episode(episode))

    def n_steps(self, episode: UUID) -> int:
        with open_dataset(self.url.render_as_string(hide_password=False), self.objects) as dataset:
            return dataset.episode(episode).n_steps

    @property
    def pictures(self) -> list[Path]:
        return sorted(self.objects.rglob("*.png"))


@pytest.fixture
def arcade(database_url: URL, tmp_path: Path) -> RecordedArcade:
    return RecordedArcade(database_url, tmp_path)


@pytest.mark.parametrize("play", [play_breakout, play_hanoi, play_cart_pole])
def test_rerun_of_unchanged_episode_certifies(arcade: RecordedArcade, play: Callable[[Path], SegmentHeader]) -> None:
    header = play(arcade.journal)
    arcade.upload()
    verdict = arcade.verdict(header.episode_id)
    assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")
    assert verdict.n_steps == arcade.n_steps(header.episode_id) > 5
    assert verdict.versions["packages"]["ale-py"]


@pytest.mark.parametrize(
    ("game", "options"),
    [
        ("breakout", {"mode": "4", "difficulty": "1"}),
        ("space-invaders", {"mode": "15"}),
        ("blackjack", {"difficulty": "3"}),
        ("cart-pole", {"speed": "0.5"}),
        ("pendulum", {}),
        ("lunar-lander-continuous", {"speed": "0.75"}),
    ],
)
def test_rerun_with_player_options_certifies(arcade: RecordedArcade, game: str, options: dict[str, str]) -> None:
    """Covers other modes, difficulties and speeds, all actions of ALE, and a discretised continuous action."""
    harness = SessionHarness(arcade.journal, load_games()[game].choose(options))
    play_randomly(harness, 150)
    arcade.upload()
    for header in harness.headers:
        verdict = arcade.verdict(header.episode_id)
        assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")


def test_rerun_with_changed_object_is_damaged_and_names_it(arcade: RecordedArcade) -> None:
    header = play_breakout(arcade.journal)
    arcade.upload()
    path = arcade.pictures[1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    verdict = arcade.verdict(header.episode_id)
    assert verdict.result is CertificateResult.damaged
    assert path.name in verdict.reason


def test_rerun_with_changed_action_is_mismatch_from_that_step(arcade: RecordedArcade) -> None:
    header = play_breakout(arcade.journal)
    arcade.upload()
    arcade.change("UPDATE transition SET action = 2 WHERE step = 70")
    verdict = arcade.verdict(header.episode_id)
    assert verdict.result is CertificateResult.mismatch
    assert verdict.step is not None
    assert verdict.step >= 70
    assert verdict.reason == f"step {verdict.step}: the frame differs; {rows_of_segment(1)}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("reward = 7", "step 40: reward 0, stored is 7"),
        ("terminated = true", "step 40: terminated is False, stored is True"),
        ("info = '{\"lives\": 9}'", "step 40: info['lives'] is 5, stored is 9"),
    ],
)
def test_rerun_with_changed_outcome_names_step_and_value(arcade: RecordedArcade, change: str, expected: str) -> None:
    header = play_breakout(arcade.journal)
    arcade.upload()
    arcade.change(f"UPDATE transition SET {change} WHERE step = 40")
    verdict = arcade.verdict(header.episode_id)
    expected_reason = f"{expected}; {rows_of_segment(0)}"
    assert (verdict.result, verdict.step, verdict.reason) == (CertificateResult.mismatch, 40, expected_reason)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE transition SET server_us = server_us + 1000 WHERE step = 70", "rows of segment 1"),
        ("UPDATE event SET client_us = client_us - 20000 WHERE kind = 'input' AND step = 10", "rows of segment 0"),
        ('UPDATE event SET data = data || \'{"device": "touch"}\' WHERE number = 0', "rows of segment 0"),
        ("DELETE FROM event WHERE number = 5", "6 events are stored, 7 were uploaded"),
    ],
)
def test_rerun_with_changed_times_or_events_is_damaged(arcade: RecordedArcade, change: str, expected: str) -> None:
    header = play_breakout(arcade.journal)
    arcade.upload()
    arcade.change(change)
    verdict = arcade.verdict(header.episode_id)
    assert (verdict.result, verdict.step) == (CertificateResult.damaged, None)
    assert expected in verdict.reason


def test_rerun_with_frames_of_other_episode_does_not_certify(arcade: RecordedArcade) -> None:
    first, second = play_breakout(arcade.journal), play_breakout(arcade.journal, steps=120)
    arcade.upload()
    own_key, other_key = (object_key(header.episode_id, 1, "png") for header in (first, second))
    data = (arcade.objects / other_key).read_bytes()
    (arcade.objects / own_key).write_bytes(data)
    arcade.change(
        f"""UPDATE segment SET objects = jsonb_build_object('{own_key}', other.objects ->> '{other_key}'),
        n_frames = other.n_frames FROM segment other
        WHERE segment.episode_id = '{first.episode_id}' AND segment.number = 1
        AND other.episode_id = '{second.episode_id}' AND other.number = 1"""
    )
    verdict = arcade.verdict(first.episode_id)
    assert verdict.result in (CertificateResult.mismatch, CertificateResult.damaged)
    assert verdict.reason


def test_nondeterministic_environment_is_irreproducible(arcade: RecordedArcade) -> None:
    harness = SessionHarness(arcade.journal, nondeterministic_game())
    play_randomly(harness, 20)
    arcade.upload()
    episode = harness.headers[0].episode_id
    settings = Settings(
        database_url=arcade.url.render_as_string(hide_password=False), skill_arcade_home=arcade.journal.parent
    )
    [(_, verdict)] = verify_episodes(settings, [episode], workers=1)
    assert verdict.result is CertificateResult.irreproducible
    assert "not deterministic" in verdict.reason


def test_verify_episodes_in_worker_processes_certifies_all(arcade: RecordedArcade) -> None:
    headers = [play_hanoi(arcade.journal) for _ in range(3)]
    arcade.upload()
    settings = Settings(
        database_url=arcade.url.render_as_string(hide_password=False), skill_arcade_home=arcade.journal.parent
    )
    verdicts = dict(verify_episodes(settings, [header.episode_id for header in headers], workers=2))
    assert {header.episode_id for header in headers} == verdicts.keys()
    assert {verdict.result for verdict in verdicts.values()} == {CertificateResult.certified}


def rows_of_segment(number: int) -> str:
    """Return the message about changed rows. Segments of `SessionHarness` last 1 s."""
    steps = {0: "steps 0 to 58", 1: "steps 59 to 119"}[number]
    return f"rows of segment {number} ({steps}) differ from the uploaded ones"
