"""Tests of the list of checks: together they run each test of the back end once.

The files in tests/checks hold the arguments with which three checks start pytest. `backend.txt` selects every folder
that no other file or check names, so that a new folder is never left out.
"""

from collections import Counter
from pathlib import Path

from devtools.paths import BACKEND
from devtools.test import CHECKS, ON_DEMAND


def list_test_files(arguments: list[str]) -> list[Path]:
    """Return the files whose tests pytest runs with these arguments."""
    files = [BACKEND / one.removeprefix("@") for one in arguments if one.startswith("@")]
    arguments = [line for file in files for line in file.read_text().splitlines()] or arguments
    folders = [BACKEND / one for one in arguments if not one.startswith("-")]
    ignored = [BACKEND / one.removeprefix("--ignore=") for one in arguments if one.startswith("--ignore=")]
    # Without a folder pytest starts with those of its configuration, and does not ignore them.
    assert folders
    assert not set(folders) & set(ignored)
    found = (file for folder in folders for file in folder.rglob("test_*.py"))
    return [file for file in found if not any(file.is_relative_to(folder) for folder in ignored)]


def test_checks_together_run_each_test_file_once() -> None:
    commands = [
        [str(part) for part in check.command[1:]]
        for check in CHECKS
        if check.folder == BACKEND and str(check.command[0]).endswith("pytest") and check.group != ON_DEMAND
    ]
    counts = Counter(file for arguments in commands for file in list_test_files(arguments))
    assert {file: count for file, count in counts.items() if count != 1} == {}
    every_file = {*(BACKEND / "tests").rglob("test_*.py"), *(BACKEND / "benchmarks").rglob("test_*.py")}
    assert set(counts) == every_file
