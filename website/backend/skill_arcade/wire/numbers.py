"""Numbers in JSON messages, including those that JSON does not have."""

import math
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, WithJsonSchema

SCORE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]
}


def write_number(value: float) -> float | str:
    """Return a number that JSON has, or the name of one that it does not have: NaN, Infinity or -Infinity.

    `float` in Python and `Number` in JavaScript read these names.
    """
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


Score = Annotated[
    float,
    PlainSerializer(write_number, when_used="json"),
    WithJsonSchema(SCORE_SCHEMA),
    Field(description='sum of rewards; "NaN", "Infinity" and "-Infinity" are strings, which `Number` reads'),
]
