"""Adds a binding to an IAM policy like gcloud does it: read, add, write."""

from typing import Any

from fake_clients.command_line import CommandLine, UsageError, call


def change_policy(line: CommandLine, api: str, reading: str, path: str) -> Any:
    """Read the IAM policy of the resource at `path`, add the binding, and write it back."""
    member, role = line.value("member"), line.value("role")
    if not member or not role:
        raise UsageError("--member and --role must be specified")
    in_place = path.endswith("/iam")
    policy = call(
        api,
        reading if not in_place else "GET",
        path if in_place else f"{path}:getIamPolicy",
        {} if reading == "POST" else None,
    )
    policy = {key: policy[key] for key in ("version", "etag", "bindings") if key in policy}
    bindings = policy.setdefault("bindings", [])
    for binding in bindings:
        if binding["role"] == role and "condition" not in binding:
            binding["members"] = sorted({*binding["members"], member})
            break
    else:
        bindings.append({"role": role, "members": [member]})
    if in_place:
        return call(api, "PUT", path, policy)
    return call(api, "POST", f"{path}:setIamPolicy", {"policy": policy})
