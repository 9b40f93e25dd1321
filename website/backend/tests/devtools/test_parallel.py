"""Groups of checks run in parallel, and the output and the failure of every check are shown."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devtools.checks import SERIAL_GROUP, Check, retry_browser_tests
from devtools.parallel import Result, run_checks
from devtools.test import format_summary


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


def test_summary_names_the_failed_tests_of_pytest_and_vitest(tmp_path: Path) -> None:
    lines = [
        "FAILED tests/web/test_a.py::test_one[x] - AssertionError: 1 == 2",
        "ERROR tests/web/test_b.py::test_two - KeyError",
        "ERROR [skill_arcade.web] a line of the log",
        "\x1b[41m FAIL \x1b[49m |parallel| e2e/c.test.ts > three",
        " FAIL  |parallel| e2e/d.test.ts > four",
        "",
        "TimeoutError: nothing was painted",
        " FAIL  |parallel| e2e/c.test.ts > three",
        "a FAIL  in a sentence",
    ]
    code = f"import sys; print({chr(10).join(lines)!r}); sys.exit(1)"
    checks = [check("a", "left", code, tmp_path), check("b", "right", code, tmp_path)]
    results = run_checks(checks)
    names = [
        "tests/web/test_a.py::test_one[x] - AssertionError: 1 == 2",
        "tests/web/test_b.py::test_two - KeyError",
        "|parallel| e2e/c.test.ts > three - TimeoutError: nothing was painted",
        "|parallel| e2e/d.test.ts > four - TimeoutError: nothing was painted",
    ]
    assert [list(result.failed_tests) for result in results] == [names, names]
    summary = format_summary(results, 1.0)
    assert all(f"  {name}: {test}\n" in summary for name in "ab" for test in names)


@pytest.mark.parametrize(("second", "outcome"), [(0, "UNSURE"), (1, "FAILED")])
def test_summary_names_tests_that_passed_when_they_ran_again(tmp_path: Path, second: int, outcome: str) -> None:
    first = check("a", "left", "import sys; print('FAILED t.py::one - late'); sys.exit(1)", tmp_path)

    def retry(failed_tests: Sequence[str]) -> Sequence[str | Path]:
        assert failed_tests == ("t.py::one - late",)
        return [sys.executable, "-c", f"import sys; sys.exit({second})"]

    results = run_checks([replace(first, retry=retry)])
    summary = format_summary(results, 1.0)
    assert f"  {outcome} " in summary
    assert "  a: t.py::one - late\n" in summary
    assert ("Find out why they failed" in summary) == (outcome == "UNSURE")
    assert [result.passed for result in results] == [second == 0]


def test_run_checks_without_failed_tests_of_a_retry_runs_once(tmp_path: Path) -> None:
    failed = check("a", "left", "import sys; sys.exit(1)", tmp_path)
    [result] = run_checks([replace(failed, retry=retry_browser_tests)])
    assert not result.passed


def test_retry_browser_tests_few_files_run_again_and_many_do_not() -> None:
    names = [f"|parallel| {name}.test.ts > one" for name in ("ghost", "ghost", "study-sessions", "replay")]
    assert list(retry_browser_tests(names[:3]) or [])[-3:] == [
        "--maxWorkers=1",
        "ghost.test.ts",
        "study-sessions.test.ts",
    ]
    assert retry_browser_tests(names) is None


def test_summary_of_many_failed_tests_says_how_many_more(tmp_path: Path) -> None:
    failed = Result(check("a", "left", "", tmp_path), 1.0, passed=False, failed_tests=tuple(map(str, range(13))))
    summary = format_summary([failed], 1.0)
    assert "  a: 9\n  a: 3 more\n" in summary


def test_run_checks_program_left_behind_does_not_hold_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devtools.parallel.OUTPUT_GRACE_SECONDS", 0.2)
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, file=open('pid', 'w'))"
    [result] = run_checks([check("a", "left", code, tmp_path)])
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert result.passed
