"""What a stand-in of an API is asked, and what it answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One call as it came in. `api` is the host's first name: run, sqladmin, storage …"""

    method: str
    api: str
    path: str
    query: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        """Method, API and path: how tests name a call."""
        return f"{self.method} {self.api} {self.path}"


class ApiError(Exception):
    """The API says no, with the status and words that Google would use."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass
class Fault:
    """Calls that match fail with this status: after so many that pass, so many times."""

    pattern: str
    status: int = 403
    times: int = 1_000_000
    after: int = 0
    methods: str = ""

    def matches(self, request: Request) -> bool:
        """Whether this call fails; counts it."""
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
    """Handlers of one API by method and path pattern; names in braces become arguments."""

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
        """The handler of this call with its arguments."""
        for method, pattern, handler in self.table:
            if method == request.method and (found := pattern.match(request.path)):
                return handler, found.groupdict()
        return None
