"""What goes wrong, as an answer: always {"error": class, "message": sentence}, never a stack trace."""

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
    401: "The token is missing, wrong or past its end.",
    403: "Signed in, but this is not for you.",
    404: "There is no such thing.",
    413: "The request's body is too big.",
    422: "The request is understood and can't be carried out as it is.",
    429: "Too many of these, at once or in a short time; try again later.",
    503: "A part that this needs does not answer; trying again later helps.",
}
INTERNAL_ERROR_MESSAGE = "Something went wrong in the server. It is noted in the log; trying again may help."
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
NAMES = {404: "NotFound", 405: "MethodNotAllowed", 413: "BodyTooBig"}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Say for `responses=` of a route which errors it answers."""
    return {status: {"model": Problem, "description": PROBLEMS[status]} for status in statuses}


def answer_problem(status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Make the one shape that every error has."""
    body = Problem(error=error, message=message).model_dump()
    return JSONResponse(body, status, {**HEADERS.get(status, {}), **(headers or {})})


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to ask again, in whole seconds."""
    return {"Retry-After": str(math.ceil(seconds))}


async def answer_arcade_error(request: Request, error: ArcadeError) -> JSONResponse:
    """Answer what this package raised on purpose; what is our own fault is logged, and not told."""
    if error.status == 500:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer_problem(500, type(error).__name__, INTERNAL_ERROR_MESSAGE)
    headers = None
    if isinstance(error, TooManyRequests):
        headers = retry_after(error.seconds)
        await asyncio.sleep(REJECTION_DELAY_SECONDS)
    return answer_problem(error.status, type(error).__name__, str(error), headers)


async def answer_crash(request: Request, error: Exception) -> JSONResponse:
    """Answer what nobody expected; the server that runs the application logs it with its trace."""
    return answer_problem(500, "InternalError", INTERNAL_ERROR_MESSAGE)


async def answer_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """Put what does not fit into a sentence, without repeating what was sent."""
    parts = [_format_location(part) for part in error.errors()[:5]]
    return answer_problem(422, "InvalidRequest", f"The request does not fit. {'. '.join(parts)}.")


async def answer_http(request: Request, error: HTTPException) -> JSONResponse:
    """Answer what the framework refuses: no such path, a method that a path does not have, a body too big."""
    words = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.url.path} can't be asked by {request.method}.",
        413: "The body of this request is too big.",
    }
    message = words.get(error.status_code, str(error.detail))
    return answer_problem(error.status_code, NAMES.get(error.status_code, "InvalidRequest"), message, error.headers)


def _format_location(part: Mapping[str, Any]) -> str:
    if part["type"] == "json_invalid":
        return "The body is not JSON"
    where = ".".join(str(step) for step in part["loc"])
    return f"{where}: {str(part['msg']).rstrip('.')}"


HANDLERS: dict[Any, Any] = {
    ArcadeError: answer_arcade_error,
    RequestValidationError: answer_invalid,
    HTTPException: answer_http,
    Exception: answer_crash,
}
