"""Deployment to Cloud Run like gcloud does it: read the resource, change the spec, write it back."""

import json
from pathlib import Path
from typing import Any

from fake_clients.command_line import CommandError, CommandLine, UsageError, call

RUN = "/apis/serving.knative.dev/v1/namespaces"
JOBS = "/apis/run.googleapis.com/v1/namespaces"


def pairs(text: str) -> dict[str, str]:
    """Parse `a=b,c=d`."""
    return dict(part.split("=", 1) for part in text.split(",")) if text else {}


def container(line: CommandLine) -> dict[str, Any]:
    """Return the container that the flags describe."""
    environment: list[dict[str, Any]] = []
    if file := line.value("env-vars-file"):
        values = json.loads(Path(file).read_text())
        if not all(isinstance(value, str) for value in values.values()):
            raise CommandError("Environment variable values must be strings.")
        environment = [{"name": name, "value": value} for name, value in values.items()]
    for name, secret in pairs(line.value("set-secrets")).items():
        key, _, version = secret.partition(":")
        environment.append({"name": name, "valueFrom": {"secretKeyRef": {"name": key, "key": version}}})
    made: dict[str, Any] = {"image": line.value("image"), "env": environment}
    made["resources"] = {"limits": {"cpu": line.value("cpu"), "memory": line.value("memory")}}
    if probe := pairs(line.value("startup-probe")):
        made["startupProbe"] = read_probe(probe)
    if probe := pairs(line.value("liveness-probe")):
        made["livenessProbe"] = read_probe(probe)
    if mount := pairs(line.value("add-volume-mount")):
        made["volumeMounts"] = [{"name": mount["volume"], "mountPath": mount["mount-path"]}]
    return made


def read_probe(flag: dict[str, str]) -> dict[str, Any]:
    """Return the probe that a flag describes."""
    return {
        "httpGet": {"path": flag.pop("httpGet.path")},
        **{name: int(value) for name, value in flag.items()},
    }


def deploy_service(line: CommandLine) -> Any:
    """Create a service or a new revision of it."""
    path, name = f"{RUN}/{line.project}/services", line.word()
    services = call("run", "GET", path)["items"]
    before = next((item for item in services if item["metadata"]["name"] == name), None)
    if before is None and "no-traffic" in line.flags and not call("lies", "GET", "/no-traffic-first"):
        raise UsageError("--no-traffic not supported when creating a new service.")
    volume = pairs(line.value("add-volume"))
    annotations = {"run.googleapis.com/sessionAffinity": str("session-affinity" in line.flags).lower()}
    annotations["autoscaling.knative.dev/maxScale"] = line.value("max-instances")
    if (minimum := line.value("min-instances", "default")) != "default":
        annotations["autoscaling.knative.dev/minScale"] = minimum
    spec: dict[str, Any] = {
        "containers": [container(line)],
        "serviceAccountName": line.value("service-account"),
        "timeoutSeconds": int(line.value("timeout", "300")),
        "containerConcurrency": int(line.value("concurrency", "80")),
        "volumes": [{"name": volume["name"], "emptyDir": {"medium": "Memory"}}] if volume else [],
    }
    labels = pairs(line.value("labels"))
    metadata: dict[str, Any] = dict(before["metadata"]) if before else {"name": name, "namespace": line.project}
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    if line.value("min"):
        metadata["annotations"] = {"run.googleapis.com/minScale": line.value("min")}
    service: dict[str, Any] = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}},
    }
    service["spec"]["traffic"] = share_traffic(before, line)
    done = call("run", "POST", path, service) if before is None else call("run", "PUT", f"{path}/{name}", service)
    if "allow-unauthenticated" in line.flags:
        policy = {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}
        where = f"/v1/projects/{line.project}/locations/{line.value('region')}/services/{name}"
        call("run", "POST", f"{where}:setIamPolicy", {"policy": policy})
    return done


def share_traffic(before: dict[str, Any] | None, line: CommandLine) -> list[dict[str, Any]]:
    """Return the traffic after a deployment: to the newest revision, or unchanged with the tag on the newest one."""
    tag = line.value("tag")
    if before is None:
        return [{"latestRevision": True, "percent": 100}]
    if "no-traffic" not in line.flags:
        kept = [entry for entry in before["spec"].get("traffic", []) if entry.get("tag") and not entry.get("percent")]
        return [{"latestRevision": True, "percent": 100}, *kept]
    kept = [
        {"revisionName": entry["revisionName"], **{key: entry[key] for key in ("percent", "tag") if entry.get(key)}}
        for entry in before["status"]["traffic"]
        if entry.get("tag") != tag
    ]
    return [*kept, {"latestRevision": True, "tag": tag}]


def deploy_job(line: CommandLine) -> Any:
    """Create or replace a job."""
    path, name = f"{JOBS}/{line.project}/jobs", line.word()
    made = container(line) | {"command": [line.value("command")], "args": line.value("args").split(",")}
    spec = {"containers": [made], "serviceAccountName": line.value("service-account")}
    job = {
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": line.project, "labels": pairs(line.value("labels"))},
        "spec": {"template": {"spec": {"template": {"spec": spec}}}},
    }
    there = any(item["metadata"]["name"] == name for item in call("run", "GET", path)["items"])
    return call("run", "PUT", f"{path}/{name}", job) if there else call("run", "POST", path, job)


def run_job(line: CommandLine) -> Any:
    """Run a job and wait until it ends."""
    execution = call("run", "POST", f"{JOBS}/{line.project}/jobs/{line.word()}:run", {})
    conditions = {part["type"]: part["status"] for part in execution["status"]["conditions"]}
    if "wait" in line.flags and conditions["Completed"] != "True":
        raise CommandError("The execution failed.")
    return execution
