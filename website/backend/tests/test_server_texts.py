"""Texts of the server that the page translates are found in the server's code, so that a changed text is noticed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import skill_arcade

PACKAGE = Path(skill_arcade.__file__).parent
PAGE_TEXTS = PACKAGE.parents[1] / "frontend/src/lib/server-texts.ts"


def find_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module; values that are filled in are {}."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def test_texts_of_the_server_that_the_page_translates_are_those_of_the_server() -> None:
    listed = re.findall(r'/\*i18n\*/ "((?:[^"\\]|\\.)*)"', PAGE_TEXTS.read_text())
    assert len(listed) > 50
    own = {text for path in PACKAGE.rglob("*.py") for text in find_texts(ast.parse(path.read_text()))}
    assert [text for text in listed if re.sub(r"\{\w+\}", "{}", text) not in own] == []
