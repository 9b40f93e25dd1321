"""The page on Firebase Hosting is dressed as the server dresses it, but for what two sites make needed."""

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


def given(path: str) -> dict[str, str]:
    """The headers of a path."""
    rules = [headers for where, headers in RULES.items() if where == "**" or re.search(where, path)]
    return {header["key"].lower(): header["value"] for headers in rules for header in headers}


@pytest.mark.anyio
async def test_hosting_sends_the_security_headers_that_the_server_sends() -> None:
    app = create_app(Settings(_env_file=None, auth_method="firebase", firebase_project_id="a", lockstep=True))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as http:
        sent = dict((await http.get("/healthz")).headers)
    hosted = given("/")
    for name in ("content-type", "content-length", "cache-control", "x-request-id"):
        sent.pop(name, None)
        hosted.pop(name, None)
    server = " https://*.run.app"
    hosted["content-security-policy"] = (
        hosted["content-security-policy"].replace(f"{server} wss://*.run.app", "").replace(server, "")
    )
    assert hosted == sent


def test_hosting_opens_the_policy_to_the_server_and_to_nothing_else() -> None:
    policy = given("/")["content-security-policy"]
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
def test_each_path_is_cached_by_one_rule_only(path: str, caching: str) -> None:
    """Which of two rules would win is not documented."""
    found = [
        header["value"]
        for where, headers in RULES.items()
        for header in headers
        if header["key"] == "Cache-Control" and re.search(where, path)
    ]
    assert found == [caching]


def test_only_paths_of_the_page_lead_to_it() -> None:
    (rewrite,) = HOSTING["rewrites"]
    assert rewrite["destination"] == "/index.html"
    assert re.search(rewrite["regex"], "/play/breakout")
    assert not re.search(rewrite["regex"], "/assets/gone-12345678.js")
    assert not re.search(rewrite["regex"], "/config.json")
    assert "assets" in API
