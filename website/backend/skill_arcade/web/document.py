"""Builds the OpenAPI document of the HTTP routes and the socket's messages, from which clients are generated."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import CLOSINGS, ERRORS, INTERNAL_ERROR, REASONS

# FastAPI's own validation errors, which this server answers as Problem.
UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def operation_name(route: APIRoute) -> str:
    """Name an operation after its function, for readable names in generated clients."""
    return route.name


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Build the document: every route, and every message of the play socket.

    Raises:
        ValueError: HTTP and socket have a schema of the same name.
    """
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name in UNUSED_SCHEMAS:
        schemas.pop(name, None)
    socket = {**messages.schemas(), "CloseCode": _close_codes()}
    if duplicates := set(socket) & set(schemas):
        raise ValueError(f"HTTP and socket both define {sorted(duplicates)}. Rename them in web/models/.")
    document["components"]["schemas"] = dict(sorted({**schemas, **socket}.items()))
    document["x-problems"] = {
        entry.name: {"words": entry.text, "title": entry.title, "retry": entry.is_retryable}
        for entry in (*ERRORS, INTERNAL_ERROR)
        if entry.status is not None and (entry.status != 500 or entry is INTERNAL_ERROR)
    }
    return document


def _close_codes() -> dict[str, Any]:
    """Describe the close codes of the play socket."""
    codes = list(CloseCode)
    return {
        "title": "CloseCode",
        "description": "Why the server closed the play socket. x-retry lists the codes after which to reconnect.",
        "type": "integer",
        "enum": [int(code) for code in codes],
        "x-enum-varnames": [code.name for code in codes],
        "x-enum-descriptions": [REASONS[code] for code in codes],
        "x-titles": [CLOSINGS[code].title for code in codes],
        "x-retry": [int(code) for code in codes if CLOSINGS[code].is_retryable],
    }
