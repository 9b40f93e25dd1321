"""Hypothesis strategies for the messages of a hostile page. A failure has a seed and a smallest example."""

import json
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, -1, 2**31, 2**53, 1e308, float("nan"), float("inf")])
)
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(max_size=60), st.sampled_from(["left", "fire", "\x00", "ÿ"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)
HELLO = {
    "type": "hello",
    "protocol": 1,
    "at": 1.0,
    "time_origin": 0,
    "browser": "fuzz",
    "screen": [1, 1],
    "pixel_ratio": 1,
    "refresh_hz": 60,
    "isolated": True,
}
VALID: list[dict[str, Any]] = [
    HELLO,
    {"type": "start", "at": 2.0},
    {
        "type": "input",
        "control": "left",
        "down": True,
        "at": 3.0,
        "frame": 0,
        "device": "keyboard",
        "code": "ArrowLeft",
    },
    {"type": "input", "control": "fire", "down": True, "at": 3.0, "frame": None, "device": "touch", "code": ""},
    {"type": "shown", "received": 1, "frames": [[0, 2.5], [1, 2.6]]},
    {"type": "ping", "id": 1, "at": 3.0, "previous": None},
    {"type": "ping", "id": 2, "at": 4.0, "previous": [1, 3.5]},
    {"type": "focus", "state": "blur", "at": 5.0},
    {"type": "pause", "at": 6.0},
    {"type": "resume", "at": 7.0},
    {"type": "leave", "at": 8.0},
]


@st.composite
def damaged_messages(draw: st.DrawFn) -> str:
    """Draw a valid message of which one or two fields are changed, removed or added."""
    message = dict(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from([*message, "more"]))
        if draw(st.booleans()):
            message[name] = draw(VALUES)
        else:
            message.pop(name, None)
    return json.dumps(message)


VALID_MESSAGES = st.sampled_from(VALID).map(json.dumps)
INVALID_MESSAGES: st.SearchStrategy[str | bytes] = st.one_of(
    damaged_messages(),
    VALUES.map(json.dumps),
    st.text(max_size=200),
    st.binary(max_size=200),
    st.just("[" * 5000),
    st.just("x" * 70_000),
)
CONVERSATION: st.SearchStrategy[list[str | bytes]] = st.lists(
    st.one_of(VALID_MESSAGES, VALID_MESSAGES, INVALID_MESSAGES), min_size=1, max_size=12
)
"""Messages of one socket. Half of the conversations start like a page, so that later states are reached too."""
CONVERSATIONS = st.tuples(st.booleans(), CONVERSATION).map(
    lambda case: [json.dumps(HELLO), json.dumps(VALID[1])] * case[0] + case[1]
)

TYPES = (
    *("hello", "setup", "start", "input", "ticks", "stream", "shown", "align", "ping", "focus", "pause", "resume"),
    *("leave", "welcome", "ended", ""),
)
FIELDS = sorted({name for message in VALID for name in message} | {"mode", "keys", "gamepads", "inputs", "actions"})
TEXT = st.text(max_size=30) | st.sampled_from(["\x00", "\ud800", "NaN", "' OR 1=1", "\N{PILE OF POO}" * 40])


@st.composite
def any_messages(draw: st.DrawFn) -> str:
    """Draw any JSON as a message of any type, with the fields of a valid one where it has them."""
    kind = draw(st.sampled_from(TYPES))
    valid = next((message for message in VALID if message["type"] == kind), {})
    fields = draw(st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUES | TEXT, max_size=4))
    return json.dumps({**valid, **fields, "type": draw(st.just(kind) | VALUES) if draw(st.booleans()) else kind})


ANY_CONVERSATIONS: st.SearchStrategy[list[str | bytes]] = st.lists(
    st.one_of(VALID_MESSAGES, any_messages(), any_messages(), st.text(max_size=200), st.binary(max_size=200)),
    min_size=1,
    max_size=10,
).map(lambda messages: [json.dumps(HELLO), json.dumps(VALID[1]), *messages])
"""Any JSON, text and bytes, after the beginning of a game, so that what gets through is recorded."""
