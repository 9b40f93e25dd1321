"""Client of GitHub's API, which authenticates with the token of the workflow."""

import os
from typing import Any

from release.errors import UserFacingError
from release.http import request_json

PAGE_SIZE = 100
MAX_PAGES = 100


def call_github(path: str, *, method: str | None = None, body: Any = None) -> Any:
    """Call a path of the API, whose root is the variable GITHUB_API_URL, and return the JSON of the response."""
    token = os.environ.get("GITHUB_TOKEN")
    if not token:
        raise UserFacingError("the variable GITHUB_TOKEN is not set")
    root = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/vnd.github+json",
        "user-agent": "skill-arcade",
    }
    return request_json(f"{root}/{path}", method=method, body=body, headers=headers)


def list_all(path: str, query: str = "") -> list[Any]:
    """Return all items of a paginated list. Raises `UserFacingError` if not all pages can be read."""
    items: list[Any] = []
    for page in range(1, MAX_PAGES + 1):
        part = call_github(f"{path}?{query}&per_page={PAGE_SIZE}&page={page}")
        if not isinstance(part, list):
            raise UserFacingError(f"the response of {path} is not a list")
        items += part
        if len(part) < PAGE_SIZE:
            return items
    raise UserFacingError(f"{path} has more than {PAGE_SIZE * MAX_PAGES} items")
