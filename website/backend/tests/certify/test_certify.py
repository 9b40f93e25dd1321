"""An episode that is as it was played certifies; any change to it is found and named."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL, text

from skill_arcade.certify.pool import verify_episodes
from skill_arcade.certify.rerun import Verdict, rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import opened_engine
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
    """Recorded episodes that a test may tamper with."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url, self.journal, self.objects = url, folder / "journal", folder / "objects"
        self.journal.mkdir()

    def deliver(self) -> None:
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
def kept(database_url: URL, tmp_path: Path) -> RecordedArcade:
    return RecordedArcade(database_url, tmp_path)


@pytest.mark.parametrize("play", [play_breakout, play_hanoi, play_cart_pole])
def test_what_was_played_certifies(kept: RecordedArcade, play: Callable[[Path], SegmentHeader]) -> None:
    head = play(kept.journal)
    kept.deliver()
    verdict = kept.verdict(head.episode_id)
    assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")
    assert verdict.n_steps == kept.n_steps(head.episode_id) > 5
    assert verdict.versions["packages"]["ale-py"]


@pytest.mark.parametrize(
    ("game", "chosen"),
    [
        ("breakout", {"mode": "4", "difficulty": "1"}),
        ("space-invaders", {"mode": "15"}),
        ("blackjack", {"difficulty": "3"}),
        ("cart-pole", {"speed": "0.5"}),
        ("pendulum", {}),
        ("lunar-lander-continuous", {"speed": "0.75"}),
    ],
)
def test_what_was_played_as_the_player_chose_certifies(kept: RecordedArcade, game: str, chosen: dict[str, str]) -> None:
    """Another mode, difficulty or speed than the usual; all of ALE's actions; a vector by levels."""
    table = SessionHarness(kept.journal, load_catalogue().games[game].choose(chosen))
    play_randomly(table, 150)
    kept.deliver()
    for head in table.headers:
        verdict = kept.verdict(head.episode_id)
        assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")


def test_a_changed_byte_in_an_object_is_found_and_named(kept: RecordedArcade) -> None:
    head = play_breakout(kept.journal)
    kept.deliver()
    path = kept.pictures[1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    verdict = kept.verdict(head.episode_id)
    assert verdict.result is CertificateResult.damaged
    assert path.name in verdict.reason


def test_a_changed_action_in_a_row_is_found_and_named(kept: RecordedArcade) -> None:
    head = play_breakout(kept.journal)
    kept.deliver()
    kept.change("UPDATE transition SET action = 2 WHERE step = 70")
    verdict = kept.verdict(head.episode_id)
    assert verdict.result is CertificateResult.mismatch
    assert verdict.step is not None
    assert verdict.step >= 70
    assert verdict.reason == f"step {verdict.step}: the frame differs; {rows_of_segment(1)}"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("reward = 7", "step 40: reward 0, stored is 7"),
        ("terminated = true", "step 40: terminated is False, stored is True"),
        ("info = '{\"lives\": 9}'", "step 40: info['lives'] is 5, stored is 9"),
    ],
)
def test_a_changed_outcome_is_found_and_named(kept: RecordedArcade, change: str, named: str) -> None:
    head = play_breakout(kept.journal)
    kept.deliver()
    kept.change(f"UPDATE transition SET {change} WHERE step = 40")
    verdict = kept.verdict(head.episode_id)
    told = f"{named}; {rows_of_segment(0)}"
    assert (verdict.result, verdict.step, verdict.reason) == (CertificateResult.mismatch, 40, told)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE transition SET server_us = server_us + 1000 WHERE step = 70", "rows of segment 1"),
        ("UPDATE event SET client_us = client_us - 20000 WHERE kind = 'input' AND step = 10", "rows of segment 0"),
        ('UPDATE event SET data = data || \'{"device": "touch"}\' WHERE number = 0', "rows of segment 0"),
        ("DELETE FROM event WHERE number = 5", "6 events are there, recorded were 7"),
    ],
)
def test_a_change_that_leads_to_the_same_frames_is_found_and_named(
    kept: RecordedArcade, change: str, named: str
) -> None:
    head = play_breakout(kept.journal)
    kept.deliver()
    kept.change(change)
    verdict = kept.verdict(head.episode_id)
    assert (verdict.result, verdict.step) == (CertificateResult.damaged, None)
    assert named in verdict.reason


def test_a_frame_of_another_episode_is_found_and_named(kept: RecordedArcade) -> None:
    first, second = play_breakout(kept.journal), play_breakout(kept.journal, steps=120)
    kept.deliver()
    ours, theirs = (f"episodes/{head.episode_id}/000001.png" for head in (first, second))
    data = (kept.objects / theirs).read_bytes()
    (kept.objects / ours).write_bytes(data)
    kept.change(
        f"""UPDATE segment SET objects = jsonb_build_object('{ours}', other.objects ->> '{theirs}'),
        n_frames = other.n_frames FROM segment other
        WHERE segment.episode_id = '{first.episode_id}' AND segment.number = 1
        AND other.episode_id = '{second.episode_id}' AND other.number = 1"""
    )
    verdict = kept.verdict(first.episode_id)
    assert verdict.result in (CertificateResult.mismatch, CertificateResult.damaged)
    assert verdict.reason


def test_an_environment_that_differs_from_itself_is_recognised(kept: RecordedArcade) -> None:
    table = SessionHarness(kept.journal, nondeterministic_game())
    play_randomly(table, 20)
    kept.deliver()
    episode = table.headers[0].episode_id
    settings = Settings(
        database_url=kept.url.render_as_string(hide_password=False), skill_arcade_home=kept.journal.parent
    )
    [(_, verdict)] = verify_episodes(settings, [episode], workers=1)
    assert verdict.result is CertificateResult.irreproducible
    assert "differs from itself" in verdict.reason


def test_many_episodes_are_verified_in_processes_of_their_own(kept: RecordedArcade) -> None:
    heads = [play_hanoi(kept.journal) for _ in range(3)]
    kept.deliver()
    settings = Settings(
        database_url=kept.url.render_as_string(hide_password=False), skill_arcade_home=kept.journal.parent
    )
    verdicts = dict(verify_episodes(settings, [head.episode_id for head in heads], workers=2))
    assert {head.episode_id for head in heads} == verdicts.keys()
    assert {verdict.result for verdict in verdicts.values()} == {CertificateResult.certified}


def rows_of_segment(number: int) -> str:
    """Segments of `played.Table` are a second long."""
    steps = {0: "steps 0 to 58", 1: "steps 59 to 119"}[number]
    return f"rows of segment {number} ({steps}) are not those that were recorded"
