"""Rule about the names of Python tests, so that `pytest -k reconnect` selects the tests about reconnecting."""

import ast
from collections.abc import Iterator

from tests.repository.rules.repository import Finding, Repository

TESTS = ("website/backend/tests/*test_*.py", "website/deploy/tests/test_*.py")
MIN_WORDS = 3
NOT_A_UNIT = {
    *("a", "an", "the", "it", "its", "this", "that", "these", "those", "there", "one", "no", "none"),
    *("what", "whatever", "who", "whoever", "whose", "which", "nothing", "nobody", "some", "somebody", "something"),
    *("any", "anybody", "anything", "everybody", "everything"),
}


def check_test_names(repository: Repository) -> Iterator[Finding]:
    """Test functions are named `test_<unit>_<condition>_<result>`: three words or more, and the first names a unit."""
    for file, text in repository.texts_like(TESTS):
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
                continue
            if problem := find_problem(node.name):
                yield Finding(file, node.lineno, f"{node.name} {problem}: use test_<unit>_<condition>_<result>")


def find_problem(name: str) -> str | None:
    """Return what is wrong with the name of a test function, or None if nothing is."""
    words = [word for word in name.removeprefix("test_").split("_") if word]
    if words and words[0].lower() in NOT_A_UNIT:
        return f"starts with {words[0]!r} instead of the unit under test"
    if len(words) < MIN_WORDS:
        return f"has {len(words)} words after test_ instead of at least {MIN_WORDS}"
    return None
