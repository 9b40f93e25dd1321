"""A fake Firebase CLI with only the commands that the scripts call. It calls the fake APIs at FAKE_URL."""

import json
import sys
from collections.abc import Callable
from typing import Any

from fake_clients.command_line import (
    CommandError,
    CommandLine,
    UsageError,
    call,
    parse_command_line,
    require_credentials,
)

FIREBASE = "firebase"
GLOBAL = {"project", "non-interactive", "json"}


def main() -> int:
    """Run a command and print its result like the CLI: with --json, an object with the status success or error."""
    arguments = sys.argv[1:]
    try:
        command, line = parse_command_line(arguments, {name: flags | GLOBAL for name, (flags, _) in COMMANDS.items()})
        if "non-interactive" not in line.flags:
            raise UsageError("--non-interactive is missing")
        require_credentials("GOOGLE_APPLICATION_CREDENTIALS", "Failed to authenticate, have you run firebase login?")
        answer = COMMANDS[command][1](line)
    except (UsageError, CommandError) as error:
        print(json.dumps({"status": "error", "error": str(error)}) if "--json" in arguments else f"\nError: {error}")
        return 1
    if "json" in line.flags:
        print(json.dumps({"status": "success", "result": answer}))
    return 0


def list_projects(line: CommandLine) -> Any:
    """List the Firebase projects."""
    return call(FIREBASE, "GET", "/v1beta1/projects")["results"]


def list_apps(line: CommandLine) -> Any:
    """List the web apps."""
    return call(FIREBASE, "GET", f"/v1beta1/projects/{line.project}/webApps")["apps"]


def create_app(line: CommandLine) -> Any:
    """Create the web app."""
    return call(FIREBASE, "POST", f"/v1beta1/projects/{line.project}/webApps", {"displayName": line.word(1)})


def read_config(line: CommandLine) -> Any:
    """Return the configuration of the web app."""
    return {"sdkConfig": call(FIREBASE, "GET", f"/v1beta1/projects/{line.project}/webApps/{line.word(1)}/config")}


COMMANDS: dict[str, tuple[set[str], Callable[[CommandLine], Any]]] = {
    "projects:list": (set(), list_projects),
    "projects:addfirebase": (
        set(),
        lambda line: call(FIREBASE, "POST", f"/v1beta1/projects/{line.word()}:addFirebase", {}),
    ),
    "apps:list": (set(), list_apps),
    "apps:create": (set(), create_app),
    "apps:sdkconfig": (set(), read_config),
}
