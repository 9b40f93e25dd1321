"""The two HTTP requests of a program: sign-in and play ticket."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PlayTicket:
    """A play ticket, and the origin of the socket that it is for, or None if it is that of the arcade."""

    ticket: str
    socket: str | None


class RequestRefused(Exception):
    """The arcade refused a request. The text is its own explanation."""


def sign_in(url: str, name: str) -> str:
    """Sign in as the program of this name, and return its session token, valid for 12 hours.

    The arcade marks the account as a program for good. No view, board, export or question counts its episodes.

    Raises:
        RequestRefused: the arcade uses Firebase, or rejects the name.
        OSError: the arcade does not answer.
    """
    body = {"email": f"{name}@programs.example.org"}
    return str(post(url, "/auth/login", body, {"X-Skill-Arcade-Synthetic": "true"})["token"])


def issue_ticket(url: str, token: str, game: str, branch: tuple[str, int] | None = None) -> PlayTicket:
    """Return a play ticket, which opens one connection within 60 s. Raises as `sign_in` does.

    `branch` is the id of an episode, and the number of its frame, to play from.
    """
    body: dict[str, Any] = {"game_id": game}
    if branch is not None:
        body["branch"] = {"episode": branch[0], "frame": branch[1]}
    answer = post(url, "/play/tickets", body, {"Authorization": f"Bearer {token}"})
    return PlayTicket(str(answer["ticket"]), answer.get("socket"))  # an older arcade names no socket


def post(url: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """Post JSON, and return the JSON of the answer."""
    request = urllib.request.Request(
        url.rstrip("/") + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise RequestRefused(f"{path}: {_explain(error)}") from error


def _explain(error: urllib.error.HTTPError) -> str:
    """Return the arcade's message, or the status if another server answered."""
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code} {error.reason}"
