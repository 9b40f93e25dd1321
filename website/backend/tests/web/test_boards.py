"""Leaderboards and the daily challenge over HTTP: opting in and out, who may watch, and what stays secret."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text, update

from skill_arcade.boards.daily import derive_seed
from skill_arcade.boards.judge import judge_queue
from skill_arcade.settings import Settings
from skill_arcade.storage.database.board_pages import is_on_board
from tests.support.board_data import TABLES, add_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
ADA, EVA = "ada@example.org", "eva@example.org"
LAKE = "/leaderboards/frozen-lake"


@pytest.fixture
async def visitor(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    changes: dict[str, object] = {
        "rate_limit_burst": 500,
        "daily_games": ["frozen-lake"],
        "researcher_emails": ["rita@example.org"],
    }
    async with open_arcade(settings.model_copy(update=changes)) as arcade:
        yield arcade


async def user_id(arcade: Visitor, email: str) -> str:
    headers = await arcade.sign_in(email)
    return str((await arcade.http.get("/auth/me", headers=headers)).json()["user_id"])


async def play(arcade: Visitor, email: str, score: float, **changes: Any) -> UUID:
    """Add a certified episode of this user."""
    user = await user_id(arcade, email)
    async with arcade.state.engine.begin() as connection:
        return await add_episode(connection, user, score, **{"game": "frozen-lake", **changes})


async def call(arcade: Visitor, method: str, path: str, email: str | None = ADA, body: Any = None) -> httpx.Response:
    headers = {} if email is None else await arcade.sign_in(email)
    return await arcade.http.request(method, path, headers=headers, json=body)


async def opt_in(arcade: Visitor, email: str, name: str | None = None) -> httpx.Response:
    answer = await call(arcade, "PUT", "/me/board", email, {"name": name})
    await judge_queue(arcade.state.engine)
    return answer


async def test_board_shows_names_ranks_and_own_row_and_no_account(visitor: Visitor) -> None:
    await play(visitor, ADA, 5)
    await play(visitor, EVA, 9)
    await opt_in(visitor, ADA, "Ada")
    await opt_in(visitor, EVA)
    page = (await call(visitor, "GET", LAKE)).json()
    assert [(row["rank"], row["score"], row["is_own"]) for row in page["rows"]] == [(1, 9, False), (2, 5, True)]
    assert page["rows"][1]["name"] == "Ada"
    assert page["rows"][0]["name"].startswith("Player ")
    assert (page["own"]["rank"], page["n_players"], page["is_listed"]) == (2, 2, True)
    anyone = await call(visitor, "GET", LAKE, None)
    assert anyone.json()["own"] is None
    for secret in (await user_id(visitor, ADA), ADA, EVA):
        assert secret not in anyone.text
    boards = (await call(visitor, "GET", "/leaderboards", None)).json()
    assert [board["game_id"] for board in boards] == ["frozen-lake"]


async def test_own_row_is_shown_below_the_last_row_of_the_page(visitor: Visitor) -> None:
    await play(visitor, ADA, 0)
    for number in range(60):
        await play(visitor, f"p{number}@example.org", number + 1)
        await call(visitor, "PUT", "/me/board", f"p{number}@example.org", {"name": None})
    await opt_in(visitor, ADA)
    page = (await call(visitor, "GET", LAKE)).json()
    assert len(page["rows"]) == 50
    assert page["own"]["rank"] == page["n_players"] == 61


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LAKE}?season=yesterday", 422),
        (f"{LAKE}?season=2026-99-99", 422),
        (f"{LAKE}?season=2026-W60", 422),
        (f"{LAKE}?season=2026-W10", 200),
        (f"{LAKE}?settings=mode=4", 422),
        ("/leaderboards/no-such-game", 404),
        ("/challenges/2001-01-01/board", 404),
        ("/challenges/9999-12-31/board", 404),
    ],
)
async def test_unknown_board_or_season_has_its_status(visitor: Visitor, path: str, status: int) -> None:
    assert (await call(visitor, "GET", path, None)).status_code == status


async def test_names_that_look_alike_are_taken_and_reserved_ones_are_rejected(visitor: Visitor) -> None:
    assert (await opt_in(visitor, ADA, "Ada Lovelace")).json()["name"] == "Ada Lovelace"
    taken = await opt_in(visitor, EVA, "ADA  L0velace")
    assert (taken.status_code, taken.json()["error"]) == (409, "NameTaken")
    assert (await opt_in(visitor, EVA, "Admin")).status_code == 422
    assert (await call(visitor, "GET", "/me/board", EVA)).json()["is_listed"] is False
    assert (await opt_in(visitor, ADA, "Ada L")).json() == {"is_listed": True, "name": "Ada L", "is_chosen": True}
    neutral = (await opt_in(visitor, ADA)).json()
    assert neutral["is_chosen"] is False
    assert (await opt_in(visitor, ADA)).json() == neutral


async def test_board_routes_that_change_require_a_session(visitor: Visitor) -> None:
    for method, path in (
        ("GET", "/me/board"),
        ("PUT", "/me/board"),
        ("DELETE", "/me/board"),
        ("POST", f"/leaderboards/entries/{uuid4()}/report"),
        ("GET", f"/episodes/{uuid4()}/standing"),
    ):
        assert (await call(visitor, method, path, None, {"name": None})).status_code == 401, path


async def test_anyone_may_watch_a_ranked_episode_until_its_player_opts_out(visitor: Visitor) -> None:
    episode, worse = await play(visitor, ADA, 9), await play(visitor, ADA, 2)
    replay = f"/episodes/{episode}/replay"
    assert (await call(visitor, "GET", replay, None)).status_code == 401
    assert (await call(visitor, "GET", replay, EVA)).status_code == 404
    await opt_in(visitor, ADA, "Ada")
    for email in (None, EVA):
        seen = await call(visitor, "GET", replay, email)
        assert (seen.status_code, seen.json()["access"]) == (200, "board")
        assert "player" not in seen.json()["provenance"]
        assert (await call(visitor, "GET", f"{replay}/steps", email)).status_code == 200
    assert (await call(visitor, "GET", replay, ADA)).json()["access"] == "player"
    # An episode that does not stand on a board stays private, and so does the list of who played.
    assert (await call(visitor, "GET", f"/episodes/{worse}/replay", EVA)).status_code == 404
    assert (await call(visitor, "GET", f"/episodes/{episode}", EVA)).status_code == 404
    note = {"step_from": 0, "step_to": 1, "tag": None, "text": "hello"}
    assert (await call(visitor, "GET", f"/episodes/{episode}/notes", EVA)).status_code == 404
    assert (await call(visitor, "POST", f"/episodes/{episode}/notes", EVA, note)).status_code == 404
    assert (await call(visitor, "DELETE", f"/episodes/{episode}/shares/{uuid4()}", EVA)).status_code == 403
    assert (await call(visitor, "DELETE", "/me/board")).json()["is_listed"] is False
    assert (await call(visitor, "GET", replay, None)).status_code == 401
    assert (await call(visitor, "GET", replay, EVA)).status_code == 404
    assert (await call(visitor, "GET", LAKE)).json()["rows"] == []


async def test_standing_of_an_episode_says_what_became_of_it(visitor: Visitor) -> None:
    async def standing(episode: UUID) -> Any:
        return (await call(visitor, "GET", f"/episodes/{episode}/standing")).json()

    await play(visitor, EVA, 7)
    await opt_in(visitor, EVA)
    good, left = await play(visitor, ADA, 5), await play(visitor, ADA, 9, end_reason="left")
    assert (await standing(good))["state"] == "not-listed"
    assert (await standing(uuid4()))["state"] == "pending"  # not uploaded yet, or of another player
    await call(visitor, "PUT", "/me/board", ADA, {"name": None})
    assert (await standing(good))["state"] == "pending"
    await judge_queue(visitor.state.engine)
    ranked = await standing(good)
    assert (ranked["state"], ranked["today"], ranked["week"], ranked["all"]) == ("ranked", 2, 2, 2)
    assert ranked["n_players"] == 2
    assert ((await standing(left))["state"], (await standing(left))["reason"]) == ("rejected", "unfinished")
    better = await play(visitor, ADA, 8)
    await opt_in(visitor, ADA)
    assert (await standing(good))["state"] == "obsolete"
    assert (await standing(better))["today"] == 1
    assert (await call(visitor, "GET", f"/episodes/{better}/standing", EVA)).status_code == 403


async def test_name_can_be_reported_unless_the_arcade_gave_it(visitor: Visitor) -> None:
    chosen, neutral = await play(visitor, ADA, 9), await play(visitor, EVA, 8)
    await opt_in(visitor, ADA, "Ada")
    await opt_in(visitor, EVA)
    assert (await call(visitor, "POST", f"/leaderboards/entries/{chosen}/report", EVA)).status_code == 202
    assert (await call(visitor, "POST", f"/leaderboards/entries/{neutral}/report", ADA)).status_code == 404
    async with visitor.state.engine.begin() as connection:
        reports = select(TABLES["board_player"].c.n_reports).order_by(TABLES["board_player"].c.n_reports)
        assert list((await connection.execute(reports)).scalars()) == [0, 1]


async def test_erased_account_cannot_opt_in(visitor: Visitor) -> None:
    headers = await visitor.sign_in(ADA)
    await visitor.state.users.close_account(await user_id(visitor, ADA))
    assert (await visitor.http.put("/me/board", json={"name": "Ada"}, headers=headers)).status_code == 401


# -- the daily challenge ---------------------------------------------------------------------------------------------


async def test_two_servers_draw_the_same_challenge(visitor: Visitor, settings: Settings) -> None:
    changes: dict[str, object] = {"daily_games": ["pong", "frozen-lake"]}
    async with open_arcade(settings.model_copy(update=changes)) as other:
        answers = await asyncio.gather(*(server.http.get("/challenges/today") for server in (visitor, other) * 4))
    assert {answer.status_code for answer in answers} == {200}
    drawn = {
        (answer.json()["game_id"], answer.json()["commitment"], answer.json()["next_commitment"]) for answer in answers
    }
    assert len(drawn) == 1


async def test_key_is_committed_to_before_and_revealed_after_the_day(visitor: Visitor) -> None:
    today = (await visitor.http.get("/challenges/today")).json()
    async with visitor.state.engine.begin() as connection:
        [key] = (
            await connection.execute(
                select(TABLES["daily"].c.key).where(TABLES["daily"].c.day == date.fromisoformat(today["day"]))
            )
        ).scalars()
        for answer in (today, (await visitor.http.get(f"/challenges/{today['day']}/board")).json()):
            assert key not in str(answer)
            assert str(derive_seed(key, date.fromisoformat(today["day"]), today["game_id"])) not in str(answer)
        # A day later.
        await connection.execute(text("DELETE FROM daily WHERE day <> CURRENT_DATE AT TIME ZONE 'UTC'"))
        yesterday = date.fromisoformat(today["day"]) - timedelta(days=1)
        await connection.execute(update(TABLES["daily"]).values(day=yesterday))
    revealed = (await visitor.http.get("/challenges/today")).json()["previous"]
    assert (revealed["key"], revealed["commitment"]) == (key, today["commitment"])
    assert hashlib.sha256(bytes.fromhex(revealed["key"])).hexdigest() == today["commitment"]
    # The documented way to the seed, without this package.
    digest = hashlib.sha256(f"{key} {yesterday.isoformat()} {today['game_id']} 0".encode()).digest()
    assert revealed["seed"] == int.from_bytes(digest[:4], "big") >> 1


async def test_ticket_for_the_daily_is_for_its_day_and_for_one_try(visitor: Visitor) -> None:
    today = (await visitor.http.get("/challenges/today")).json()["day"]

    async def request(day: str) -> httpx.Response:
        return await call(visitor, "POST", "/challenges/tickets", ADA, {"day": day})

    assert (await call(visitor, "POST", "/challenges/tickets", None, {"day": today})).status_code == 401
    other_day = (date.fromisoformat(today) + timedelta(days=1)).isoformat()
    assert (await request(other_day)).status_code == 409
    allowed = await request(today)
    ticket = allowed.json()["ticket"]
    redeemed = visitor.state.tokens.redeem_ticket(ticket, "frozen-lake")
    assert (redeemed.user_id, redeemed.daily) == (await user_id(visitor, ADA), today)
    assert (await call(visitor, "GET", "/challenges/today")).json()["has_tried"] is False
    episode = await play(visitor, ADA, 3, end_reason="left", provenance={"daily": today})
    refused = await request(today)
    assert (refused.status_code, refused.json()["error"]) == (409, "AlreadyPlayed")
    daily = (await call(visitor, "GET", "/challenges/today")).json()
    assert (daily["has_tried"], daily["own_episode"]) == (True, str(episode))
    # The ordinary game can be played all the time.
    assert (await call(visitor, "POST", "/play/tickets", ADA, {"game_id": "frozen-lake"})).status_code == 200


async def add_try(visitor: Visitor, email: str, score: float, today: date) -> UUID:
    async with visitor.state.engine.begin() as connection:
        query = select(TABLES["daily"]).where(TABLES["daily"].c.day == today)
        challenge = (await connection.execute(query)).one()
    seed = derive_seed(challenge.key, today, challenge.game_id)
    return await play(visitor, email, score, seed=seed, provenance={"daily": today.isoformat()})


async def test_seed_of_the_running_daily_is_shown_to_researchers_only(visitor: Visitor) -> None:
    today = date.fromisoformat((await visitor.http.get("/challenges/today")).json()["day"])
    episode = await add_try(visitor, ADA, 5, today)
    await opt_in(visitor, ADA, "Ada")
    for path in (f"/episodes/{episode}", f"/episodes/{episode}/replay"):
        assert (await call(visitor, "GET", path)).json()["seed"] is None
        assert (await call(visitor, "GET", path, "rita@example.org")).json()["seed"] > 0
    export = await call(visitor, "POST", "/me/exports", ADA, {"format": "parquet"})
    assert export.status_code == 422
    async with visitor.state.engine.begin() as connection:
        earlier = {**(await visitor.http.get("/challenges/today")).json()}
        past = {"skill_arcade": "0.1.0", "daily": (today - timedelta(days=1)).isoformat()}
        await connection.execute(update(TABLES["episode"]).values(provenance=past))
        assert earlier["previous"] is None
    assert (await call(visitor, "GET", f"/episodes/{episode}/replay")).json()["seed"] > 0
    assert (await call(visitor, "POST", "/me/exports", ADA, {"format": "parquet"})).status_code == 200


async def test_try_of_the_running_daily_may_be_watched_by_those_who_had_theirs(visitor: Visitor) -> None:
    today = date.fromisoformat((await visitor.http.get("/challenges/today")).json()["day"])
    episode = await add_try(visitor, ADA, 5, today)
    await opt_in(visitor, ADA, "Ada")
    board = (await call(visitor, "GET", f"/challenges/{today}/board", None)).json()
    assert [(row["name"], row["rank"]) for row in board["rows"]] == [("Ada", 1)]
    replay = f"/episodes/{episode}/replay"
    assert (await call(visitor, "GET", replay, None)).status_code == 401
    assert (await call(visitor, "GET", replay, EVA)).status_code == 404
    await play(visitor, EVA, 1, end_reason="left", provenance={"daily": today.isoformat()})
    assert (await call(visitor, "GET", replay, EVA)).json()["seed"] is None
    async with visitor.state.engine.begin() as connection:
        await connection.execute(update(TABLES["board"]).values(day=today - timedelta(days=1)))
        row = (await connection.execute(select(TABLES["episode"]).where(TABLES["episode"].c.id == episode))).one()
        assert await is_on_board(connection, row, None)


async def test_daily_ends_at_midnight_utc(visitor: Visitor) -> None:
    daily = (await visitor.http.get("/challenges/today")).json()
    ends = datetime.fromisoformat(daily["time_ends"])
    assert (ends.hour, ends.minute, ends.second, ends.utcoffset()) == (0, 0, 0, timedelta())
    assert timedelta() < ends - datetime.now(UTC) <= timedelta(days=1)
