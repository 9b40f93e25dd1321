"""Extracts a value from JSON that gcloud or firebase printed: `… | python3 -m release.json_query QUERY`.

JSON with another structure than expected raises `UserFacingError`, so that it never reads as an empty result.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from release.errors import UserFacingError, run_main


def find_serving(service: dict[str, Any]) -> str:
    """Return the name of the revision that receives all traffic of a Cloud Run service."""
    traffic = service["status"]["traffic"]
    serving = {entry["revisionName"] for entry in traffic if entry.get("percent")}
    if len(serving) != 1:
        raise UserFacingError(f"the traffic is split between {sorted(serving)}. Send all of it to one revision first")
    return str(serving.pop())


def find_tagged(service: dict[str, Any], tag: str) -> str:
    """Return the name of the revision with this tag."""
    tagged = [entry["revisionName"] for entry in service["status"]["traffic"] if entry.get("tag") == tag]
    if len(tagged) != 1:
        raise UserFacingError(f"the service {service['metadata']['name']} has no revision with the tag {tag}")
    return str(tagged[0])


def find_label(resource: dict[str, Any], name: str) -> str:
    """Return the value of a label, or an empty string if the resource does not have it."""
    return str(resource["metadata"].get("labels", {}).get(name, ""))


def has_binding(policy: dict[str, Any], role: str, member: str) -> str:
    """Return "yes" if an IAM policy grants this role to this member without a condition, otherwise "no"."""
    bindings = [part for part in policy.get("bindings", []) if part["role"] == role and "condition" not in part]
    return "yes" if any(member in part["members"] for part in bindings) else "no"


def find_channel(channels: dict[str, Any], name: str) -> str:
    """Return the address of a Hosting channel, or an empty string if it does not exist."""
    found = [channel for channel in list_channels(channels) if channel["name"].endswith(f"/channels/{name}")]
    return str(found[0]["url"]) if found else ""


def find_version(channels: dict[str, Any], name: str) -> str:
    """Return the version that a Hosting channel shows, or an empty string if it never had a release."""
    found = [channel for channel in list_channels(channels) if channel["name"].endswith(f"/channels/{name}")]
    release = found[0].get("release", {}) if found else {}
    return str(release.get("version", {}).get("name", "")).rpartition("/")[2]


def name_channels(channels: dict[str, Any]) -> str:
    """Return the names of all Hosting channels, one per line."""
    return "\n".join(channel["name"].rpartition("/")[2] for channel in list_channels(channels))


def list_channels(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the channels in the output of `firebase hosting:channel:list --json`."""
    channels: list[dict[str, Any]] = read_result(answer)["channels"]
    return channels


def list_items(answer: dict[str, Any], field: str) -> str:
    """Return a field of each item that the Firebase CLI listed, one per line."""
    return "\n".join(str(item[field]) for item in read_result(answer))


def find_api_key(answer: dict[str, Any]) -> str:
    """Return the web API key in the output of `firebase apps:sdkconfig WEB --json`."""
    return str(read_result(answer)["sdkConfig"]["apiKey"])


def read_result(answer: dict[str, Any]) -> Any:
    """Return the result in the output of the Firebase CLI. Raises `UserFacingError` if the command failed."""
    if answer.get("status") != "success":
        raise UserFacingError(f"firebase failed: {str(answer.get('error', answer))[:200]}")
    return answer["result"]


QUERIES: dict[str, Callable[..., str]] = {
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
    """Print the result of a query."""
    query, *details = arguments
    try:
        print(QUERIES[query](json.load(sys.stdin), *details))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserFacingError(f"the output of gcloud or firebase has an unexpected structure: {error!r}") from error


if __name__ == "__main__":
    run_main(main)
