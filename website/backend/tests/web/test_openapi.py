"""The OpenAPI document, from which the page's types are generated."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from skill_arcade.web.app import create_app
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import CloseCode


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


def references(part: object) -> set[str]:
    """Return every $ref in a part of the document."""
    if isinstance(part, dict):
        found = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return found.union(*(references(value) for value in part.values()))
    if isinstance(part, list):
        return set().union(*(references(value) for value in part))
    return set()


def test_openapi_has_socket_messages_and_close_codes(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in messages.schemas().items():
        assert schemas[name] == schema
    assert len(schemas["ClientMessage"]["oneOf"]) == 17
    assert len(schemas["ServerMessage"]["oneOf"]) == 12
    assert len(schemas["WatcherMessage"]["oneOf"]) == 2
    assert schemas["CloseCode"]["enum"] == [int(code) for code in CloseCode]


def test_openapi_references_resolve(document: dict[str, Any]) -> None:
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= names


def test_openapi_fields_are_required(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert set(schema.get("properties", {})) == set(schema.get("required", [])), name


def test_openapi_operations_are_named_after_functions(document: dict[str, Any]) -> None:
    operations = {
        (method, path): operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    names = list(operations.values())
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names), names
    expected = {
        ("get", "/auth/login"): "read_login_method",
        ("post", "/auth/login"): "sign_in",
        ("get", "/auth/me"): "read_me",
        ("get", "/games"): "list_games",
        ("get", "/games/{game_id}"): "read_game",
        ("get", "/games/{game_id}/cover"): "read_cover",
        ("get", "/lockstep/roms/{game_id}"): "read_rom",
        ("get", "/lockstep/{digest}.wasm"): "read_emulator",
        ("post", "/play/tickets"): "issue_ticket",
        ("get", "/me/episodes"): "list_my_episodes",
        ("get", "/health/live"): "read_health",
        ("get", "/health/ready"): "read_readiness",
        ("get", "/metrics"): "show_metrics",
    }
    assert expected.items() <= operations.items()


def test_openapi_command_output_is_deterministic(document: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "skill_arcade.web.openapi"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    assert json.loads(first) == document
