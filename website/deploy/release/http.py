"""HTTP for the scripts: JSON in, JSON out, and every failure a sentence."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any

from release.trouble import Trouble

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Trouble(f"the answer is no JSON: {self.body[:80]!r}") from None


def ask(url: str, *, method: str | None = None, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """Ask once; any status is an answer. Raises Trouble when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())
    except (OSError, ValueError) as error:
        raise Trouble(f"{method or 'GET'} {url.partition('?')[0]} has no answer: {error}") from error


def ask_json(url: str, *, method: str | None = None, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Ask, and return the JSON of a success. Anything else is Trouble."""
    answer = ask(url, method=method, body=body, headers=headers)
    if not 200 <= answer.status < 300:
        said = answer.body[:200].decode(errors="replace")
        raise Trouble(f"{method or 'GET'} {url.partition('?')[0]} answered {answer.status}: {said}")
    return answer.json()
