"""Checks run side by side, and none of their words or failures is lost."""

import sys
from pathlib import Path

import pytest

from devtools.checks import Check
from devtools.parallel import run_checks


def check(name: str, group: str, code: str, folder: Path) -> Check:
    return Check(name, f"what {name} does", [sys.executable, "-c", code], folder, group)


def test_lanes_meet_and_what_is_last_comes_last(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wait = (
        "import pathlib, time\nend = time.monotonic() + 20\n"
        "while not pathlib.Path('{}').exists():\n    assert time.monotonic() < end\n    time.sleep(0.01)"
    )
    write = "import pathlib; pathlib.Path('{}').touch(); print('wrote {}')"
    chosen = [
        # Each group waits for a word of the other, so one after the other they would never end.
        check("a", "left", f"{write.format('a', 'a')}\n{wait.format('b')}", tmp_path),
        check("last", "last", "import os; print(sorted(os.listdir()))", tmp_path),
        check("b", "right", f"{wait.format('a')}\n{write.format('b', 'b')}", tmp_path),
        check("c", "right", "import sys; print('no', file=sys.stderr); sys.exit(3)", tmp_path),
    ]
    results = run_checks(chosen)
    assert [(result.check.name, result.passed) for result in results] == [
        ("a", True),
        ("last", True),
        ("b", True),
        ("c", False),
    ]
    said = capfd.readouterr().out
    assert "== c: what c does" in said
    assert said.index("wrote b") < said.index("\nno\n") < said.index("['a', 'b']")


def test_one_lane_is_shown_as_it_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = run_checks([check("a", "left", "print('seen')", tmp_path)])
    assert results[0].passed
    assert capfd.readouterr().out == "\n== a: what a does\nseen\n"
