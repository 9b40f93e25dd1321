"""Firebase Hosting sends the page with the same headers as the server, except for what the two origins need."""

import json
import re
from typing import Any

import httpx
import pytest

from devtools.paths import FRONTEND
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.static_site import API

HOSTING: dict[str, Any] = json.loads((FRONTEND / "firebase.json").read_text())["hosting"]
RULES = {rule.get("regex") or rule["source"]: rule["headers"] for rule in HOSTING["headers"]}


def hosted_headers(path: str) -> dict[str, str]:
    """Return the headers of a path."""
    rules = [headers for where, headers in RULES.items() if where == "**" or re.search(where, path)]
    return {header["key"].lower(): header["value"] for headers in rules for header in headers}


@pytest.mark.anyio
async def test_hosting_security_headers_equal_those_of_server() -> None:
    app = create_app(Settings(_env_file=None, auth_method="firebase", firebase_project_id="a", lockstep=True))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as http:
        sent = dict((await http.get("/health/live")).headers)
    hosted = hosted_headers("/")
    for name in ("content-type", "content-length", "cache-control", "x-request-id"):
        sent.pop(name, None)
        hosted.pop(name, None)
    server = " https://*.run.app"
    hosted["content-security-policy"] = (
        hosted["content-security-policy"].replace(f"{server} wss://*.run.app", "").replace(server, "")
    )
    assert hosted == sent


def test_hosting_policy_allows_server_and_firebase_only() -> None:
    policy = hosted_headers("/")["content-security-policy"]
    foreign = set(re.findall(r"\S+://\S+", policy.replace(";", " ")))
    assert foreign == {
        "https://*.run.app",
        "wss://*.run.app",
        "https://identitytoolkit.googleapis.com",
        "https://securetoken.googleapis.com",
    }
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", "no-cache"),
        ("/play/breakout", "no-cache"),
        ("/sign-in", "no-cache"),
        ("/index.html", "no-cache"),
        ("/theme.js", "no-cache"),
        ("/assets/index-D4YDHyXO.css", "public, max-age=31536000, immutable"),
        ("/config.json", "no-store"),
    ],
)
def test_hosting_caches_each_path_by_one_rule(path: str, caching: str) -> None:
    """Firebase does not document which of two matching rules wins."""
    found = [
        header["value"]
        for where, headers in RULES.items()
        for header in headers
        if header["key"] == "Cache-Control" and re.search(where, path)
    ]
    assert found == [caching]


def test_hosting_rewrites_page_paths_only() -> None:
    (rewrite,) = HOSTING["rewrites"]
    assert rewrite["destination"] == "/index.html"
    assert re.search(rewrite["regex"], "/play/breakout")
    assert not re.search(rewrite["regex"], "/assets/gone-12345678.js")
    assert not re.search(rewrite["regex"], "/config.json")
    assert "assets" in API
