"""Routes for leaderboards: reading them, opting in and out, and reporting a name."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.boards.edition import read_settings, write_settings
from skill_arcade.boards.names import check_name, draw_neutral_name, make_skeleton
from skill_arcade.boards.seasons import ALL_TIME, Period, name_season, season_bounds, start_of_day
from skill_arcade.errors import InvalidRequest, NameTaken, NotFound, NotReady
from skill_arcade.storage.database.board_pages import (
    Standing,
    count_players,
    find_current_board,
    find_standing,
    get_entry,
    get_player,
    get_season,
    is_queued,
    list_current_boards,
    list_standings,
)
from skill_arcade.storage.database.boards import add_player, enqueue_user, remove_player, report_name
from skill_arcade.storage.database.erasures import lock_user
from skill_arcade.web.current_user import CurrentUser, OptionalUser, UserId
from skill_arcade.web.models.boards import (
    BoardMembership,
    BoardMembershipRequest,
    BoardPage,
    BoardRow,
    BoardSummary,
    EpisodeStanding,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State
from skill_arcade.web.tokens import Identity
from skill_arcade.web.viewer import find_own_episode

router = APIRouter(tags=["boards"])
MAX_ROWS = 50
MAX_NAME_ATTEMPTS = 32
NOT_LISTED = BoardMembership(is_listed=False, name=None, is_chosen=False)
Season = Annotated[
    str,
    Query(
        max_length=10,
        pattern=r"^(today|week|all|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-W[0-9]{2})$",
        description="today, week or all; or a past season: a day, or an ISO week such as 2026-W48; UTC",
    ),
]


@router.get("/leaderboards", responses=problem_answers(422, 503))
async def list_boards(state: State) -> list[BoardSummary]:
    """List the boards that have entries, those just played on first. The daily challenge has its own route."""
    async with request_transaction(state.engine) as connection:
        return await _summarise(connection, None)


@router.get("/leaderboards/{game_id}", responses=problem_answers(401, 404, 422, 503))
async def read_board(
    game_id: Annotated[str, Path(max_length=100)],
    user: OptionalUser,
    state: State,
    season: Season = "today",
    settings: Annotated[
        str, Query(max_length=200, description="option values as name=value, joined by &; empty: the defaults")
    ] = "",
) -> BoardPage:
    """Return the board of a game with certain settings, in a season. It is empty if nobody has ranked yet."""
    options = read_settings(settings)
    found = state.catalogue.find(game_id, options)
    game, options = found or (None, options)
    game_id = state.catalogue.current_id(game_id)
    async with request_transaction(state.engine) as connection:
        boards = await _summarise(connection, game_id)
        if game is None and not boards:
            raise NotFound(f"There is no game {game_id!r}. GET /games lists the games.")
        name = game.name if game is not None else boards[0].game_name
        page = await read_page(connection, game_id, write_settings(options), _resolve(season), user)
    return BoardPage.model_validate(page | {"game_name": name, "settings": options, "boards": boards})


@router.get("/challenges/{day}/board", responses=problem_answers(401, 404, 422, 503))
async def read_daily_board(day: date, user: OptionalUser, state: State) -> BoardPage:
    """Return the board of a day's challenge."""
    async with request_transaction(state.engine) as connection:
        challenge = await state.daily.find(connection, day)
        game = state.catalogue.games.get(challenge.game_id)
        settings = f"daily={day.isoformat()}"
        page = await read_page(connection, challenge.game_id, settings, ALL_TIME, user)
    changes: dict[str, object] = {
        "game_name": challenge.game_id if game is None else game.name,
        "settings": {},
        "day": day,
        "time_ends": start_of_day(day) + timedelta(days=1),
        "boards": [],
    }
    return BoardPage.model_validate(page | changes)


@router.get("/me/board", responses=problem_answers(401, 503))
async def read_membership(user_id: UserId, state: State) -> BoardMembership:
    """Return whether the user is on leaderboards, and their name there."""
    async with request_transaction(state.engine) as connection:
        return await _read_membership(connection, user_id)


@router.put("/me/board", responses=problem_answers(401, 409, 422, 503))
async def opt_in(body: BoardMembershipRequest, user_id: UserId, state: State) -> BoardMembership:
    """Put the user on leaderboards under this name, or change the name. Earlier certified episodes rank too."""
    async with request_transaction(state.engine) as connection:
        await lock_user(connection, user_id)
        if body.name is not None:
            name = check_name(body.name)
            if not await add_player(connection, user_id, name, make_skeleton(name), is_chosen=True):
                raise NameTaken("Another player has this name, or one that looks like it. Choose another one.")
        else:
            await _give_neutral_name(connection, user_id)
        await enqueue_user(connection, user_id)
        return await _read_membership(connection, user_id)


@router.delete("/me/board", responses=problem_answers(401, 503))
async def opt_out(user_id: UserId, state: State) -> BoardMembership:
    """Take the user off all leaderboards at once, past seasons too. Their replays are private again."""
    async with request_transaction(state.engine) as connection:
        await remove_player(connection, user_id)
    return NOT_LISTED


@router.get("/episodes/{episode_id}/standing", tags=["boards"], responses=problem_answers(401, 403, 422, 503))
async def read_standing(episode_id: UUID, user: CurrentUser, state: State) -> EpisodeStanding:
    """Return what became of an episode of the user on leaderboards. One that is not uploaded yet is pending."""
    async with request_transaction(state.engine) as connection:
        try:
            await find_own_episode(connection, episode_id, user)
        except NotFound:
            return _standing_without_rank("pending")
        standing = await _describe_standing(connection, episode_id, user.user_id)
    if standing.state == "pending" and state.certify_job is not None:
        state.certify_job.request()
    return standing


