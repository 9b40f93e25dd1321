"""GitHub's API: open pull requests and their comments."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("github")
REPOSITORY = "/repos/{owner}/{name}"
MAX_PAGE_SIZE = 100


def cut(items: list[Any], request: Request) -> list[Any]:
    """Return a page of a list."""
    size, page = min(int(request.query.get("per_page", 30)), MAX_PAGE_SIZE), int(request.query.get("page", 1))
    return items[(page - 1) * size : page * size]


@ROUTES.on("GET", REPOSITORY + "/pulls")
def list_pulls(cloud: FakeCloud, request: Request, owner: str, name: str) -> Any:
    assert request.query["state"] == "open"
    return cut(
        [{"number": number, "state": "open"} for number in cloud.behaviours.get("open pull requests", [])], request
    )


@ROUTES.on("GET", REPOSITORY + "/issues/{number}/comments")
def list_comments(cloud: FakeCloud, request: Request, owner: str, name: str, number: str) -> Any:
    return cut([c for c in cloud.resources["comments"].values() if c["issue"] == number], request)


@ROUTES.on("POST", REPOSITORY + "/issues/{number}/comments")
def create_comment(cloud: FakeCloud, request: Request, owner: str, name: str, number: str) -> Any:
    comment = {"id": len(cloud.resources["comments"]) + 1, "issue": number, "body": request.body["body"]}
    comment["user"] = {"login": "github-actions[bot]"}
    return cloud.add("comments", str(comment["id"]), comment)


@ROUTES.on("PATCH", REPOSITORY + "/issues/comments/{number}")
def update_comment(cloud: FakeCloud, request: Request, owner: str, name: str, number: str) -> Any:
    cloud.get("comments", number).update(body=request.body["body"])
    return cloud.get("comments", number)
