"""What the page asks first: where its server is."""

import pytest

from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def test_a_page_served_by_the_server_is_told_to_ask_it(arcade: Visitor) -> None:
    answer = await arcade.http.get("/config.json")
    assert answer.json()["apiUrl"] is None
    assert answer.headers["cache-control"] == "no-store"


async def test_what_the_deploy_says_elsewhere_is_not_said_here(arcade: Visitor) -> None:
    folder = arcade.state.settings.page_folder
    assert folder is not None
    folder.mkdir()
    (folder / "config.json").write_text('{"apiUrl": "https://elsewhere.example"}')
    assert (await arcade.http.get("/config.json")).json()["apiUrl"] is None
