"""Groups of checks run in parallel, and the output and the failure of every check are shown."""

import sys
from pathlib import Path

import pytest

from devtools.checks import SERIAL_GROUP, Check
from devtools.parallel import run_checks


def check(name: str, group: str, code: str, folder: Path) -> Check:
    return Check(name, f"description of {name}", [sys.executable, "-c", code], folder, group)


def test_run_checks_several_groups_run_in_parallel_and_serial_group_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wait = (
        "import pathlib, time\nend = time.monotonic() + 20\n"
        "while not pathlib.Path('{}').exists():\n    assert time.monotonic() < end\n    time.sleep(0.01)"
    )
    write = "import pathlib; pathlib.Path('{}').touch(); print('wrote {}')"
    checks = [
        # Each group waits for a file of the other one, so both time out unless they run in parallel.
        check("a", "left", f"{write.format('a', 'a')}\n{wait.format('b')}", tmp_path),
        check("last", SERIAL_GROUP, "import os; print(sorted(os.listdir()))", tmp_path),
        check("b", "right", f"{wait.format('a')}\n{write.format('b', 'b')}", tmp_path),
        check("c", "right", "import sys; print('no', file=sys.stderr); sys.exit(3)", tmp_path),
    ]
    results = run_checks(checks)
    assert [(result.check.name, result.passed) for result in results] == [
        ("a", True),
        ("last", True),
        ("b", True),
        ("c", False),
    ]
    output = capfd.readouterr().out
    assert "== c: description of c" in output
    assert output.index("wrote b") < output.index("\nno\n") < output.index("['a', 'b']")


def test_run_checks_single_group_shows_output_directly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = run_checks([check("a", "left", "print('seen')", tmp_path)])
    assert results[0].passed
    assert capfd.readouterr().out == "\n== a: description of a\nseen\n"
