"""Cloud Run jobs and their executions."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.limits import check_template
from fake_cloud.requests import Request, Routes

ROUTES = Routes("run")
PLACE = {"cloud.googleapis.com/location": "europe-west1"}
JOBS = "/apis/run.googleapis.com/v1/namespaces/{project}/jobs"
EXECUTIONS = "/apis/run.googleapis.com/v1/namespaces/{project}/executions"


@ROUTES.on("GET", JOBS)
def list_jobs(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"kind": "JobList", "apiVersion": "run.googleapis.com/v1", "items": list(cloud.resources["jobs"].values())}


@ROUTES.on("GET", JOBS + "/{name}")
def read_job(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.get("jobs", name)


@ROUTES.on("POST", JOBS)
def create_job(cloud: FakeCloud, request: Request, project: str) -> Any:
    return cloud.add("jobs", request.body["metadata"]["name"], settle(cloud, request.body, 1))


@ROUTES.on("PUT", JOBS + "/{name}")
def replace_job(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    before = cloud.get("jobs", name)
    cloud.resources["jobs"][name] = settle(cloud, request.body, before["metadata"]["generation"] + 1)
    return cloud.resources["jobs"][name]


@ROUTES.on("DELETE", JOBS + "/{name}")
def delete_job(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    cloud.remove("jobs", name)
    return {"kind": "Status", "status": "Success"}


@ROUTES.on("POST", JOBS + "/{name}:run")
def run_job(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    job = cloud.get("jobs", name)
    number = len(cloud.resources["executions"]) + 1
    is_fine = not cloud.behaviours.get("migration fails")
    if cloud.containers:
        is_fine = cloud.containers.run_job(job["spec"]["template"]["spec"]["template"]["spec"])
    execution = {
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Execution",
        "metadata": {
            "name": f"{name}-{number}",
            "namespace": project,
            "generation": 1,
            "labels": {"run.googleapis.com/job": name, **PLACE},
        },
        "spec": job["spec"]["template"]["spec"],
        "status": {
            "observedGeneration": 1,
            "conditions": [
                {"type": "Completed", "status": str(is_fine), "message": ""},
                {"type": "Started", "status": "True"},
            ],
            "logUri": "https://logs.example",
            "succeededCount": 1,
            "startTime": "2026-01-01T00:00:00Z",
            "completionTime": "2026-01-01T00:00:01Z",
        },
    }
    return cloud.add("executions", f"{name}-{number}", execution)


@ROUTES.on("GET", EXECUTIONS + "/{name}")
def read_execution(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.get("executions", name)


def settle(cloud: FakeCloud, job: dict[str, Any], generation: int) -> dict[str, Any]:
    """Validate a job and set its status to ready."""
    check_template(cloud, job["spec"]["template"]["spec"]["template"]["spec"])
    job["metadata"]["labels"] = {**job["metadata"].get("labels", {}), **PLACE}
    job["metadata"] |= {"generation": generation, "uid": "u", "resourceVersion": "1"}
    job["status"] = {"observedGeneration": generation, "conditions": [{"type": "Ready", "status": "True"}]}
    return job
