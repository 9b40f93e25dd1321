"""Routes from which pages load the emulator and ROMs for lockstep. They are disabled unless LOCKSTEP is on."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from skill_arcade.environments.atari import find_rom
from skill_arcade.errors import NotFound
from skill_arcade.web.assets import IMMUTABLE, send_asset
from skill_arcade.web.current_user import UserId
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.routes.games import find_game
from skill_arcade.web.state import State

router = APIRouter(prefix="/lockstep", tags=["lockstep"])
# ROMs are for signed-in users only, so shared caches must not store them.
OWN_CACHE = "private, max-age=31536000, immutable"


@router.get(
    "/{digest}.wasm",
    response_class=Response,
    responses={200: {"content": {"application/wasm": {}}, "description": "the emulator"}, **problem_answers(404, 422)},
)
async def read_emulator(request: Request, digest: str, state: State) -> Response:
    """Return the emulator module with this SHA-256, if it is the current one."""
    emulator = await state.emulator.get()
    if emulator is None or emulator.digest != digest:
        raise NotFound("Emulator not found. Reload the page.")
    return send_asset(emulator.asset, request.headers, IMMUTABLE)


@router.get(
    "/roms/{game_id}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "the ROM"},
        **problem_answers(401, 404, 422),
    },
)
async def read_rom(game_id: str, user_id: UserId, state: State) -> Response:
    """Return a game's ROM to a signed-in user. Its URL changes with its content (`v`)."""
    del user_id
    environment = state.catalogue.games[find_game(state, game_id).id].environment
    path = find_rom(environment) if await state.emulator.get() is not None else None
    if path is None:
        raise NotFound("This server has no ROM of this game; the game is streamed.")
    return Response(path.read_bytes(), headers={"cache-control": OWN_CACHE}, media_type="application/octet-stream")
