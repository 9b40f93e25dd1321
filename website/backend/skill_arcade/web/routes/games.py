"""Which games there are."""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from skill_arcade.errors import NotFound
from skill_arcade.web.models import Game
from skill_arcade.web.problems import problem_answers

router = APIRouter(prefix="/games", tags=["games"])
PICTURES: dict[str, dict[str, str]] = {"image/webp": {}, "image/png": {}}


@router.get("")
async def list_games() -> list[Game]:
    """List the games that one can play here."""
    return []


@router.get("/{game_id}", responses=problem_answers(404, 422))
async def read_game(game_id: str) -> Game:
    """Tell about one game."""
    raise NotFound(f"There is no game {game_id!r} here; GET /games lists them.")


@router.get(
    "/{game_id}/cover",
    response_class=FileResponse,
    responses={
        200: {"content": PICTURES, "description": "a picture of the game"},
        **problem_answers(404, 422),
    },
)
async def read_cover(game_id: str) -> FileResponse:
    """Send the game's picture."""
    raise NotFound(f"There is no game {game_id!r} here; GET /games lists them.")
