"""The state of all fake APIs, the calls that they received, and the faults that they simulate."""

import importlib
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fake_cloud.discovery import check_request
from fake_cloud.requests import ApiError, Fault, Request, Routes

if TYPE_CHECKING:
    from fake_cloud.containers import Containers

APIS = (
    "resource_manager",
    "billing",
    "service_usage",
    "iam",
    "storage",
    "artifacts",
    "secrets",
    "sql",
    "run",
    "front_end",
    "identity",
    "lies",
    "logging",
    "monitoring",
    "jobs",
    "hosting",
    "firebase",
    "sts",
    "github",
    "smoke",
    "terraform",
)
HOLD_SECONDS = 0.3
"""Duration of a request that asks to be held, so that others arrive meanwhile."""
# POST calls that only read.
READING = re.compile(
    r":getIamPolicy$|:testIamPermissions$|/token$|:generateAccessToken$|entries:list$|^/try$|/v1/token"
)


class Pause:
    """A call that waits, so that a test can do something in between."""

    TIMEOUT_SECONDS = 60.0

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._reached, self._resumed = threading.Event(), threading.Event()

    def wait_for_test(self) -> None:
        """Wait until the test resumes the call."""
        self._reached.set()
        assert self._resumed.wait(self.TIMEOUT_SECONDS)

    def wait(self) -> None:
        """Wait until the call is made."""
        assert self._reached.wait(self.TIMEOUT_SECONDS), self.pattern

    def resume(self) -> None:
        """Let the call go on."""
        self._resumed.set()


class FakeCloud:
    """All state of Google and GitHub that the scripts can see."""

    def __init__(self) -> None:
        self.url = ""
        self.now = 0.0
        """Time in seconds, which a test advances."""
        self.calls: list[Request] = []
        self.faults: list[Fault] = []
        self.policies: dict[str, dict[str, Any]] = {}
        self.resources: dict[str, dict[str, Any]] = defaultdict(dict)
        """Resources by kind, then by name."""
        self.behaviours: dict[str, Any] = {}
        """Behaviour that a test selects, such as sessions that keep a database in use."""
        self.lies: set[str] = set()
        """Beliefs of FACTS.md that this cloud breaks."""
        self.request_log: list[dict[str, Any]] = []
        self.containers: Containers | None = None
        """Real servers for the revisions and jobs, or None if nothing runs."""
        self.ports: dict[str, int] = {}
        """Port of the server of each revision that has one."""
        self._in_flight: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._pause: Pause | None = None
        self._routes: dict[str, list[Routes]] = defaultdict(list)
        for name in APIS:
            routes = importlib.import_module(f"fake_cloud.{name}").ROUTES
            self._routes[routes.api].append(routes)

    def pause_at(self, pattern: str) -> "Pause":
        """Let the next matching call wait until the test resumes it."""
        self._pause = Pause(pattern)
        return self._pause

    def handle(self, request: Request) -> Any:
        """Record a call and return its response."""
        if self._pause and re.search(self._pause.pattern, f"{request.line} {request.body}"):
            pause, self._pause = self._pause, None
            pause.wait_for_test()
        answer = self._handle(request)
        if request.api == "front" and "seconds" in request.query:
            time.sleep(HOLD_SECONDS)
        return answer

    def in_flight(self, request: Request) -> int:
        """Return the number of requests that this host answers at the moment, with this one."""
        return self._in_flight[request.path.split("/")[1]]

    @contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        """Count a request to the front end until it is answered. A WebSocket is one for as long as it is open."""
        host = request.path.split("/")[1] if request.api == "front" else ""
        with self._lock:
            self._in_flight[host] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight[host] -= 1

    def _handle(self, request: Request) -> Any:
        with self._lock:
            self.calls.append(request)
            for fault in self.faults:
                if fault.matches(request):
                    raise ApiError(fault.status, "The service is currently unavailable.", "UNAVAILABLE")
            self._check_enabled(request)
            check_request(request)
            for routes in self._routes[request.api]:
                found = routes.find(request)
                if found:
                    handler, names = found
                    return handler(self, request, **names)
        raise ApiError(400, f"the fake cloud does not support {request.line}", "UNIMPLEMENTED")

    def changes(self, since: int = 0) -> list[str]:
        """Return the calls since this one that changed something or tried to."""
        return [call.line for call in self.calls[since:] if call.method != "GET" and not READING.search(call.path)]

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return resources and IAM policies."""
        return self.resources, self.policies

    def load_state(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Add the state of another fake cloud."""
        self.resources.update(state[0])
        self.policies.update(state[1])

    def get(self, kind: str, name: str) -> Any:
        """Return a resource, or raise 404."""
        try:
            return self.resources[kind][name]
        except KeyError:
            raise ApiError(404, f"{kind} {name} was not found.", "NOT_FOUND") from None

    def add(self, kind: str, name: str, resource: Any) -> Any:
        """Add a resource, or raise 409 if it exists."""
        if name in self.resources[kind]:
            raise ApiError(409, f"{kind} {name} already exists.", "ALREADY_EXISTS")
        self.resources[kind][name] = resource
        return resource

    def remove(self, kind: str, name: str) -> Any:
        """Remove a resource, or raise 404."""
        self.get(kind, name)
        return self.resources[kind].pop(name)

    def read_policy(self, name: str) -> dict[str, Any]:
        """Return the IAM policy of a resource."""
        return self.policies.setdefault(name, {"version": 1, "etag": "BwX0", "bindings": []})

    def write_policy(self, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Replace an IAM policy. Like Google, raises an error for a member that does not exist."""
        for binding in policy.get("bindings", []):
            for member in binding["members"]:
                self._check_member(member)
        self.policies[name] = {"version": 1, "etag": "BwX0", **policy}
        return self.policies[name]

    def roles(self, name: str) -> set[tuple[str, str]]:
        """Return role and member of every binding on a resource."""
        return {(part["role"], member) for part in self.read_policy(name)["bindings"] for member in part["members"]}

    def _check_member(self, member: str) -> None:
        kind, _, name = member.partition(":")
        if kind == "serviceAccount" and name not in self.resources["accounts"]:
            raise ApiError(400, f"Service account {name} does not exist.", "INVALID_ARGUMENT")

    def _check_enabled(self, request: Request) -> None:
        guarded = {
            "sql": "sqladmin",
            "run": "run",
            "artifactregistry": "artifactregistry",
            "secretmanager": "secretmanager",
        }
        api = f"{guarded.get(request.api)}.googleapis.com"
        if request.api in guarded and api not in self.resources["apis"]:
            message = f"{api} has not been used in project before or it is disabled."
            raise ApiError(403, message, "SERVICE_DISABLED")
