"""Log lines: readable on a terminal, or one JSON object a line as Google Cloud reads it. No tokens, no e-mails."""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

# Tickets travel in addresses, which servers log; passwords in addresses of databases; tokens in headers.
SECRET_PATTERNS = (
    (re.compile(r"((?:token|ticket|password|secret)=)[^&\s\"']+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(bearer\s+)[^\s\"',]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(://[^/\s:@]{0,100}:)[^\s@]{1,200}@"), r"\1***@"),
    # Bounded, since a pattern that may look far ahead from every character makes a long line take long.
    (re.compile(r"[\w.!#$'*+^`{|}~-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE), "***@***"),
)
# With what uvicorn begins a line: the address that a request came from, which says who asked.
CLIENT_ADDRESS = re.compile(r"^\S+ - (?=\")")
HEALTH_PATHS = ("/healthz", "/readyz")
COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}
RESET_COLOUR = "\x1b[0m"
# Codes that could move a terminal's cursor or colour it; new lines and tabs stay.
CONTROL_CHARACTERS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
# What uvicorn and others say at every turn, and what only a developer of theirs needs.
LOGGER_LEVELS = {"alembic": logging.WARNING, "asyncio": logging.WARNING, "websockets": logging.WARNING}

_context: ContextVar[Mapping[str, str]] = ContextVar("labels", default=MappingProxyType({}))
Format = Literal["text", "json"]


@contextmanager
def log_context(**labels: str) -> Iterator[None]:
    """Put these on every JSON line that is logged in here, also by tasks and threads that begin in here."""
    token = _context.set({**_context.get(), **labels})
    try:
        yield
    finally:
        _context.reset(token)


def name_process(name: str) -> None:
    """Call this process by its work, so that `ps` and `top` tell which is which (Linux; elsewhere nothing)."""
    comm = Path("/proc/self/comm")
    if comm.exists():
        comm.write_text(name)


def set_up_logging(format: Format, level: str) -> None:
    """Send every logger of this process, uvicorn's too, to standard error in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter(colour=sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        if logger.handlers:  # none: it passes on already, or was turned off
            logger.handlers.clear()
            logger.propagate = True
    logging.getLogger("uvicorn.access").addFilter(should_log_access)
    for name, least in LOGGER_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def should_log_access(record: logging.LogRecord) -> bool:
    """Leave out the health checks that went well: there is one every few seconds."""
    if not isinstance(record.args, tuple) or len(record.args) != 5:
        return True
    return record.args[2] not in HEALTH_PATHS or record.args[4] != 200


def hide_secrets(text: str) -> str:
    """Blank out what must not be in a log: tokens, play tickets, passwords in addresses, e-mails."""
    for pattern, instead in SECRET_PATTERNS:
        text = pattern.sub(instead, text)
    return text


class TextFormatter(logging.Formatter):
    """`15:04:05 INFO  web.lifespan  message`, the level in colour on a terminal."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, and the lines of a trace below it."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        name = record.name.removeprefix("skill_arcade.")
        level = f"{record.levelname:<7}"
        if self._colour and record.levelname in COLOURS:
            level = f"{COLOURS[record.levelname]}{level}{RESET_COLOUR}"
        lines = [
            f"{time} {level} {name}: {record.getMessage().translate(CONTROL_CHARACTERS)}",
            *_trace_lines(self, record),
        ]
        return hide_secrets("\n".join(lines))


class JsonFormatter(logging.Formatter):
    """One object a line with `severity`, `time` and `message`, which Google Cloud Logging takes apart.

    What was labelled is beside them: `request`, `session`, `game`, and Google's own name for a trace.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Make the line."""
        entry: dict[str, Any] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "logger": record.name,
            "message": hide_secrets(record.getMessage()),
            **{name: hide_secrets(value) for name, value in _context.get().items()},
        }
        if record.name.startswith("uvicorn."):
            entry["message"] = CLIENT_ADDRESS.sub("", entry["message"])
        if record.name == "uvicorn.access":
            entry |= _access_entry(record)
        if trace := _trace_lines(self, record):
            entry["stack_trace"] = hide_secrets("\n".join(trace))
        return json.dumps(entry, ensure_ascii=False)


def _access_entry(record: logging.LogRecord) -> dict[str, Any]:
    """A request as Cloud Logging shows one: without its query, and without the address that it came from."""
    if not isinstance(record.args, tuple) or len(record.args) != 5:
        return {}
    _, method, address, _, status = record.args
    path = str(address).partition("?")[0]
    request = {"requestMethod": str(method), "requestUrl": hide_secrets(path), "status": status}
    return {"message": f"{method} {hide_secrets(path)} {status}", "httpRequest": request}


def _trace_lines(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    lines = [formatter.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        lines.append(record.stack_info)
    return lines
