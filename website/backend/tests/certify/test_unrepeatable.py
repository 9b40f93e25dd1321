"""The certifier survives every environment and every recording: a verdict with a reason, and on to the next episode."""

import asyncio
import os
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import URL, text

from skill_arcade.certify import pool, process
from skill_arcade.certify.pool import Workers
from skill_arcade.certify.process import certify
from skill_arcade.certify.rerun import Verdict
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import opened_engine
from tests.support.session_harness import SessionHarness, play_hanoi, play_randomly, upload_all
from tests.support.unrepeatable_env import unrepeatable_game


class Recorder:
    """Records episodes, uploads them, and certifies them."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url, self.journal, self.objects = url, folder / "journal", folder / "objects"
        self.journal.mkdir()

    def record(self, kind: str, n_steps: int = 6) -> list[UUID]:
        """Play an unrepeatable game; return its episodes."""
        harness = SessionHarness(self.journal, unrepeatable_game(kind))
        play_randomly(harness, n_steps)
        if kind != "close-raises":
            harness.env.close()
        return [header.episode_id for header in harness.headers]

    def certify(self, episodes: list[UUID], **more: Any) -> dict[UUID, Verdict]:
        """Upload and certify."""
        self.upload()
        with closing(Workers(self.settings(**more), 1, max_stall_seconds=3)) as workers:
            return dict(workers.verify(episodes))

    def upload(self) -> None:
        async def work() -> None:
            async with opened_engine(self.url) as engine:
                await upload_all(self.journal, self.objects, engine)

        asyncio.run(work())

    def settings(self, **more: Any) -> Settings:
        return Settings(
            database_url=self.url.render_as_string(hide_password=False), skill_arcade_home=self.journal.parent, **more
        )

    def certified(self) -> list[UUID]:
        """Return the episode of each certificate."""

        async def read() -> list[UUID]:
            async with opened_engine(self.url) as engine, engine.connect() as connection:
                query = text("SELECT episode_id FROM certificate WHERE result = 'certified' ORDER BY episode_id")
                return list((await connection.execute(query)).scalars())

        return asyncio.run(read())


@pytest.fixture
def recorder(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setenv("RECORDER_PID", str(os.getpid()))
    monkeypatch.setattr(pool, "MAX_CLOSE_SECONDS", 2.0)
    return Recorder(database_url, tmp_path)


REASONS = {
    "raises": "step raised RuntimeError: the level server is gone",
    "exits": "the re-run ended its process (exit status 9)",
    "system-exit": "step raised SystemExit: bye",
    "hangs": "took no step for",
    "spins": "took no step for",
    "hash": "the environment is not deterministic",
    "pid": "the environment is not deterministic",
}


def test_certifier_with_failing_reruns_names_each_reason_and_goes_on(recorder: Recorder) -> None:
    bad = {kind: recorder.record(kind)[0] for kind in REASONS}
    good = play_hanoi(recorder.journal).episode_id
    verdicts = recorder.certify([*bad.values(), good])
    assert {kind: verdicts[episode].result for kind, episode in bad.items()} == dict.fromkeys(
        REASONS, CertificateResult.irreproducible
    )
    assert {kind: REASONS[kind] in verdicts[episode].reason for kind, episode in bad.items()} == dict.fromkeys(
        REASONS, True
    )
    assert verdicts[good].result is CertificateResult.certified


def test_certifier_with_memory_limit_names_it_and_goes_on(recorder: Recorder) -> None:
    (greedy,) = recorder.record("greedy")[:1]
    good = play_hanoi(recorder.journal).episode_id
    verdicts = recorder.certify([greedy, good], certifier_memory_mb=900)
    assert verdicts[greedy].result is CertificateResult.irreproducible
    assert "MemoryError" in verdicts[greedy].reason
    assert verdicts[good].result is CertificateResult.certified


def test_certifiers_at_once_certify_each_episode_once(recorder: Recorder) -> None:
    episodes = {play_hanoi(recorder.journal).episode_id for _ in range(6)}
    recorder.upload()

    async def certify_twice() -> list[int]:
        settings = recorder.settings()
        return await asyncio.gather(*(certify(settings, until_done=True) for _ in range(2)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "MAX_BATCH_EPISODES", 1)
        counts = asyncio.run(certify_twice())
    assert (sum(counts), min(counts) > 0) == (6, True)
    assert recorder.certified() == sorted(episodes)


def test_certifier_with_odd_close_certifies_every_episode(recorder: Recorder) -> None:
    episodes = [
        episode for kind in ("close-raises", "close-hangs", "port", "port") for episode in recorder.record(kind)
    ]
    verdicts = recorder.certify(episodes)
    assert [verdicts[episode].result for episode in episodes] == [CertificateResult.certified] * 4


def test_certifier_with_state_kept_over_reset_blames_the_environment(recorder: Recorder) -> None:
    first, second, *_ = recorder.record("state", n_steps=16)
    verdicts = recorder.certify([first, second])
    assert verdicts[second].result is CertificateResult.irreproducible
    assert "keeps state over a reset" in verdicts[second].reason


def test_certifier_with_unreadable_episode_is_damaged_and_goes_on(recorder: Recorder) -> None:
    bad, good = play_hanoi(recorder.journal).episode_id, play_hanoi(recorder.journal).episode_id
    recorder.certify([good])
    for path in (recorder.objects / "episodes").glob(f"*/{bad}/*"):
        path.write_bytes(b"no picture")
    verdicts = recorder.certify([bad, good])
    assert verdicts[bad].result is CertificateResult.damaged
    assert verdicts[bad].reason
    assert verdicts[good].result is CertificateResult.certified
