"""Error responses: every error is answered as {"error": class, "message": text}, without internal details."""

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from skill_arcade.errors import ArcadeError, InvalidRequest, NotFound, TooManyRequests
from skill_arcade.web.models.base import Problem
from skill_arcade.web.rate_limiting.table import REJECTION_DELAY_SECONDS
from skill_arcade.wire.error_table import (
    BODY_TOO_BIG,
    ERRORS,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    PROBLEMS,
    ErrorEntry,
    problem_of,
)

log = logging.getLogger(__name__)

HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
HTTP_EXCEPTIONS = {
    404: PROBLEMS[NotFound],
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_BIG,
}
"""What is told of the framework's own exceptions, by status."""


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route, for its `responses=`."""
    return {status: {"model": Problem, "description": _describe(status)} for status in statuses}


def _describe(status: int) -> str:
    return " or ".join(entry.name for entry in ERRORS if entry.status == status)


def answer_problem(entry: ErrorEntry, message: str = "", headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error response."""
    assert entry.status is not None
    body = Problem(error=entry.name, message=message or entry.text).model_dump()
    return JSONResponse(body, entry.status, {**HEADERS.get(entry.status, {}), **(headers or {})})


def retry_after(seconds: float) -> dict[str, str]:
    """Return the Retry-After header, in whole seconds."""
    return {"Retry-After": str(math.ceil(seconds))}


async def answer_arcade_error(request: Request, error: ArcadeError) -> JSONResponse:
    """Answer an exception of this package. Those that are the server's fault are logged, and not described."""
    entry = problem_of(error)
    if entry.status == 500:
        log.error("request failed method=%s path=%s", request.method, request.url.path, exc_info=error)
        return answer_problem(entry)
    headers = None
    if isinstance(error, TooManyRequests):
        headers = retry_after(error.seconds)
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
    return answer_problem(entry, str(error), headers)


async def answer_crash(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected exception; Uvicorn logs it with its traceback."""
    return answer_problem(INTERNAL_ERROR)


async def answer_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """Describe validation errors without repeating the submitted values."""
    parts = [_format_location(part) for part in error.errors()[:5]]
    return answer_problem(PROBLEMS[InvalidRequest], f"Invalid request. {'. '.join(parts)}.")


async def answer_http(request: Request, error: HTTPException) -> JSONResponse:
    """Answer errors of the framework: an unknown path, a wrong method, or a body that is too large."""
    messages = {
        404: f"Not found: {request.url.path}.",
        405: f"The method {request.method} is not allowed for {request.url.path}.",
    }
    other = replace(PROBLEMS[InvalidRequest], status=error.status_code, text=str(error.detail))
    entry = HTTP_EXCEPTIONS.get(error.status_code, other)
    return answer_problem(entry, messages.get(error.status_code, ""), error.headers)


def _format_location(part: Mapping[str, Any]) -> str:
    if part["type"] == "json_invalid":
        return "The body is not JSON"
    location = ".".join(str(step) for step in part["loc"])
    return f"{location}: {str(part['msg']).rstrip('.')}"


HANDLERS: dict[Any, Any] = {
    ArcadeError: answer_arcade_error,
    RequestValidationError: answer_invalid,
    HTTPException: answer_http,
    Exception: answer_crash,
}
