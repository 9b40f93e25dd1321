"""Every text that a client can send has a maximum length and no NUL, because it is stored in Postgres."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from skill_arcade.wire.messages import client_message, read_client

HELLO = {
    "type": "hello",
    "protocol": 1,
    "at": 1,
    "time_origin": 0,
    "browser": "test",
    "screen": [800, 600],
    "pixel_ratio": 1,
    "refresh_hz": 60,
    "isolated": True,
}
SETUP = {"type": "setup", "at": 1, "keys": {}, "touch": False, "hand": "right", "gamepads": [], "sound": False}
INPUT = {
    "type": "input",
    "control": "left",
    "down": True,
    "at": 1,
    "frame": 0,
    "device": "keyboard",
    "code": "ArrowLeft",
}


def find_texts(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schema of every text of free form, with its path."""
    if isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from find_texts(part, f"{path}[{index}]")
    elif isinstance(schema, dict):
        if schema.get("type") == "string" and not {"const", "enum"} & schema.keys():
            yield path, schema
        for key, part in schema.items():
            if key != "propertyNames" or isinstance(part, dict):
                yield from find_texts(part, f"{path}.{key}")


def test_client_texts_have_maximum_length_and_reject_nul() -> None:
    texts = dict(find_texts(client_message.json_schema(), "$"))
    assert len(texts) >= 8
    assert [path for path, text in texts.items() if "maxLength" not in text or "pattern" not in text] == []


@pytest.mark.parametrize(
    "message",
    [
        {**HELLO, "browser": "x\0"},
        {**SETUP, "keys": {"left\0": ["KeyA"]}},
        {**SETUP, "keys": {"left": ["KeyA\0"]}},
        {**SETUP, "gamepads": ["pad\0"]},
        {**INPUT, "control": "le\0ft"},
        {**INPUT, "code": "\0"},
        {"type": "stream", "at": 1, "reason": "\0"},
    ],
)
def test_client_text_with_nul_is_rejected(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        read_client(json.dumps(message).encode())


def test_client_text_with_lone_surrogate_is_rejected() -> None:
    with pytest.raises(ValueError, match="Invalid JSON"):
        read_client(json.dumps({**HELLO, "browser": "\ud800"}).encode())


@pytest.mark.parametrize("message", [HELLO, SETUP, INPUT])
def test_client_text_of_other_characters_is_accepted(message: dict[str, Any]) -> None:
    assert read_client(json.dumps(message).encode()).type == message["type"]
    assert read_client(json.dumps({**HELLO, "browser": "é\n🎮"}).encode()).type == "hello"
