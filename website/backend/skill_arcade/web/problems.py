"""What goes wrong, as an answer: always {"error": class, "message": sentence}, never a stack trace."""

from typing import Any

from skill_arcade.web.models import Problem

PROBLEMS = {
    401: "The token is missing, wrong or past its end.",
    404: "There is no such thing.",
    413: "The request's body is too big.",
    422: "The request is understood and can't be carried out as it is.",
    503: "A part that this needs does not answer; trying again later helps.",
}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Say for `responses=` of a route which errors it answers."""
    return {status: {"model": Problem, "description": PROBLEMS[status]} for status in statuses}
