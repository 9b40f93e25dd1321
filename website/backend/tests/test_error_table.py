"""The table of errors: every error that reaches a client is in it, once."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import skill_arcade
from skill_arcade import errors
from skill_arcade.web.problems import answer_arcade_error
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import CLOSINGS, ERRORS, PROBLEMS, close_code_of, problem_of

PACKAGE = Path(skill_arcade.__file__).parent
CLIENT_CODE = ("web", "boards", "consent", "replay", "play/connections", "storage/database")
"""Folders whose exceptions may reach a client."""
HANDLED = {
    "AssertionError": "a fault in the code",
    "ValueError": "a fault in the code",
    "HTTPException": "the framework's; `answer_http` has its entries",
    "ConnectionRejected": "carries a close code",
    "RequestTooLarge": "handled by the HTTP protocol, with an entry",
    "ClientDisconnected": "nobody is there to be told",
    "SegmentSuperseded": "the uploader's, which sets the segment aside",
}


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def raised_names() -> Iterator[tuple[str, str]]:
    """Return file and name of each exception class that client code raises."""
    for folder in CLIENT_CODE:
        for path in (PACKAGE / folder).rglob("*.py"):
            if "migrations" in path.parts:
                continue  # they run before the server
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Raise):
                    name = getattr(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, "id", "")
                    if name[:1].isupper():
                        yield path.name, name


@pytest.mark.parametrize("kind", list(subclasses(errors.ArcadeError)))
def test_every_exception_has_an_entry_for_http(kind: type[Exception]) -> None:
    assert kind in PROBLEMS
    assert problem_of(kind("a message")).name == kind.__name__


def test_every_exception_that_client_code_raises_is_in_the_table() -> None:
    known = {kind.__name__ for kind in PROBLEMS} | HANDLED.keys()
    raised = list(raised_names())
    assert len(raised) > 100
    assert [(path, name) for path, name in raised if name not in known] == []
    assert HANDLED.keys() <= {name for _, name in raised}


def test_every_close_code_has_one_entry() -> None:
    assert Counter(entry.close_code for entry in ERRORS if entry.close_code is not None) == dict.fromkeys(CloseCode, 1)


def test_entries_are_unambiguous() -> None:
    http = [entry for entry in ERRORS if entry.status is not None]
    assert Counter(entry.name for entry in http).most_common(1)[0][1] == 1
    closing = Counter(entry.exception for entry in CLOSINGS.values() if entry.exception is not None)
    assert closing.most_common(1)[0][1] == 1


def test_close_code_of_subclass_is_that_of_the_nearest_class() -> None:
    assert close_code_of(errors.ServerShuttingDown()) is CloseCode.RESTARTING
    assert close_code_of(errors.NotReady()) is CloseCode.RECORDING_UNAVAILABLE
    assert close_code_of(errors.JournalDamaged()) is None
    assert close_code_of(errors.NotFound()) is None


def test_entries_are_sentences() -> None:
    for entry in ERRORS:
        assert entry.text[0].isupper()
        assert entry.text.endswith(".")


@pytest.mark.anyio
async def test_exception_without_a_message_is_told_with_the_text_of_its_entry() -> None:
    answer = await answer_arcade_error(None, errors.TakenOver())  # type: ignore[arg-type]
    assert answer.status_code == 409
    assert answer.body == b'{"error":"TakenOver","message":"This game was opened in another tab."}'
