"""The built page, served beside the API."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from devtools.paths import FRONTEND
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.static_site import API

pytestmark = pytest.mark.anyio
INDEX = "<!doctype html><title>Skill Arcade</title>" + " " * 400
SCRIPT = "console.log('play');" * 100
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("not for anyone")
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "main-abc123.js").write_text(SCRIPT)
    (folder / "assets" / "logo-def456.png").write_bytes(b"\x89PNG" + b"0" * 500)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
async def http(folder: Path, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(Settings(_env_file=None, page_folder=folder)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/play/breakout", "/you", "/sign-in", "/nowhere"])
async def test_static_site_page_paths_return_index(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert answer.text == INDEX
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_static_site_hashed_assets_are_immutable(http: httpx.AsyncClient) -> None:
    answer = await http.get("/assets/main-abc123.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await http.get("/favicon.svg")).headers["cache-control"] == "no-cache"


async def test_static_site_compresses_text_but_not_images(http: httpx.AsyncClient, folder: Path) -> None:
    async with http.stream("GET", "/assets/main-abc123.js") as answer:
        compressed = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(compressed) < len(SCRIPT) / 4
    assert gzip.decompress(compressed).decode() == SCRIPT
    uncompressed = await http.get("/assets/main-abc123.js", headers={"accept-encoding": "identity"})
    assert uncompressed.text == SCRIPT
    assert "content-encoding" not in uncompressed.headers
    assert uncompressed.headers["etag"] != answer.headers["etag"]
    image = await http.get("/assets/logo-def456.png")
    assert "content-encoding" not in image.headers
    assert image.content == (folder / "assets" / "logo-def456.png").read_bytes()


async def test_static_site_unchanged_file_answers_304(http: httpx.AsyncClient, folder: Path) -> None:
    first = await http.get("/", headers=BROWSER)
    cached_headers = {**BROWSER, "if-none-match": first.headers["etag"]}
    assert (await http.get("/", headers=cached_headers)).status_code == 304
    (folder / "index.html").write_text("<!doctype html>new")
    changed = await http.get("/", headers=cached_headers)
    assert changed.status_code == 200
    assert changed.text == "<!doctype html>new"


async def test_static_site_head_request_has_no_body(http: httpx.AsyncClient) -> None:
    answer = await http.head("/", headers={"accept-encoding": "identity"})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(INDEX))
    assert answer.content == b""


@pytest.mark.parametrize(
    "path", ["/assets/gone-000000.js", "/assets/", "/missing.png", *(f"/{step}/a/b/missing" for step in API)]
)
async def test_static_site_missing_asset_or_api_path_answers_404(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/assets//etc/passwd",
        "/out.txt",
        "/index.html%00.png",
        "/" + "a" * 300 + ".js",
    ],
)
async def test_static_site_serves_no_file_outside_of_folder(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(httpx.URL("http://localhost", raw_path=path.encode()), headers=BROWSER)
    assert answer.status_code == 404
    assert "not for anyone" not in answer.text


async def test_static_site_unknown_path_answers_json_to_programs(http: httpx.AsyncClient) -> None:
    answer = await http.get("/gamez")
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"


def test_static_site_knows_all_api_paths() -> None:
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]
    also_pages = {"consent", "play", "research"}
    assert {path.split("/")[1] for path in paths} - also_pages <= set(API)


def test_proxy_of_vite_sends_exactly_the_api_to_the_server() -> None:
    config = (FRONTEND / "vite.config.ts").read_text()
    patterns = [pattern.replace("\\\\", "\\") for pattern in re.findall(r'"(\^/[^"]+)": \{\s*target', config)]
    paths = [re.sub(r"\{\w+\}", "x", path) for path in create_app(Settings(_env_file=None)).openapi()["paths"]]
    pages = [
        "/",
        "/play/breakout",
        "/research",
        "/boards/breakout",
        "/daily",
        "/replay/x",
        "/judge/pairs",
        "/watch",
        "/you",
        "/assets/a.js",
    ]
    reaches_server = {path: any(re.search(pattern, path) for pattern in patterns) for path in [*paths, *pages]}
    assert [path for path in paths if not reaches_server[path]] == []
    assert [path for path in pages if reaches_server[path]] == []


async def test_static_site_without_build_explains_how_to_build(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(create_app(Settings(_env_file=None, page_folder=tmp_path / "none")))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/", headers=BROWSER)
        assert answer.status_code == 200
        assert "website/play" in answer.text
        assert "npm run build" in answer.text
        assert (await http.get("/you", headers=BROWSER)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/" + "x/" * 20_000, "/" + "y" * 40_000, "/a%00b", "/%00", "/%ff%fe", "/" + "%F0" * 900]
)
async def test_static_site_long_and_odd_paths_answer_404_not_500(http: httpx.AsyncClient, path: str) -> None:
    for accept in ("*/*", "text/html"):
        answer = await http.get(path, headers={"accept": accept})
        assert answer.status_code in ((200, 404) if accept == "text/html" else (404,))
