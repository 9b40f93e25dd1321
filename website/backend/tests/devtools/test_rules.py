"""Rules of the devtools that no linter knows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from devtools.paths import ROOT

TOP_LEVEL = {"website", ".github", ".ci", "README.md", ".gitignore", "LICENSE"}
ENTRY_POINTS = ("website/play", "website/test", "website/backend/lock", "website/lockstep/build", ".ci/run")
MOST_LINES = 350
CODE = {".py", ".ts", ".tsx"}
# In brackets, so that these lines do not match themselves.
REGISTRY = re.compile(r"registry\.(npm)js|files\.(python)hosted|(py)pi\.org|(deb)\.debian|file:///[a-z]")
MACHINE = re.compile(r"(?<![\w.}])/(home|opt|root|tmp|work|Users)/[A-Za-z.]")
UNFINISHED = re.compile(r"\b(TO)(DO)\b|\b(FIX)(ME)\b")
LINK_FLAGS = re.compile(r"\]\(([^)\s]+)\)")


def list_files() -> list[Path]:
    """What is in the repository, or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()})


FILES = list_files()
TEXTS = {file: content.decode() for file in FILES if b"\0" not in (content := file.read_bytes())}


def find_lines(pattern: re.Pattern[str], *, among: list[Path]) -> list[str]:
    """Every line that matches, as `file:line: text`."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for file in among
        for number, line in enumerate(TEXTS[file].splitlines(), start=1)
        if pattern.search(line)
    ]


def is_generated(file: Path) -> bool:
    """Whether a program wrote this file."""
    return "generated" in file.name or "generated" in TEXTS[file][:300].lower()


def test_the_top_level_holds_only_what_was_agreed() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} <= TOP_LEVEL


def test_no_lock_of_uv_is_kept() -> None:
    assert [file for file in FILES if file.name == "uv.lock"] == []


def test_no_registry_is_named() -> None:
    assert find_lines(REGISTRY, among=list(TEXTS)) == []


def test_no_path_of_one_machine_is_named() -> None:
    readable = [file for file in TEXTS if not file.name.endswith((".lock", "package-lock.json"))]
    assert find_lines(MACHINE, among=readable) == []


def test_nothing_is_unfinished_by_its_own_word() -> None:
    code = [file for file in TEXTS if not file.name.endswith((".lock", "package-lock.json"))]
    assert find_lines(UNFINISHED, among=code) == []


def test_no_file_of_code_is_too_long() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file, text in TEXTS.items()
        if file.suffix in CODE and (lines := text.count("\n")) > MOST_LINES and not is_generated(file)
    }
    assert long == {}


@pytest.mark.parametrize("entrance", ENTRY_POINTS)
def test_an_entrance_can_be_run(entrance: str) -> None:
    assert os.access(ROOT / entrance, os.X_OK)


@pytest.mark.parametrize(
    "page", [file for file in TEXTS if file.suffix == ".md"], ids=lambda file: str(file.relative_to(ROOT))
)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    inside = [link.partition("#")[0] for link in LINK_FLAGS.findall(TEXTS[page]) if "://" not in link]
    assert [link for link in inside if link and not (page.parent / link).exists()] == []
