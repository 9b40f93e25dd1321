"""Log lines for terminals and for Google Cloud Logging, without secrets."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterator

import pytest

from skill_arcade.telemetry import JsonFormatter, TextFormatter, hide_secrets, log_context, set_up_logging


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Restore the logging configuration after each test."""
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


def record(message: str, *parts: object, level: int = logging.INFO, trace: bool = False) -> logging.LogRecord:
    exc_info = sys.exc_info() if trace else None
    return logging.LogRecord("skill_arcade.web.app", level, "app.py", 1, message, parts, exc_info)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /ws/breakout?token=eyJ1c2VyIjoi.abc-_x HTTP/1.1", "GET /ws/breakout?token=*** HTTP/1.1"),
        ("GET /shared/Ab-_9?f=3 HTTP/1.1", "GET /shared/***?f=3 HTTP/1.1"),
        ('"GET /study/ice?PROLIFIC_PID=p-7&STUDY_ID=s HTTP/1.1"', '"GET /study/ice?*** HTTP/1.1"'),
        ("/ws/pong?a=1&ticket=abc&b=2", "/ws/pong?a=1&ticket=***&b=2"),
        ("{'authorization': 'Bearer abc.def', 'x': 1}", "{'authorization': 'Bearer ***', 'x': 1}"),
        ("postgresql://ada:pa55/word@db:5432/x", "postgresql://ada:***@db:5432/x"),
        ("postgresql://ada:pa55word@db:5432/x", "postgresql://ada:***@db:5432/x"),
        ("ada.lovelace+games@mail.example.org signed in", "***@*** signed in"),
        ("/find?who=ada%40example.org", "/find?who=***@***"),
        ("Skill Arcade is at http://localhost:8080", "Skill Arcade is at http://localhost:8080"),
        ("3 segments delivered, 0 waiting @ 12:00", "3 segments delivered, 0 waiting @ 12:00"),
    ],
)
def test_hide_secrets_masks_tokens_passwords_and_emails_only(line: str, expected: str) -> None:
    assert hide_secrets(line) == expected


def test_hide_secrets_takes_linear_time() -> None:
    begin = time.process_time()
    for text in ("a", "://:", "token=", "bearer ", "@a.", "%40"):
        hide_secrets(text * (200_000 // len(text)))
    assert time.process_time() - begin < 2


def test_text_formatter_writes_time_level_module_and_message() -> None:
    line = TextFormatter(colour=False).format(record("%d games in the catalogue", 5))
    assert line[2] == line[5] == ":"
    assert line[8:] == " INFO    web.app: 5 games in the catalogue"


def test_text_formatter_colours_level_and_removes_control_characters() -> None:
    line = TextFormatter(colour=True).format(record("path %s", "/\x1b[2J\r", level=logging.WARNING))
    assert line.endswith("\x1b[33mWARNING\x1b[0m web.app: path /?[2J?")


def test_json_formatter_writes_severity_time_and_message() -> None:
    try:
        raise ValueError("token=abc")
    except ValueError:
        line = JsonFormatter().format(record("two\nlines of %s", "ada@example.org", level=40, trace=True))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["severity"] == "ERROR"
    assert entry["message"] == "two\nlines of ***@***"
    assert entry["time"].endswith("+00:00")
    assert entry["stack_trace"].startswith("Traceback")
    assert entry["stack_trace"].endswith("ValueError: token=***")


def test_log_context_labels_lines_of_its_block_only() -> None:
    def line() -> dict[str, object]:
        entry: dict[str, object] = json.loads(JsonFormatter().format(record("words")))
        return {name: entry[name] for name in entry if name in ("request", "session")}

    with log_context(request="r"):
        with log_context(session="token=abc"):
            assert line() == {"request": "r", "session": "token=***"}
        assert line() == {"request": "r"}
    assert line() == {}


async def _read_task_label() -> str:
    await asyncio.sleep(0)
    return str(json.loads(JsonFormatter().format(record("words")))["request"])


def test_log_context_of_concurrent_tasks_is_separate() -> None:
    async def run() -> list[str]:
        tasks = []
        for name in "abc":
            with log_context(request=name):
                tasks.append(asyncio.create_task(_read_task_label()))
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["a", "b", "c"]


def test_access_line_has_no_query_and_no_client_address() -> None:
    parts = ("203.0.113.7:5678", "GET", "/ws/pong?token=abc", "1.1", 200)
    access = logging.LogRecord("uvicorn.access", logging.INFO, "", 1, '%s - "%s %s HTTP/%s" %d', parts, None)
    entry = json.loads(JsonFormatter().format(access))
    assert entry["message"] == "GET /ws/pong 200"
    assert entry["httpRequest"] == {"requestMethod": "GET", "requestUrl": "/ws/pong", "status": 200}
    assert "203.0.113.7" not in json.dumps(entry)
    socket = ("203.0.113.7:5678", "/ws/pong?token=abc")
    opened = logging.LogRecord("uvicorn.error", logging.INFO, "", 1, '%s - "WebSocket %s" [accepted]', socket, None)
    assert json.loads(JsonFormatter().format(opened))["message"] == '"WebSocket /ws/pong?token=***" [accepted]'


@pytest.mark.parametrize(
    ("path", "status", "is_logged"), [("/health/ready", 200, False), ("/health/ready", 503, True), ("/", 200, True)]
)
def test_access_lines_of_successful_health_checks_are_dropped(
    path: str, status: int, is_logged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("json", "INFO")
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", path, "1.1", status)
    assert bool(capsys.readouterr().err) == is_logged


def test_set_up_logging_unifies_all_loggers(capsys: pytest.CaptureFixture[str]) -> None:
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [logging.StreamHandler()], False
    set_up_logging("json", "INFO")
    access.warning("GET /ws/pong?token=%s", "abc")
    logging.getLogger("skill_arcade.play").debug("too fine")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "GET /ws/pong?token=***"


def test_set_up_logging_keeps_disabled_access_log_off(capsys: pytest.CaptureFixture[str]) -> None:
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    set_up_logging("text", "INFO")
    access.info("GET /")
    assert capsys.readouterr().err == ""