@router.post(
    "/leaderboards/entries/{episode_id}/report", status_code=202, responses=problem_answers(401, 404, 422, 503)
)
async def report_entry(episode_id: UUID, user_id: UserId, state: State) -> BoardMembership:
    """Report the name that an entry is shown with, for a maintainer to look at. Return the user's own membership."""
    async with request_transaction(state.engine) as connection:
        await report_name(connection, episode_id)
        return await _read_membership(connection, user_id)


def _resolve(season: str) -> str:
    """Return the name of a season. Raises InvalidRequest if there is no such day or week."""
    periods: dict[str, Period] = {"today": "today", "week": "week", "all": "all"}
    if season in periods:
        return name_season(periods[season], datetime.now(UTC))
    try:
        season_bounds(season)
    except ValueError:
        raise InvalidRequest(f"There is no season {season!r}. Use today, week, all, 2026-11-28 or 2026-W48.") from None
    return season


async def _summarise(connection: AsyncConnection, game_id: str | None) -> list[BoardSummary]:
    return [
        BoardSummary(game_id=row.game_id, game_name=row.game_name, settings=read_settings(row.settings))
        for row in await list_current_boards(connection, game_id)
    ]


async def read_page(
    connection: AsyncConnection, game_id: str, settings: str, season: str, user: Identity | None
) -> dict[str, object]:
    """Read the fields of a board that the database decides."""
    user_id = None if user is None else user.user_id
    board = await find_current_board(connection, game_id, settings)
    page: dict[str, object] = {
        "game_id": game_id,
        "day": None,
        "season": season,
        "time_ends": season_bounds(season)[1],
        "is_frozen": False,
        "n_players": 0,
        "rows": [],
        "own": None,
        "is_listed": user_id is not None and await get_player(connection, user_id) is not None,
    }
    if board is None:
        return page
    stored = await get_season(connection, board.id, season)
    is_frozen = stored is not None and stored.time_frozen is not None
    n_players = (
        stored.n_players if stored is not None and is_frozen else await count_players(connection, board.id, season)
    )
    rows = await list_standings(connection, board.id, season, MAX_ROWS)
    own = next((row for row in rows if row.user_id == user_id), None)
    if own is None and user_id is not None:
        own = await find_standing(connection, board.id, season, user_id)
    return page | {
        "is_frozen": is_frozen,
        "n_players": n_players,
        "rows": [make_row(row, user_id) for row in rows],
        "own": None if own is None else make_row(own, user_id),
    }


def make_row(standing: Standing, user_id: str | None) -> BoardRow:
    """Describe a standing without the account that it belongs to."""
    return BoardRow(
        rank=standing.rank,
        name=standing.name,
        score=standing.score,
        time_reached=standing.time_reached,
        episode_id=standing.episode_id,
        is_own=standing.user_id == user_id,
    )


async def _give_neutral_name(connection: AsyncConnection, user_id: str) -> None:
    player = await get_player(connection, user_id)
    if player is not None and not player.is_chosen:
        return
    for attempt in range(MAX_NAME_ATTEMPTS):
        name = draw_neutral_name(attempt)
        # Neutral names differ by digits and letters that look alike, so their skeleton is the name itself.
        if await add_player(connection, user_id, name, name, is_chosen=False):
            return
    raise NotReady("No free name was found. Try again.")


async def _read_membership(connection: AsyncConnection, user_id: str) -> BoardMembership:
    player = await get_player(connection, user_id)
    if player is None:
        return NOT_LISTED
    return BoardMembership(is_listed=True, name=player.name, is_chosen=player.is_chosen)


async def _describe_standing(connection: AsyncConnection, episode_id: UUID, user_id: str) -> EpisodeStanding:
    if await get_player(connection, user_id) is None:
        return _standing_without_rank("not-listed")
    entry = await get_entry(connection, episode_id)
    if entry is None or await is_queued(connection, episode_id):
        return _standing_without_rank("pending")
    if entry.rejection is not None:
        return _standing_without_rank("rejected", entry.rejection)
    if entry.review == "hidden":
        return _standing_without_rank("hidden", entry.review_reason)
    ranks: dict[str, int | None] = {"today": None, "week": None, "all": None}
    n_players = 0
    periods: tuple[Period, ...] = ("all", "week", "today")
    for period in periods[:1] if entry.day is not None else periods:
        season = name_season(period, entry.time_ended)
        standing = await find_standing(connection, entry.board_id, season, user_id)
        if standing is not None and standing.episode_id == episode_id:
            ranks[period] = standing.rank
            n_players = await count_players(connection, entry.board_id, season)
    return EpisodeStanding(
        state="ranked" if any(ranks.values()) else "obsolete",
        reason=None,
        game_id=entry.game_id,
        settings={} if entry.day is not None else read_settings(entry.settings),
        day=entry.day,
        n_players=n_players,
        **ranks,
    )


def _standing_without_rank(
    state: Literal["not-listed", "pending", "rejected", "hidden"], reason: str | None = None
) -> EpisodeStanding:
    return EpisodeStanding(
        state=state,
        reason=reason,
        game_id=None,
        settings={},
        day=None,
        today=None,
        week=None,
        all=None,
        n_players=0,
    )
