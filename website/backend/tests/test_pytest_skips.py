"""Skipped tests fail if CI is set, unless they are marked with may_skip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parent / "plugins"

TESTS = """
import pytest

def test_skip(): pytest.skip("no program")

@pytest.mark.may_skip("old kernels")
@pytest.mark.skipif(True, reason="old kernel")
def test_allowed_skip(): ...

@pytest.mark.xfail
def test_xfail(): assert False

def test_pass(): ...
"""


def run_tests(folder: Path, content: str, ci: str) -> str:
    """Run a test file with the plugin, and return the summary and the exit code."""
    (folder / "conftest.py").write_text('pytest_plugins = ["pytest_skips"]\n')
    (folder / "test_it.py").write_text(content)
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(PLUGINS)}
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


@pytest.mark.parametrize(
    ("ci", "summary"),
    [("", "1 passed, 2 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 skipped, 1 xfailed")],
    ids=["local", "ci"],
)
def test_skip_of_test_in_ci_fails(tmp_path: Path, ci: str, summary: str) -> None:
    output = run_tests(tmp_path, TESTS, ci)
    assert summary in output
    assert ("no program" in output) == bool(ci)


def test_skip_of_module_in_ci_fails(tmp_path: Path) -> None:
    content = 'import pytest\npytest.importorskip("no_such_module")\n'
    assert "no_such_module" in run_tests(tmp_path, content, "true")
    assert "1 skipped" in run_tests(tmp_path, content, "")
