"""Variants of a game and its former ids: boards, totals, lists, replays and ghosts of the server."""

import platform
from collections.abc import AsyncIterator
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from skill_arcade.boards.aliases import move_aliased_boards
from skill_arcade.boards.edition import find_board
from skill_arcade.boards.judge import judge_queue
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import hash_manifest
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import list_episodes
from skill_arcade.web.ghosts import has_same_settings
from tests.support.board_data import CONFIGS, TABLES
from tests.web.conftest import Visitor, open_arcade
from tests.web.test_boards import ADA, EVA, LAKE, call, opt_in, play

pytestmark = pytest.mark.anyio
FORMER = "frozen-lake-8x8"
CATALOGUE = load_catalogue()


@pytest.fixture(autouse=True)
def _former_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGS, FORMER, {"name": "Frozen Lake, large", "pace": {"kind": "turn-based"}})


@pytest.fixture
async def visitor(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    async with open_arcade(settings.model_copy(update={"rate_limit_burst": 500})) as arcade:
        yield arcade


async def read_rows(visitor: Visitor, path: str) -> list[tuple[str, float]]:
    page = (await call(visitor, "GET", path, None)).raise_for_status().json()
    return [(row["name"], row["score"]) for row in page["rows"]]


def large(**changes: Any) -> dict[str, Any]:
    return {"kwargs": {"map_name": "8x8"}, **changes}


async def test_variants_have_boards_of_their_own_and_former_id_counts_for_its_variant(visitor: Visitor) -> None:
    await play(visitor, ADA, 1)
    await play(visitor, ADA, 5, **large(game=FORMER))
    await play(visitor, EVA, 7, **large(provenance={"options": {"map": "8x8"}}))
    for email, name in ((ADA, "Ada"), (EVA, "Eva")):
        await opt_in(visitor, email, name)
    season = "season=all"
    assert await read_rows(visitor, f"{LAKE}?{season}") == [("Ada", 1)]
    for path in (f"{LAKE}?settings=map=8x8&{season}", f"{LAKE}-8x8?{season}"):
        assert await read_rows(visitor, path) == [("Eva", 7), ("Ada", 5)]
    assert await read_rows(visitor, f"{LAKE}?settings=map=4x4&{season}") == [("Ada", 1)]
    page = (await call(visitor, "GET", f"{LAKE}-8x8", None)).json()
    assert (page["game_id"], page["settings"]) == ("frozen-lake", {"map": "8x8"})
    listed = (await call(visitor, "GET", "/leaderboards", None)).json()
    assert {(one["game_id"], str(one["settings"])) for one in listed} == {
        ("frozen-lake", "{}"),
        ("frozen-lake", "{'map': '8x8'}"),
    }


async def add_former_board(visitor: Visitor) -> str:
    """Rename the board of the variant as an earlier version had it, with a frozen season."""
    async with visitor.state.engine.begin() as connection:
        board = (await connection.execute(select(TABLES["board"]).where(TABLES["board"].c.settings != ""))).one()
        key = find_board(FORMER, {"id": "X"}, {}, None)
        values = {**board._mapping, "id": key.id.replace(key.edition, board.edition), "game_id": FORMER, "settings": ""}
        await connection.execute(insert(TABLES["board"]).values(values))
        for name in ("board_season", "board_entry", "board_standing"):
            table = TABLES[name]
            await connection.execute(table.update().where(table.c.board_id == board.id).values(board_id=values["id"]))
        await connection.execute(TABLES["board"].delete().where(TABLES["board"].c.id == board.id))
    return str(board.id)


async def test_board_of_former_id_moves_with_its_seasons_and_standings(visitor: Visitor) -> None:
    await play(visitor, ADA, 5, **large(game=FORMER))
    await opt_in(visitor, ADA, "Ada")
    expected = await add_former_board(visitor)
    assert await read_rows(visitor, f"{LAKE}?settings=map=8x8&season=all") == []
    async with visitor.state.engine.begin() as connection:
        assert await move_aliased_boards(connection) == 1
        assert await move_aliased_boards(connection) == 0
        boards = (await connection.execute(select(TABLES["board"].c.id))).scalars().all()
    assert boards == [expected]
    assert await read_rows(visitor, f"{LAKE}?settings=map=8x8&season=all") == [("Ada", 5)]


async def test_board_of_former_id_that_was_opened_again_is_merged_by_the_judge(visitor: Visitor) -> None:
    await play(visitor, ADA, 5, **large(game=FORMER))
    await opt_in(visitor, ADA, "Ada")
    await add_former_board(visitor)
    await play(visitor, EVA, 7, **large(provenance={"options": {"map": "8x8"}}))
    await opt_in(visitor, EVA, "Eva")
    async with visitor.state.engine.begin() as connection:
        assert await move_aliased_boards(connection) == 1
    await judge_queue(visitor.state.engine)
    assert await read_rows(visitor, f"{LAKE}?settings=map=8x8&season=all") == [("Eva", 7), ("Ada", 5)]
    assert len((await call(visitor, "GET", "/leaderboards", None)).json()) == 1


async def test_own_episodes_and_totals_count_former_id_for_its_game(visitor: Visitor) -> None:
    await play(visitor, ADA, 5, **large(game=FORMER))
    await play(visitor, ADA, 3)
    episodes = (await call(visitor, "GET", "/me/episodes")).json()
    assert [(one["game_id"], one["game_name"], one["options"]) for one in episodes] == [
        ("frozen-lake", "Frozen Lake", {}),
        ("frozen-lake", "Frozen Lake", {"map": "8x8"}),
    ]
    await play(visitor, ADA, 4, **large(provenance={"options": {"map": "8x8"}}))
    totals = (await call(visitor, "GET", "/me/summary")).json()["games"]
    assert [(one["game_id"], one["options"], one["episodes"], one["best"]) for one in totals] == [
        ("frozen-lake", {"map": "8x8"}, 2, 5),
        ("frozen-lake", {}, 1, 3),
    ]
    async with visitor.state.engine.connect() as connection:
        stored = await list_episodes(connection, game="frozen-lake")
        assert [item.game_id for item in stored] == ["frozen-lake", "frozen-lake", FORMER]
        assert [item.game_id for item in await list_episodes(connection, game=FORMER)] == [FORMER]


async def test_replay_of_former_id_names_game_and_option(visitor: Visitor) -> None:
    episode = await play(visitor, ADA, 5, **large(game=FORMER))
    replay = (await call(visitor, "GET", f"/episodes/{episode}/replay")).json()
    assert (replay["game"]["id"], replay["game"]["name"]) == ("frozen-lake", "Frozen Lake")
    assert replay["options"] == {"map": "8x8"}
    ticket = {"game_id": "frozen-lake", "ghost": str(episode), "share_token": None}
    assert (await call(visitor, "POST", "/play/tickets", ADA, ticket)).status_code == 200
    other = await call(visitor, "POST", "/play/tickets", ADA, ticket | {"game_id": "pong"})
    assert other.status_code == 422


def recorded(game_id: str, options: dict[str, str], digest: str, disks: int) -> Any:
    environment = {
        "id": "SkillArcade/TowerOfHanoi-v0",
        "kwargs": {"disks": disks},
        "packages": {"gymnasium": version("gymnasium")},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    provenance = {"manifest_sha256": digest, "options": options}
    return SimpleNamespace(game_id=game_id, environment=environment, provenance=provenance)


def test_has_same_settings_compares_variant_and_former_id() -> None:
    hanoi = CATALOGUE.games["tower-of-hanoi"]
    four = {"disks": "4"}
    new = recorded("tower-of-hanoi", four, hash_manifest(hanoi, four), 4)
    old = recorded("tower-of-hanoi-4", {}, "the hash of a manifest with another id", 4)
    for episode in (new, old):
        assert has_same_settings(episode, CATALOGUE, hanoi, four)
        assert not has_same_settings(episode, CATALOGUE, hanoi, {})
        assert not has_same_settings(episode, CATALOGUE, hanoi, {"disks": "5"})
    changed = recorded("tower-of-hanoi-4", {}, "the hash of a manifest with another id", 5)
    assert not has_same_settings(changed, CATALOGUE, hanoi, four)
