"""GitHub's API, with the token of the workflow: lists are read to their last page, or not at all."""

import os
from typing import Any

from release.http import ask_json
from release.trouble import Trouble

PAGE_SIZE = 100
MOST_PAGES = 100


def call_github(path: str, *, method: str | None = None, body: Any = None) -> Any:
    """One call below the API's root, which GITHUB_API_URL names."""
    token = os.environ.get("GITHUB_TOKEN")
    if not token:
        raise Trouble("GITHUB_TOKEN is not set")
    root = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/vnd.github+json",
        "user-agent": "skill-arcade",
    }
    return ask_json(f"{root}/{path}", method=method, body=body, headers=headers)


def list_all(path: str, query: str = "") -> list[Any]:
    """Every item of a list."""
    items: list[Any] = []
    for page in range(1, MOST_PAGES + 1):
        part = call_github(f"{path}?{query}&per_page={PAGE_SIZE}&page={page}")
        if not isinstance(part, list):
            raise Trouble(f"{path} answered no list")
        items += part
        if len(part) < PAGE_SIZE:
            return items
    raise Trouble(f"{path} has more than {PAGE_SIZE * MOST_PAGES} items")
