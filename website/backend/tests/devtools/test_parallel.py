"""Groups of checks run in parallel, and the output and the failure of every check are shown."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from devtools.run import UserFacingError
from devtools.test import Check, Result, format_summary, run_checks

WAIT = (
    "import pathlib, time\nend = time.monotonic() + 60\n"
    "while not pathlib.Path('{}').exists():\n    assert time.monotonic() < end\n    time.sleep(0.01)"
)
"""Program that waits for a file."""


def check(name: str, group: str, code: str, folder: Path) -> Check:
    return Check(name, f"description of {name}", group, folder, [sys.executable, "-c", code])


def test_run_checks_several_groups_run_in_parallel_and_serial_group_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write = "import pathlib; pathlib.Path('{}').touch(); print('wrote {}')"
    checks = [
        # Each group waits for a file of the other one, so both time out unless they run in parallel.
        check("a", "backend", f"{write.format('a', 'a')}\n{WAIT.format('b')}", tmp_path),
        check("last", "alone", "import os; print(sorted(os.listdir()))", tmp_path),
        check("b", "frontend", f"{WAIT.format('a')}\n{write.format('b', 'b')}", tmp_path),
        check("c", "frontend", "import sys; print('no', file=sys.stderr); sys.exit(3)", tmp_path),
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
    results = run_checks([check("a", "backend", "print('seen')", tmp_path)])
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
    checks = [check("a", "backend", code, tmp_path), check("b", "frontend", code, tmp_path)]
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


def check_with_retry(folder: Path, files: list[str], second: int = 0) -> Check:
    """Return a check in which a test of each file fails, and a second run with this exit code."""
    code = (
        f"import sys\nif sys.argv[1:]: print('again', *sys.argv[1:]); sys.exit({second})\n"
        f"[print(f'FAILED e2e/{{file}}.test.ts::one - late') for file in {files!r}]; sys.exit(1)"
    )
    return check("a", "backend", code, folder)._replace(retry=["--one-by-one"])


@pytest.mark.parametrize(("second", "outcome"), [(0, "UNSURE"), (1, "FAILED")])
def test_summary_names_tests_that_passed_when_they_ran_again(
    tmp_path: Path, second: int, outcome: str, capfd: pytest.CaptureFixture[str]
) -> None:
    results = run_checks([check_with_retry(tmp_path, ["replay", "ghost", "replay"], second)])
    assert "again --one-by-one ghost.test.ts replay.test.ts\n" in capfd.readouterr().out
    summary = format_summary(results, 1.0)
    assert f"  {outcome} " in summary
    assert "  a: e2e/ghost.test.ts::one - late\n" in summary
    assert ("Find out why they failed" in summary) == (outcome == "UNSURE")
    assert ("To run the failed checks again: website/test --only a\n" in summary) == (outcome == "FAILED")
    assert [result.passed for result in results] == [second == 0]


@pytest.mark.parametrize("files", [[], ["ghost", "study-sessions", "replay"]], ids=["none", "many"])
def test_run_checks_failed_tests_of_no_file_or_many_run_once(
    tmp_path: Path, files: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    [result] = run_checks([check_with_retry(tmp_path, files)])
    assert not result.passed
    assert "again" not in capfd.readouterr().out


def test_summary_of_many_failed_tests_says_how_many_more(tmp_path: Path) -> None:
    failed = Result(check("a", "backend", "", tmp_path), 1.0, passed=False, failed_tests=tuple(map(str, range(13))))
    summary = format_summary([failed], 1.0)
    assert "  a: 9\n  a: 3 more\n" in summary


def test_run_checks_program_left_behind_does_not_hold_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devtools.test.OUTPUT_GRACE_SECONDS", 0.2)
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, file=open('pid', 'w'))"
    [result] = run_checks([check("a", "backend", code, tmp_path)])
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert result.passed


def test_run_checks_missing_program_or_package_fails_and_others_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def prepare() -> dict[str, str]:
        raise UserFacingError("no Chromium was found")

    checks = [
        check("a", "backend", "", tmp_path)._replace(command=[tmp_path / "missing"]),
        check("b", "backend", "print('b ran')", tmp_path),
        check("c", "frontend", "", tmp_path)._replace(prepare=prepare),
    ]
    assert [result.passed for result in run_checks(checks)] == [False, True, False]
    output = capfd.readouterr().out
    assert "No such file or directory: " in output
    assert "b ran" in output
    assert "no Chromium was found" in output


def test_run_checks_error_in_a_thread_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devtools.test.find_failed_tests", lambda lines: lines[1])
    with pytest.raises(IndexError):
        run_checks([check("a", "backend", "", tmp_path), check("b", "frontend", "", tmp_path)])


def test_run_checks_long_checks_are_named_while_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def show(text: str) -> None:
        if re.fullmatch(r"   running: a \(\d+ s\), b \(\d+ s\)\n", text):
            (tmp_path / "named").touch()

    monkeypatch.setattr("devtools.test.PROGRESS_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr("devtools.test.show", show)
    checks = [check(name, group, WAIT.format("named"), tmp_path) for name, group in (("a", "backend"), ("b", "data"))]
    assert all(result.passed for result in run_checks(checks))
