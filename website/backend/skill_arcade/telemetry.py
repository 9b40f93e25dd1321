"""Logging as text or as JSON for Google Cloud Logging, without tokens and e-mail addresses."""

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

# Secrets that reach log lines: tickets and recruiters' ids in URLs, passwords in database URLs, tokens in headers.
SECRET_PATTERNS = (
    (re.compile(r"((?:token|ticket|password|secret)=)[^&\s\"']+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(\bticket\.)eyJ[\w.-]+"), r"\1***"),
    (re.compile(r"(/shared/)[\w-]+"), r"\1***"),
    # Ids of participants at their recruiter.
    (re.compile(r"(/study/[\w-]{1,60}\?)[^\s\"']+"), r"\1***"),
    (re.compile(r"(bearer\s+)[^\s\"',]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(://[^/\s:@]{0,100}:)[^\s@]{1,200}@"), r"\1***@"),
    # Bounded repetitions, because unbounded look-ahead from every character makes long lines slow.
    (re.compile(r"[\w.!#$'*+^`{|}~-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE), "***@***"),
)
# The client address at the start of uvicorn's access lines, which is personal data.
CLIENT_ADDRESS = re.compile(r"^\S+ - (?=\")")
HEALTH_PATHS = ("/health/live", "/health/ready", "/healthz", "/readyz")
COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}
RESET_COLOUR = "\x1b[0m"
# Control characters that could move the cursor or change the colours of a terminal; newlines and tabs stay.
CONTROL_CHARACTERS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
# Minimum levels of chatty libraries.
LOGGER_LEVELS = {"alembic": logging.WARNING, "asyncio": logging.WARNING, "websockets": logging.WARNING}

_context: ContextVar[Mapping[str, str]] = ContextVar("labels", default=MappingProxyType({}))
Format = Literal["text", "json"]


@contextmanager
def log_context(**labels: str) -> Iterator[None]:
    """Add these labels to every JSON log line of the block, including tasks and threads that start in it."""
    token = _context.set({**_context.get(), **labels})
    try:
        yield
    finally:
        _context.reset(token)


def name_process(name: str) -> None:
    """Set the name of this process for `ps` and `top` (on Linux; elsewhere do nothing)."""
    comm = Path("/proc/self/comm")
    if comm.exists():
        comm.write_text(name)


def set_up_logging(format: Format, level: str) -> None:
    """Send all loggers of this process, including uvicorn's, to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter(colour=sys.stderr.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        if logger.handlers:  # without handlers it already propagates, or is turned off
            logger.handlers.clear()
            logger.propagate = True
    logging.getLogger("uvicorn.access").addFilter(should_log_access)
    for name, min_level in LOGGER_LEVELS.items():
        logging.getLogger(name).setLevel(max(min_level, root.level))


def should_log_access(record: logging.LogRecord) -> bool:
    """Return False for access lines of successful health checks, which come every few seconds."""
    if not isinstance(record.args, tuple) or len(record.args) != 5:
        return True
    return record.args[2] not in HEALTH_PATHS or record.args[4] != 200


def hide_secrets(text: str) -> str:
    """Replace tokens, play tickets, passwords and recruiters' ids in URLs, and e-mail addresses by asterisks."""
    for pattern, replacement in SECRET_PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class TextFormatter(logging.Formatter):
    """Formats `15:04:05 INFO web.lifespan: message`, with the level in colour on a terminal."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
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
    """Formats one JSON object per line, with `severity`, `time` and `message` as Google Cloud Logging reads them.

    The labels of `log_context` are further fields: `request`, `session`, `game`, and Google's name of a trace.
    """

    def format(self, record: logging.LogRecord) -> str:
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
    """Return the fields of a request for Cloud Logging, without its query string and the client address."""
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
