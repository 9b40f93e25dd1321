"""The HTTP requests of a program: sign-in, play ticket, and what the arcade knows of an agent."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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


def sign_in_agent(url: str, agent_token: str) -> str:
    """Sign in as the agent that a token belongs to, and return a session token, valid for 12 hours.

    Raises:
        RequestRefused: the token is invalid or was revoked.
        OSError: the arcade does not answer.
    """
    return str(post(url, "/auth/agents", {"token": agent_token}, {})["token"])


def read_agent(url: str, token: str, name: str) -> dict[str, Any]:
    """Return what the arcade knows of an agent, with its versions, newest first. Raises as `sign_in` does."""
    return send(url, f"/players/agents/{quote(name)}", None, {"Authorization": f"Bearer {token}"})


def send_version(url: str, token: str, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Add a version of an agent, signed in as it or as its owner, and return the version. Raises as `sign_in` does."""
    return post(url, f"/players/agents/{quote(name)}/versions", facts, {"Authorization": f"Bearer {token}"})


def issue_ticket(
    url: str, token: str, game: str, branch: tuple[str, int] | None = None, version: int | None = None
) -> PlayTicket:
    """Return a play ticket, which opens one connection within 60 s. Raises as `sign_in` does.

    `branch` is the id of an episode, and the number of its frame, to play from. `version` is the number of the version
    of the agent that plays.
    """
    body: dict[str, Any] = {"game_id": game}
    if version is not None:
        body["agent_version"] = version
    if branch is not None:
        body["branch"] = {"episode": branch[0], "frame": branch[1]}
    answer = post(url, "/play/tickets", body, {"Authorization": f"Bearer {token}"})
    return PlayTicket(str(answer["ticket"]), answer.get("socket"))  # an older arcade names no socket


def post(url: str, path: str, body: Mapping[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """Post JSON, and return the JSON of the answer."""
    return send(url, path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


def send(url: str, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    """Send a request, GET if `body` is None and otherwise POST, and return the JSON of the answer."""
    request = urllib.request.Request(url.rstrip("/") + path, body, headers)
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
