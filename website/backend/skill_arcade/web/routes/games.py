"""Routes for the game catalogue."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from skill_arcade.errors import NotFound
from skill_arcade.web.assets import IMMUTABLE, REVALIDATE, Asset, send_asset
from skill_arcade.web.models.games import Game
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import AppState, State

router = APIRouter(prefix="/games", tags=["games"])
PICTURES: dict[str, dict[str, str]] = {"image/webp": {}, "image/png": {}}


@router.get("", response_model=list[Game])
async def list_games(request: Request, state: State) -> Response:
    """List the games that can be played on this server."""
    return send_asset(state.assets.listing, request.headers, REVALIDATE)


@router.get("/{game_id}", responses=problem_answers(404, 422))
async def read_game(game_id: str, state: State) -> Game:
    """Return a game by its id, or by a former one."""
    return find_game(state, game_id)


@router.get(
    "/{game_id}/cover",
    response_class=Response,
    responses={200: {"content": PICTURES, "description": "the cover"}, **problem_answers(404, 422)},
)
async def read_cover(
    request: Request,
    game_id: str,
    state: State,
    v: Annotated[
        str | None, Query(max_length=64, description="version of the file; with it the response may be cached for ever")
    ] = None,
) -> Response:
    """Return the cover of a game."""
    game = find_game(state, game_id)
    return _send_picture(request, state.assets.cover(game.id), game_id, v)


@router.get(
    "/{game_id}/preview",
    response_class=Response,
    responses={200: {"content": PICTURES, "description": "the animated preview"}, **problem_answers(404, 422)},
)
async def read_preview(
    request: Request,
    game_id: str,
    state: State,
    v: Annotated[
        str | None, Query(max_length=64, description="version of the file; with it the response may be cached for ever")
    ] = None,
) -> Response:
    """Return the animated preview of a game."""
    game = find_game(state, game_id)
    return _send_picture(request, state.assets.preview(game.id), game_id, v)


def _send_picture(request: Request, picture: Asset | None, game_id: str, version: str | None) -> Response:
    if picture is None:
        raise NotFound(f"The game {game_id!r} has no such picture.")
    is_current = version and picture.tag.startswith(version)
    return send_asset(picture, request.headers, IMMUTABLE if is_current else REVALIDATE)


def find_game(state: AppState, game_id: str) -> Game:
    """Return the game with this id or former id. Raises NotFound if there is none."""
    alias = state.catalogue.aliases.get(game_id)
    game = state.assets.game(game_id if alias is None else alias.game_id)
    if game is None:
        raise NotFound(f"Game {game_id[:100]!r} not found. GET /games lists all games.")
    return game
