"""The OpenAPI document: the HTTP routes and the socket's messages, so that one generator serves both."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import REASONS, CloseCode

# FastAPI describes its own validation answers; this server words them as Problem.
FOREIGN = ("HTTPValidationError", "ValidationError")


def operation_name(route: APIRoute) -> str:
    """Name an operation like its function: readable in generated clients."""
    return route.name


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Build the document: every route, and every message of the play socket."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name in FOREIGN:
        schemas.pop(name, None)
    socket = {**messages.schemas(), "CloseCode": _close_codes()}
    if twice := set(socket) & set(schemas):
        raise ValueError(f"HTTP and socket both name {sorted(twice)}; rename them in web/models.py.")
    document["components"]["schemas"] = dict(sorted({**schemas, **socket}.items()))
    return document


def _close_codes() -> dict[str, Any]:
    """Describe the codes with which the server closes a play socket."""
    codes = list(CloseCode)
    return {
        "title": "CloseCode",
        "description": "Why the server closed the play socket; x-retry: codes after which to come back.",
        "type": "integer",
        "enum": [int(code) for code in codes],
        "x-enum-varnames": [code.name for code in codes],
        "x-enum-descriptions": [REASONS[code] for code in codes],
        "x-retry": [int(code) for code in codes if code.is_retryable],
    }
