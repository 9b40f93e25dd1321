"""Error responses: every error is answered as {"error": class, "message": text}, without internal details."""

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from skill_arcade.errors import ArcadeError, TooManyRequests
from skill_arcade.web.models import Problem
from skill_arcade.web.token_bucket import REJECTION_DELAY_SECONDS

log = logging.getLogger(__name__)

PROBLEMS = {
    401: "The token is missing, invalid or expired.",
    403: "You have no permission for this.",
    404: "The requested object does not exist.",
    413: "The request body is too large.",
    422: "The request is invalid.",
    429: "A rate limit or another limit is exceeded. Try again later.",
    503: "A component is unavailable. Try again later.",
}
INTERNAL_ERROR_MESSAGE = "The request failed because of an error in the server. Try again later."
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
NAMES = {404: "NotFound", 405: "MethodNotAllowed", 413: "BodyTooBig"}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route, for its `responses=`."""
    return {status: {"model": Problem, "description": PROBLEMS[status]} for status in statuses}


def answer_problem(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error response."""
    body = Problem(error=error, message=message).model_dump()
    return JSONResponse(body, status, {**HEADERS.get(status, {}), **(headers or {})})


def retry_after(seconds: float) -> dict[str, str]:
    """Return the Retry-After header, in whole seconds."""
    return {"Retry-After": str(math.ceil(seconds))}


async def answer_arcade_error(request: Request, error: ArcadeError) -> JSONResponse:
    """Answer an exception of this package. Those that are the server's fault are logged, and not described."""
    if error.status == 500:
        log.error("request failed method=%s path=%s", request.method, request.url.path, exc_info=error)
        return answer_problem(500, type(error).__name__, INTERNAL_ERROR_MESSAGE)
    headers = None
    if isinstance(error, TooManyRequests):
        headers = retry_after(error.seconds)
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
    return answer_problem(error.status, type(error).__name__, str(error), headers)


async def answer_crash(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected exception; Uvicorn logs it with its traceback."""
    return answer_problem(500, "InternalError", INTERNAL_ERROR_MESSAGE)


async def answer_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """Describe validation errors without repeating the submitted values."""
    parts = [_format_location(part) for part in error.errors()[:5]]
    return answer_problem(422, "InvalidRequest", f"Invalid request. {'. '.join(parts)}.")


async def answer_http(request: Request, error: HTTPException) -> JSONResponse:
    """Answer errors of the framework: an unknown path, a wrong method, or a body that is too large."""
    messages = {
        404: f"Not found: {request.url.path}.",
        405: f"The method {request.method} is not allowed for {request.url.path}.",
        413: "The request body is too large.",
    }
    message = messages.get(error.status_code, str(error.detail))
    return answer_problem(error.status_code, NAMES.get(error.status_code, "InvalidRequest"), message, error.headers)


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
