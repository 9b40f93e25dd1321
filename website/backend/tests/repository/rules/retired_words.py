"""Rule about words that this project used once and replaced, so that one concept keeps one name.

`retired_words.toml` holds the list. Each entry has these keys:

- `words`: the retired words, as they are spelled; upper and lower case matter.
- `replacement` and `reason`: what to write instead, and why. The finding shows both.
- `match`: "word" finds the word alone and as a part of snake_case, camelCase and kebab-case names. "name" finds it only
  as a whole name, or as a name behind underscores. "pattern" finds whole names that match it as a regular expression.
- `where`: "text" searches the whole file, also comments and strings. "code" searches only names in code: it skips
  comments and strings in Python and TypeScript, and everything but code spans and code blocks in Markdown.
- `include` and `exclude`: shell patterns for paths. Without `include`, the entry applies to every file.
- `allow`: regular expressions; text that matches one of them is not searched.

The top-level key `exclude` lists paths that no entry applies to.
"""

import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.repository.rules.repository import Finding, Repository, is_lock, matches

LIST = Path(__file__).with_name("retired_words.toml")
NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SCRIPT_SUFFIXES = (".ts", ".tsx", ".js", ".mjs")
# Comments, strings and templates of TypeScript. A regular expression literal counts as code.
SCRIPT_TEXT = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL)
MARKDOWN_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MATCHES, PLACES = ("word", "name", "pattern"), ("text", "code")


@dataclass(frozen=True)
class Entry:
    """One entry of the list; see the description of this module."""

    words: tuple[str, ...]
    replacement: str
    reason: str
    match: str = "word"
    where: str = "text"
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def may_be_in(self, text: str) -> bool:
        """Return whether a search in `text` can find anything. This is much faster than the search."""
        return self.match == "pattern" or any(word in text for word in self.words)

    def find(self, line: str) -> str | None:
        """Return the first retired word in a line, or None."""
        for allowed in self.allow:
            line = re.sub(allowed, " ", line)
        for found in NAME.finditer(line):
            name = found[0]
            if self.match == "word":
                for part in PART.findall(name):
                    if part in self.words:
                        return str(part)
            elif self.match == "name":
                if name.lstrip("_") in self.words:
                    return name
            elif any(re.fullmatch(word, name.lstrip("_")) for word in self.words):
                return name
        return None


def read_list(file: Path = LIST) -> tuple[tuple[str, ...], list[Entry]]:
    """Return the excluded paths and the entries. Raises ValueError for an entry with an unknown key or value."""
    data = tomllib.loads(file.read_text())
    return tuple(data.get("exclude", ())), [_read_entry(fields) for fields in data.get("entry", ())]


def _read_entry(fields: dict[str, Any]) -> Entry:
    try:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
        }
        entry = Entry(**values)
    except TypeError as error:
        raise ValueError(f"the entry {fields} is not valid: {error}") from error
    if entry.match not in MATCHES or entry.where not in PLACES:
        raise ValueError(f"the entry {fields} is not valid: match is one of {MATCHES}, where is one of {PLACES}")
    return entry


def check_retired_words(repository: Repository) -> Iterator[Finding]:
    """No file name, name in code, comment or document uses a word of retired_words.toml."""
    exclude, entries = read_list()
    yield from find_retired_words(repository, entries, exclude)


def find_retired_words(repository: Repository, entries: list[Entry], exclude: tuple[str, ...]) -> Iterator[Finding]:
    """Yield a finding for every line, and every file name, that uses a word of `entries`."""
    for file, text in repository.texts.items():
        applicable = [entry for entry in entries if matches(file, entry.include) and not matches(file, entry.exclude)]
        if is_lock(file) or matches(file, exclude) or not applicable:
            continue
        code = code_of(file, text)
        for entry in applicable:
            if word := entry.find(file.rpartition("/")[2]):
                yield Finding(file, 1, f"the file name: {_describe(word, entry)}")
            searched = text if entry.where == "text" else code
            if not entry.may_be_in(searched):
                continue
            for number, line in enumerate(searched.splitlines(), start=1):
                if word := entry.find(line):
                    yield Finding(file, number, _describe(word, entry))


def _describe(word: str, entry: Entry) -> str:
    return f"{word!r} is retired, use {entry.replacement}: {entry.reason}"


def code_of(file: str, text: str) -> str:
    """Return the text of a file with everything that is not code blanked out, so that line numbers stay the same."""
    if file.endswith(".py"):
        return _python_code(text)
    if file.endswith(SCRIPT_SUFFIXES):
        return SCRIPT_TEXT.sub(lambda found: _blank(found[0]), text)
    if file.endswith(".md"):
        code, end = [], 0
        for found in MARKDOWN_CODE.finditer(text):
            code += [_blank(text[end : found.start()]), found[0]]
            end = found.end()
        return "".join([*code, _blank(text[end:])])
    return text


def _python_code(text: str) -> str:
    lines: list[list[str]] = [[] for _ in text.splitlines()]
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                lines[token.start[0] - 1].append(token.string)
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(" ".join(names) for names in lines)


def _blank(text: str) -> str:
    """Return `text` without its characters, but with its line breaks."""
    return re.sub(r"[^\n]", " ", text)
