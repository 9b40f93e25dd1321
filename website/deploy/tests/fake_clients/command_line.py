"""Parses a command line of gcloud, and prints a result in the format of --format."""

import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# Flags that every command takes.
GLOBAL = {"project", "quiet", "format", "filter", "flags-file"}


class UsageError(Exception):
    """gcloud would reject the command line with exit code 2."""


class CommandError(Exception):
    """The command failed: exit code 1."""


@dataclass
class CommandLine:
    """The positional arguments of a command, and its flags with their values. None is the value of a bare flag."""

    words: list[str]
    flags: dict[str, str | None]

    def value(self, name: str, default: str = "") -> str:
        """Return the value of a flag."""
        return self.flags.get(name) or default

    def word(self, position: int = 0) -> str:
        """Return a positional argument. Raises `UsageError` if it is missing."""
        try:
            return self.words[position]
        except IndexError:
            raise UsageError("an argument is missing") from None

    @property
    def project(self) -> str:
        """The project. Raises `UsageError` if it is missing."""
        if not self.flags.get("project"):
            raise UsageError("--project is missing")
        return str(self.flags["project"])


def parse_command_line(arguments: list[str], known: dict[str, set[str]]) -> tuple[str, CommandLine]:
    """Return the command and its arguments. Raises `UsageError` for an unknown flag."""
    words = [part for part in arguments if not part.startswith("--")]
    command = next((" ".join(words[:n]) for n in range(len(words), 0, -1) if " ".join(words[:n]) in known), None)
    if command is None:
        raise UsageError(f"Invalid choice: '{' '.join(words)}'")
    flags: dict[str, str | None] = {}
    for part in arguments:
        name, equals, value = part[2:].partition("=")
        if part.startswith("--"):
            if name not in known[command] | GLOBAL:
                raise UsageError(f"unrecognized arguments: {part}")
            if name in flags:
                raise UsageError(f"--{name} is there twice")  # gcloud would use the last one
            flags[name] = value if equals else None
    if file := flags.pop("flags-file", None):
        for match in re.finditer(r'^--([\w-]+): "(.*)"$', Path(file).read_text(), re.MULTILINE):
            flags[match[1]] = match[2]
    return command, CommandLine(words[len(command.split()) :], flags)


def require_credentials(variable: str, error: str) -> None:
    """Raise `CommandError` if the variable with the credentials is not set."""
    if not os.environ.get(variable):
        raise CommandError(error)


def call(api: str, method: str, path: str, body: Any = None, **query: str) -> Any:
    """Call a fake API. Raises `CommandError` for an error response."""
    url = f"{os.environ['FAKE_URL']}/{api}.fake{path}{'?' + urlencode(query) if query else ''}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise CommandError(json.loads(error.read())["error"]["message"]) from None


def print_result(answer: Any, line: CommandLine) -> None:
    """Print a result in the requested format. Without a format, nothing is printed that a script could read."""
    form = line.value("format")
    if form == "json":
        print(json.dumps(answer, indent=2))
    elif found := re.fullmatch(r"value\(([\w.]+?)(\.basename\(\))?\)", form):
        items = answer if isinstance(answer, list) else [answer]
        for item in items:
            value = pick(item, found[1])
            print(value.rpartition("/")[2] if found[2] else value)
    elif form not in ("", "none"):
        raise UsageError(f"the fake gcloud does not support --format={form}")


def pick(item: Any, path: str) -> str:
    """Return a nested value like gcloud prints it."""
    for name in path.split("."):
        item = item.get(name, "") if isinstance(item, dict) else ""
    return str(item)
