"""Tests of rules of SPEC.md that no other file covers, and of the citation of each rule in a test name."""

import os
import re
from pathlib import Path

import pytest

from devtools.paths import ROOT
from skill_arcade.recording import journal as journals
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import EpisodeEnd
from skill_arcade.recording.segment import read_segment
from tests.support.journals import make_header
from tests.support.session_harness import SessionHarness

SPEC = Path(journals.__file__).with_name("SPEC.md")


def test_rules_are_all_cited_by_test_names() -> None:
    found = re.findall(r"^- \*\*(R\d+)\*\*", SPEC.read_text(), re.MULTILINE)
    rules = set(found)
    assert len(found) == len(rules), "two rules have one number"
    tests = ROOT / "website" / "backend" / "tests"
    names = {
        name for path in tests.rglob("test_*.py") for name in re.findall(r"def (test_\w*R\d+_\w+)", path.read_text())
    }
    assert rules
    assert rules == {rule for name in names for rule in re.findall(r"R\d+(?=_)", name)}


def test_R2_segment_is_synced_before_and_after_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, list[str]]] = []
    fsync = os.fsync

    def record_fsync(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").resolve()
        folder = path if path.is_dir() else path.parent
        synced.append((path.is_dir(), sorted(path.name for path in folder.iterdir())))
        fsync(file)

    monkeypatch.setattr(os, "fsync", record_fsync)
    journal = Journal(tmp_path, make_header())
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 0, 1))
    assert synced == [(False, ["000000.open"]), (True, ["000000.sealed"])]


def test_R10_wall_clock_jump_changes_no_time_within_episode(tmp_path: Path) -> None:
    harnesses = [SessionHarness(tmp_path / name, "breakout") for name in ("steady", "jumping")]
    for harness, jump_us in zip(harnesses, (0, -86_400_000_000), strict=True):
        harness.send("start")
        for batch in range(9):
            harness.wall_jump_us = batch * jump_us
            harness.ticks(10)
        harness.send("leave")
    times = []
    for harness, name in zip(harnesses, ("steady", "jumping"), strict=True):
        (header,) = harness.headers
        segments = [read_segment(path) for path in sorted((tmp_path / name / str(header.episode_id)).glob("*.sealed"))]
        assert len(segments) > 1
        times.append([step.server_us for segment in segments for step in segment.steps])
        assert {segment.header.started_wall_us for segment in segments} == {header.started_wall_us}
    assert len(times[0]) == 90
    assert times[0] == times[1] == sorted(times[0])
