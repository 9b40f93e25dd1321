"""The rules of SPEC.md that no other file proves, and that each of them is proved somewhere, by name."""

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


def test_every_rule_is_cited_by_the_name_of_a_test() -> None:
    rules = set(re.findall(r"^- \*\*(R\d+)\*\*", SPEC.read_text(), re.MULTILINE))
    tests = ROOT / "website" / "backend" / "tests"
    names = {name for path in tests.rglob("test_*.py") for name in re.findall(r"def (test_R\w+)", path.read_text())}
    assert rules
    assert rules == {rule for name in names for rule in re.findall(r"R\d+(?=_)", name)}


def test_R2_a_segment_is_on_the_disk_before_it_is_called_sealed_and_then_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, list[str]]] = []
    really = os.fsync

    def note(file: int) -> None:
        place = Path(f"/proc/self/fd/{file}").resolve()
        folder = place if place.is_dir() else place.parent
        synced.append((place.is_dir(), sorted(path.name for path in folder.iterdir())))
        really(file)

    monkeypatch.setattr(os, "fsync", note)
    journal = Journal(tmp_path, make_header())
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 0, 1))
    assert synced == [(False, ["000000.open"]), (True, ["000000.sealed"])]


def test_R10_a_wall_clock_that_jumps_moves_no_time_within_an_episode(tmp_path: Path) -> None:
    tables = [SessionHarness(tmp_path / name, "breakout") for name in ("steady", "jumping")]
    for table, jump_us in zip(tables, (0, -86_400_000_000), strict=True):
        table.send("start")
        for turn in range(9):
            table.wall_jump_us = turn * jump_us
            table.ticks(10)
        table.send("leave")
    times = []
    for table, name in zip(tables, ("steady", "jumping"), strict=True):
        (head,) = table.headers
        segments = [read_segment(path) for path in sorted((tmp_path / name / str(head.episode_id)).glob("*.sealed"))]
        assert len(segments) > 1
        times.append([step.server_us for segment in segments for step in segment.steps])
        assert {segment.header.started_wall_us for segment in segments} == {head.started_wall_us}
    assert len(times[0]) == 90
    assert times[0] == times[1] == sorted(times[0])
