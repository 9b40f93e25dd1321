"""Requests to the fake APIs, their errors, and the routing of requests to handlers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """A call. `api` is the first part of the host name, such as run, sqladmin or storage."""

    method: str
    api: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Method, API and path, which identify a call in tests."""
        return f"{self.method} {self.api} {self.path}"


class ApiError(Exception):
    """An error response with the status and the message that Google uses: JSON, or HTML if it is given."""

    def __init__(
        self, status: int, message: str, reason: str = "", html: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.headers = headers or {}
        self.status = status
        self.reason = reason
        self.html = html


@dataclass
class Fault:
    """Lets matching calls fail with this status: `times` calls, after `after` calls that succeed."""

    pattern: str
    status: int = 403
    times: int = 1_000_000
    after: int = 0
    methods: str = ""

    def matches(self, request: Request) -> bool:
        """Count a call and return whether it fails."""
        if not re.search(self.pattern, request.line) or not re.match(self.methods, request.method):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0


Handler = Callable[..., Any]


@dataclass
class Routes:
    """Handlers of one API by method and path pattern. Names in braces become arguments."""

    api: str
    table: list[tuple[str, re.Pattern[str], Handler]] = field(default_factory=list)

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register the decorated function for this method and path."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/:]+)", path) + "$")

        def keep(handler: Handler) -> Handler:
            self.table.append((method, pattern, handler))
            return handler

        return keep

    def find(self, request: Request) -> tuple[Handler, dict[str, str]] | None:
        """Return the handler of a call with its arguments, or None."""
        for method, pattern, handler in self.table:
            if method == request.method and (found := pattern.match(request.path)):
                return handler, found.groupdict()
        return None
