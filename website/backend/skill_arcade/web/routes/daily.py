"""Route of the daily challenge."""

from datetime import date, timedelta

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.boards.daily import derive_seed
from skill_arcade.boards.seasons import ALL_TIME, start_of_day
from skill_arcade.errors import AlreadyPlayed
from skill_arcade.storage.database.board_pages import count_players, find_current_board, find_standing
from skill_arcade.storage.database.daily import get_daily, list_tries, read_database_day
from skill_arcade.web.current_user import OptionalUser, UserId
from skill_arcade.web.daily import TRY_USED
from skill_arcade.web.models.boards import BoardRow, DailyChallenge, DailyReveal, DailyTicketRequest
from skill_arcade.web.models.play import Ticket
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.boards import make_row
from skill_arcade.web.state import State

router = APIRouter(tags=["boards"])


@router.get("/challenges/today", responses=problem_answers(401, 503))
async def read_daily(user: OptionalUser, state: State) -> DailyChallenge:
    """Return today's challenge, the commitments of today and tomorrow, and yesterday's key."""
    async with request_transaction(state.engine) as connection:
        today = await read_database_day(connection)
        challenge = await state.daily.find(connection, today)
        following = await state.daily.find(connection, today + timedelta(days=1))
        tries = [] if user is None else await list_tries(connection, user.user_id, today)
        n_players, own = await _read_rank(connection, challenge.game_id, today, None if user is None else user.user_id)
        previous = await _reveal(connection, today - timedelta(days=1))
    game = state.catalogue.games.get(challenge.game_id)
    return DailyChallenge(
        day=today,
        game_id=challenge.game_id,
        game_name=challenge.game_id if game is None else game.name,
        time_ends=start_of_day(today) + timedelta(days=1),
        sticky_actions=bool(challenge.arguments),
        commitment=challenge.commitment,
        next_commitment=following.commitment,
        previous=previous,
        has_tried=None if user is None else bool(tries),
        own_episode=tries[0] if tries else None,
        n_players=n_players,
        own=own,
    )


@router.post("/challenges/tickets", responses=problem_answers(401, 403, 404, 409, 422, 429, 503))
async def issue_daily_ticket(body: DailyTicketRequest, user_id: UserId, state: State) -> Ticket:
    """Issue a ticket that opens one connection to the day's challenge within 60 s. There is one try a day.

    While the try is open, its player gets further tickets, to reconnect.
    """
    day = body.day.isoformat()
    state.cooldowns.check(user_id)
    state.tickets.check(user_id)
    await state.consents.check_play(user_id, is_daily=True)
    is_running = state.sessions.is_daily_running(user_id, day)
    if is_running is False:
        raise AlreadyPlayed(TRY_USED)
    if is_running is None:
        await state.daily.check_try(user_id, body.day)
    issued = state.tokens.issue_ticket(user_id, await state.daily.read_game_id(body.day), daily=day)
    socket = await state.placement.find_socket(user_id)
    return Ticket(ticket=issued.token, expires_at=issued.expires_at, socket=socket)


async def _reveal(connection: AsyncConnection, day: date) -> DailyReveal | None:
    past = await get_daily(connection, day)
    if past is None:
        return None
    return DailyReveal(
        day=day,
        game_id=past.game_id,
        commitment=past.commitment,
        key=past.key,
        seed=derive_seed(past.key, day, past.game_id),
    )


async def _read_rank(
    connection: AsyncConnection, game_id: str, day: date, user_id: str | None
) -> tuple[int, BoardRow | None]:
    board = await find_current_board(connection, game_id, f"daily={day.isoformat()}")
    if board is None:
        return 0, None
    standing = None if user_id is None else await find_standing(connection, board.id, ALL_TIME, user_id)
    n_players = await count_players(connection, board.id, ALL_TIME)
    return n_players, None if standing is None else make_row(standing, user_id)
