"""A fake Firebase CLI with only the commands that the scripts call. It calls the fake APIs at FAKE_URL."""

import gzip
import hashlib
import json
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_clients.command_line import (
    CommandError,
    CommandLine,
    UsageError,
    call,
    parse_command_line,
    require_credentials,
)

HOSTING, FIREBASE, USAGE = "firebasehosting", "firebase", "serviceusage"
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


def site(line: CommandLine) -> str:
    """Return the path of the project's site. Like the CLI, fails outside of a folder with firebase.json."""
    if not Path("firebase.json").is_file():
        raise CommandError("Not in a Firebase app directory (could not locate firebase.json)")
    return f"/v1beta1/projects/{line.project}/sites/{line.project}"


def require_hosting(line: CommandLine) -> None:
    """Fail if the Hosting API is disabled. The CLI itself would enable it."""
    if call(USAGE, "GET", f"/v1/projects/{line.project}/services/firebasehosting.googleapis.com")["state"] != "ENABLED":
        raise CommandError("missing required API firebasehosting.googleapis.com")


def seconds(line: CommandLine) -> str:
    """Convert a duration like `7d` to the API's format."""
    return f"{int(line.value('expires', '7d').removesuffix('d')) * 86_400}s"


def create_channel(line: CommandLine) -> Any:
    """Create a channel."""
    require_hosting(line)
    return call(HOSTING, "POST", f"{site(line)}/channels", {"ttl": seconds(line)}, channelId=line.word())


def deploy_channel(line: CommandLine) -> Any:
    """Upload the page and show it in a channel, which is created if it does not exist."""
    require_hosting(line)
    channels = call(HOSTING, "GET", f"{site(line)}/channels")["channels"]
    if not any(channel["name"].endswith(f"/channels/{line.word()}") for channel in channels):
        create_channel(line)
    return release(line, f"{site(line)}/channels/{line.word()}", upload(line))


def deploy_live(line: CommandLine) -> Any:
    """Upload the page and show it in the live channel."""
    require_hosting(line)
    return release(line, f"{site(line)}/channels/live", upload(line))


def release(line: CommandLine, channel: str, version: str) -> Any:
    """Show a version in a channel."""
    return call(HOSTING, "POST", f"{channel}/releases", {}, versionName=version)


def upload(line: CommandLine) -> str:
    """Upload the new files of the folder that firebase.json names. Returns the name of the version."""
    public = Path(json.loads(Path("firebase.json").read_text())["hosting"]["public"])
    contents = {
        f"/{file.relative_to(public)}": gzip.compress(file.read_bytes(), mtime=0)
        for file in public.rglob("*")
        if file.is_file()
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    version = call(HOSTING, "POST", f"{site(line)}/versions", {"config": {}})["name"]
    number = version.rpartition("/")[2]
    wanted = call(HOSTING, "POST", f"{site(line)}/versions/{number}:populateFiles", {"files": hashes})
    for name, data in contents.items():
        if hashes[name] in wanted["uploadRequiredHashes"]:
            urllib.request.urlopen(
                urllib.request.Request(f"{wanted['uploadUrl']}/{hashes[name]}", data, method="POST")
            ).close()
    call(HOSTING, "PATCH", f"{site(line)}/versions/{number}", {"status": "FINALIZED"})
    return str(version)


def clone(line: CommandLine) -> Any:
    """Show a version, named SITE@VERSION, in another channel, SITE:CHANNEL."""
    require_hosting(line)
    source, target = line.word(0), line.word(1)
    channel = target.partition(":")[2]
    channels = call(HOSTING, "GET", f"{site(line)}/channels")["channels"]
    if not any(item["name"].endswith(f"/channels/{channel}") for item in channels):
        call(HOSTING, "POST", f"{site(line)}/channels", {"ttl": "604800s"}, channelId=channel)
    return release(line, f"{site(line)}/channels/{channel}", f"sites/x/versions/{source.partition('@')[2]}")


def delete_channel(line: CommandLine) -> Any:
    """Delete a channel. Without --force the CLI would ask for confirmation."""
    require_hosting(line)
    if "force" not in line.flags:
        raise CommandError("Pass the --force flag to use this command in non-interactive mode")
    return call(HOSTING, "DELETE", f"{site(line)}/channels/{line.word()}")


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
    "hosting:channel:list": (set(), lambda line: call(HOSTING, "GET", f"{site(line)}/channels")),
    "hosting:channel:create": ({"expires"}, create_channel),
    "hosting:channel:deploy": ({"expires", "no-authorized-domains"}, deploy_channel),
    "hosting:channel:delete": ({"force"}, delete_channel),
    "hosting:clone": (set(), clone),
    "deploy": ({"only", "message"}, deploy_live),
    "projects:list": (set(), list_projects),
    "projects:addfirebase": (
        set(),
        lambda line: call(FIREBASE, "POST", f"/v1beta1/projects/{line.word()}:addFirebase", {}),
    ),
    "apps:list": (set(), list_apps),
    "apps:create": (set(), create_app),
    "apps:sdkconfig": (set(), read_config),
}
