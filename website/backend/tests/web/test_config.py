"""`/config.json`, from which the page learns the origin of the API."""

import pytest

from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def test_config_of_server_has_no_api_origin(arcade: Visitor) -> None:
    answer = await arcade.http.get("/config.json")
    assert answer.json()["apiUrl"] is None
    assert answer.headers["cache-control"] == "no-store"


async def test_config_ignores_file_in_page_folder(arcade: Visitor) -> None:
    folder = arcade.state.settings.page_folder
    assert folder is not None
    folder.mkdir()
    (folder / "config.json").write_text('{"apiUrl": "https://elsewhere.example"}')
    assert (await arcade.http.get("/config.json")).json()["apiUrl"] is None
