"""Answers a question about JSON that gcloud or firebase printed: `… | python3 -m release.state QUESTION`.

What does not look as expected is Trouble, never an empty answer.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from release.trouble import Trouble, run_main


def find_serving(service: dict[str, Any]) -> str:
    """Name the revision of a Cloud Run service that has all the traffic."""
    traffic = service["status"]["traffic"]
    serving = {entry["revisionName"] for entry in traffic if entry.get("percent")}
    if len(serving) != 1:
        raise Trouble(f"traffic is divided between {sorted(serving)}: give all of it to one revision first")
    return str(serving.pop())


def find_tagged(service: dict[str, Any], tag: str) -> str:
    """Name the revision that has this tag."""
    tagged = [entry["revisionName"] for entry in service["status"]["traffic"] if entry.get("tag") == tag]
    if len(tagged) != 1:
        raise Trouble(f"no revision of {service['metadata']['name']} has the tag {tag}")
    return str(tagged[0])


def find_label(thing: dict[str, Any], name: str) -> str:
    """Give a label's value; empty when it has none."""
    return str(thing["metadata"].get("labels", {}).get(name, ""))


def has_binding(policy: dict[str, Any], role: str, member: str) -> str:
    """Say yes or no: whether an IAM policy binds this role to this member, on no condition."""
    bindings = [part for part in policy.get("bindings", []) if part["role"] == role and "condition" not in part]
    return "yes" if any(member in part["members"] for part in bindings) else "no"


def find_channel(channels: dict[str, Any], name: str) -> str:
    """Give the address of a Hosting channel, from `firebase hosting:channel:list --json`; empty when there is none."""
    found = [channel for channel in list_channels(channels) if channel["name"].endswith(f"/channels/{name}")]
    return str(found[0]["url"]) if found else ""


def find_version(channels: dict[str, Any], name: str) -> str:
    """Give the version that a Hosting channel shows; empty when it never showed any."""
    found = [channel for channel in list_channels(channels) if channel["name"].endswith(f"/channels/{name}")]
    release = found[0].get("release", {}) if found else {}
    return str(release.get("version", {}).get("name", "")).rpartition("/")[2]


def name_channels(channels: dict[str, Any]) -> str:
    """Name every Hosting channel, one a line."""
    return "\n".join(channel["name"].rpartition("/")[2] for channel in list_channels(channels))


def list_channels(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The channels in `firebase hosting:channel:list --json`."""
    channels: list[dict[str, Any]] = read_result(answer)["channels"]
    return channels


def list_items(answer: dict[str, Any], field: str) -> str:
    """One field of each item that the firebase client listed, one a line."""
    return "\n".join(str(item[field]) for item in read_result(answer))


def find_api_key(answer: dict[str, Any]) -> str:
    """The web API key in `firebase apps:sdkconfig WEB --json`."""
    return str(read_result(answer)["sdkConfig"]["apiKey"])


def read_result(answer: dict[str, Any]) -> Any:
    """What the firebase client answered, if it succeeded."""
    if answer.get("status") != "success":
        raise Trouble(f"firebase says {str(answer.get('error', answer))[:200]}")
    return answer["result"]


QUESTIONS: dict[str, Callable[..., str]] = {
    "serving": find_serving,
    "tagged": find_tagged,
    "label": find_label,
    "binding": has_binding,
    "channel": find_channel,
    "version": find_version,
    "channels": name_channels,
    "items": list_items,
    "api_key": find_api_key,
}


def main(arguments: list[str]) -> None:
    """Print the answer."""
    question, *details = arguments
    try:
        print(QUESTIONS[question](json.load(sys.stdin), *details))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(f"what Google's client printed is not as expected: {error!r}") from error


if __name__ == "__main__":
    run_main(main)
