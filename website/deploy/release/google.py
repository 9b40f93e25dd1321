"""Clients of Google Cloud: gcloud for what it does well, and Google's REST APIs with gcloud's credentials."""

import json
import math
import os
import time
from typing import Any
from urllib.parse import urlencode

from release import console
from release.errors import UserFacingError
from release.http import Response, send_request
from release.project import Project

MAX_TOKEN_SECONDS = 1800.0
RETRIED_STATUSES = (429, 500, 502, 503, 504)


class StatusError(UserFacingError):
    """An API returned an error status."""

    def __init__(self, what: str, response: Response) -> None:
        text = response.body.decode(errors="replace")
        try:
            text = json.loads(text)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = text[:200]
        super().__init__(f"{what} returned status {response.status}: {text}")
        self.status = response.status


class Google:
    """Calls Google in one project. A change is printed, and in a dry run it is not made."""

    def __init__(self, project: Project, *, dry_run: bool = False) -> None:
        self.project, self.dry_run = project, dry_run
        self._token, self._token_read_at = "", -math.inf

    def gcloud(self, *words: str) -> None:
        """Run a gcloud command that changes something, never interactively."""
        console.run(["gcloud", *words, *self._options()], dry_run=self.dry_run)

    def gcloud_with_retry(self, *words: str) -> None:
        """Run a gcloud command that changes something, with retries."""
        console.retry(lambda: self.gcloud(*words))

    def gcloud_list(self, *words: str, field: str) -> list[str]:
        """Run a gcloud command that lists resources, and return a field of each."""
        return console.read(["gcloud", *words, f"--format=value({field})", *self._options()]).splitlines()

    def read(self, api: str, path: str, **query: str) -> Any:
        """GET a resource. Retries while Google is unavailable. Raises `StatusError` for any status but success."""

        def attempt() -> Response:
            response = self._send("GET", api, path, query, None)
            if response.status in RETRIED_STATUSES:
                raise StatusError(f"GET {path}", response)
            return response

        return self._parse(f"GET {path}", console.retry(attempt))

    def read_all(self, api: str, path: str, key: str, **query: str) -> list[Any]:
        """GET all pages of a list."""
        items: list[Any] = []
        token = ""
        while True:
            page = self.read(api, path, **query, **({"pageToken": token} if token else {}))
            items += page.get(key, [])
            token = page.get("nextPageToken", "")
            if not token:
                return items

    def change(self, method: str, api: str, path: str, body: Any = None, **query: str) -> Any:
        """Change a resource, once. Returns the response, or {} in a dry run. Raises `StatusError`."""
        console.log_info(f"+ {method} {api} {path}{'?' + urlencode(query) if query else ''}")
        if self.dry_run:
            return {}
        return self._parse(f"{method} {path}", self._send(method, api, path, query, body))

    def upload(self, url: str, data: bytes) -> None:
        """POST bytes to an address that an API named."""
        response = console.retry(lambda: send_request(url, method="POST", data=data, headers=self._headers))
        if not 200 <= response.status < 300:
            raise StatusError(f"POST {url}", response)

    @property
    def token(self) -> str:
        """Access token of the account that gcloud is signed in with. It lives for an hour, and is read again before."""
        if time.monotonic() - self._token_read_at > MAX_TOKEN_SECONDS:
            self._token = console.read(["gcloud", "auth", "print-access-token", "--quiet"])
            self._token_read_at = time.monotonic()
        return self._token

    @property
    def _headers(self) -> dict[str, str]:
        # A person's credentials belong to no project, so the one that is charged and counted is named.
        return {"authorization": f"Bearer {self.token}", "x-goog-user-project": self.project.id}

    def _options(self) -> tuple[str, str]:
        return f"--project={self.project.id}", "--quiet"

    def _send(self, method: str, api: str, path: str, query: dict[str, str], body: Any) -> Response:
        root = os.environ.get("GOOGLE_API_URL", "https://{api}.googleapis.com").format(api=api)
        url = f"{root}{path}{'?' + urlencode(query) if query else ''}"
        return send_request(url, method=method, body=body, headers=self._headers)

    @staticmethod
    def _parse(what: str, response: Response) -> Any:
        if not 200 <= response.status < 300:
            raise StatusError(what, response)
        return response.json()
