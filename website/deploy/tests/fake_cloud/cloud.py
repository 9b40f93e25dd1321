"""The stand-ins together: their state, the calls that came, the faults to show."""

import importlib
import re
import threading
from collections import defaultdict
from typing import Any

from fake_cloud.requests import ApiError, Fault, Request, Routes

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
    "jobs",
    "hosting",
    "firebase",
    "sts",
    "github",
    "smoke",
)
# Calls that read although they are a POST.
READING = re.compile(r":getIamPolicy$|:testIamPermissions$|/token$|:generateAccessToken$|^/try$|/v1/token")


class FakeCloud:
    """All of Google's (and GitHub's) state that the scripts can see."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Request] = []
        self.faults: list[Fault] = []
        self.policies: dict[str, dict[str, Any]] = {}
        self.resources: dict[str, dict[str, Any]] = defaultdict(dict)
        """By kind, then by name."""
        self.behaviours: dict[str, Any] = {}
        """What tests ask the stand-ins to do: sessions that keep a database in use, and the like."""
        self._lock = threading.RLock()
        self._routes: dict[str, list[Routes]] = defaultdict(list)
        for name in APIS:
            routes = importlib.import_module(f"fake_cloud.{name}").ROUTES
            self._routes[routes.api].append(routes)

    def handle(self, request: Request) -> Any:
        """Record a call and answer it."""
        with self._lock:
            self.calls.append(request)
            for fault in self.faults:
                if fault.matches(request):
                    raise ApiError(fault.status, "The service is currently unavailable.", "UNAVAILABLE")
            self._check_enabled(request)
            for routes in self._routes[request.api]:
                found = routes.find(request)
                if found:
                    handler, names = found
                    return handler(self, request, **names)
        raise ApiError(400, f"the stand-in does not know: {request.line}", "UNIMPLEMENTED")

    def changes(self, since: int = 0) -> list[str]:
        """The calls that changed something, or tried to, from this one on."""
        return [call.line for call in self.calls[since:] if call.method != "GET" and not READING.search(call.path)]

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Things and policies: all that outlives a call."""
        return self.resources, self.policies

    def load_state(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Go on from another cloud's state."""
        self.resources.update(state[0])
        self.policies.update(state[1])

    def get(self, kind: str, name: str) -> Any:
        """One thing, or 404."""
        try:
            return self.resources[kind][name]
        except KeyError:
            raise ApiError(404, f"{kind} {name} was not found.", "NOT_FOUND") from None

    def add(self, kind: str, name: str, thing: Any) -> Any:
        """Keep a new thing, or 409."""
        if name in self.resources[kind]:
            raise ApiError(409, f"{kind} {name} already exists.", "ALREADY_EXISTS")
        self.resources[kind][name] = thing
        return thing

    def remove(self, kind: str, name: str) -> Any:
        """Drop a thing, or 404."""
        self.get(kind, name)
        return self.resources[kind].pop(name)

    def read_policy(self, name: str) -> dict[str, Any]:
        """The IAM policy of a thing."""
        return self.policies.setdefault(name, {"version": 1, "etag": "BwX0", "bindings": []})

    def write_policy(self, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Replace a policy. Every member must be there: Google refuses an account that it has not heard of."""
        for binding in policy.get("bindings", []):
            for member in binding["members"]:
                self._check_member(member)
        self.policies[name] = {"version": 1, "etag": "BwX0", **policy}
        return self.policies[name]

    def roles(self, name: str) -> set[tuple[str, str]]:
        """Role and member of every binding on a thing, for tests."""
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
