"""Rules about Markdown documents."""

import re
from collections.abc import Iterator

from tests.repository.rules.repository import Finding, Repository

MAX_LINE_CHARACTERS = 100
LINK = re.compile(r"\]\(([^)\s]+)\)")
LINK_ONLY = re.compile(r"^[\s>*+-]*(?:\d+\.\s+)?(?:!?\[[^\]]*\]\([^)]*\)[.,;:]?|<?https?://\S+>?|\[[^\]]+\]:\s*\S+)$")
FENCE = re.compile(r"^\s*(```+|~~~+)")
PACKAGE_ROW = re.compile(r"^\| *\[?`(?:skill_arcade/)?(\w+)/`")
PACKAGE_TABLES = ("website/docs/architecture.md", "README.md")
PACKAGES = "website/backend/skill_arcade/"
DECISIONS = "website/backend/decisions/"


def check_line_length(repository: Repository) -> Iterator[Finding]:
    """Lines have at most 100 characters, except in tables and code blocks and where a line is only a link."""
    for file, text in repository.texts_like(["*.md"]):
        for number, line in prose_lines(text):
            if len(line) > MAX_LINE_CHARACTERS and not line.lstrip().startswith("|") and not LINK_ONLY.match(line):
                yield Finding(
                    file, number, f"the line has {len(line)} characters, at most {MAX_LINE_CHARACTERS} are allowed"
                )


def check_links(repository: Repository) -> Iterator[Finding]:
    """Relative links lead to files that exist, and to headings that exist in a Markdown file."""
    for file, text in repository.texts_like(["*.md"]):
        folder = (repository.root / file).parent
        for number, line in prose_lines(text):
            for link in LINK.findall(line):
                if "://" in link or link.startswith("mailto:"):
                    continue
                path, _, anchor = link.partition("#")
                target = (folder / path) if path else repository.root / file
                if not target.exists():
                    yield Finding(file, number, f"the link target {path} does not exist")
                elif anchor and target.suffix == ".md" and anchor not in heading_anchors(target.read_text()):
                    yield Finding(file, number, f"the link target {link} names no heading")


def heading_anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings = (line.lstrip("#").strip() for _, line in prose_lines(text) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_package_table(repository: Repository) -> Iterator[Finding]:
    """A table in the architecture document, or in the README, has a row for every package of `skill_arcade`."""
    packages = {
        file.removeprefix(PACKAGES).partition("/")[0]
        for file in repository.files
        if file.startswith(PACKAGES) and file.endswith("/__init__.py") and file.count("/") == PACKAGES.count("/") + 1
    }
    listed: set[str] = set()
    for file in PACKAGE_TABLES:
        listed |= {
            row[1] for _, line in prose_lines(repository.texts.get(file, "")) if (row := PACKAGE_ROW.match(line))
        }
    for name in sorted(packages - listed):
        yield Finding(PACKAGE_TABLES[0], 1, f"the table of packages has no row for `{name}/`")


def check_decision_list(repository: Repository) -> Iterator[Finding]:
    """The list of decisions names each of them once."""
    index = f"{DECISIONS}README.md"
    for file in repository.files:
        name = file.removeprefix(DECISIONS)
        if file.startswith(DECISIONS) and file != index and repository.texts.get(index, "").count(f"]({name})") != 1:
            yield Finding(index, 1, f"the list must name {name} once")


def prose_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line outside fenced code blocks."""
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        marker = FENCE.match(line)
        if fence:
            if marker and marker[1].startswith(fence):
                fence = ""
        elif marker:
            fence = marker[1]
        else:
            yield number, line
