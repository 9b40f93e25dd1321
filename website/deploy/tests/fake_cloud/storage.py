"""Cloud Storage: buckets and the names of objects."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("storage")
V1 = "/storage/v1"


@ROUTES.on("GET", V1 + "/b")
def list_buckets(cloud: FakeCloud, request: Request) -> Any:
    return {"kind": "storage#buckets", "items": list(cloud.resources["buckets"].values())}


@ROUTES.on("POST", V1 + "/b")
def create_bucket(cloud: FakeCloud, request: Request) -> Any:
    name = request.body["name"]
    return cloud.add("buckets", name, {"kind": "storage#bucket", "id": name, "metageneration": "1", **request.body})


@ROUTES.on("GET", V1 + "/b/{bucket}")
def read_bucket(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    return cloud.get("buckets", bucket)


@ROUTES.on("PATCH", V1 + "/b/{bucket}")
def update_bucket(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    cloud.get("buckets", bucket).update(request.body)
    return cloud.get("buckets", bucket)


@ROUTES.on("GET", V1 + "/b/{bucket}/storageLayout")
def read_layout(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    cloud.get("buckets", bucket)
    return {"kind": "storage#storageLayout", "bucket": bucket, "hierarchicalNamespace": {"enabled": False}}


@ROUTES.on("GET", V1 + "/b/{bucket}/iam")
def read_policy(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    cloud.get("buckets", bucket)
    return {"kind": "storage#policy", **cloud.read_policy("bucket")}


@ROUTES.on("PUT", V1 + "/b/{bucket}/iam")
def write_policy(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    cloud.get("buckets", bucket)
    return cloud.write_policy("bucket", request.body)


@ROUTES.on("GET", V1 + "/b/{bucket}/o")
def list_objects(cloud: FakeCloud, request: Request, bucket: str) -> Any:
    cloud.get("buckets", bucket)
    prefix = request.query.get("prefix", "")
    names = sorted(name for name in cloud.resources["objects"] if name.startswith(prefix))
    return {"kind": "storage#objects", "items": [describe(bucket, name) for name in names]}


@ROUTES.on("GET", V1 + "/b/{bucket}/o/(?P<name>.+)")
def read_object(cloud: FakeCloud, request: Request, bucket: str, name: str) -> Any:
    cloud.get("objects", name)
    return describe(bucket, name)


@ROUTES.on("DELETE", V1 + "/b/{bucket}/o/(?P<name>.+)")
def delete_object(cloud: FakeCloud, request: Request, bucket: str, name: str) -> Any:
    cloud.remove("objects", name)
    return {}


def describe(bucket: str, name: str) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "generation": "1",
        "metageneration": "1",
        "size": "1",
    }
