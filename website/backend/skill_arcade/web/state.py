"""What lives as long as the server does, and how a route gets at it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from skill_arcade.games.catalogue import Catalogue
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.settings import Settings
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.web.emulator_cache import EmulatorCache
from skill_arcade.web.exports import Exports
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.token_bucket import Cooldowns, KeyedRateLimiter
from skill_arcade.web.tokens import Tokens
from skill_arcade.web.users import UserService

if TYPE_CHECKING:  # heavy, and needed only where one signs in by it
    from skill_arcade.web.firebase import Firebase


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts that the lifespan opened."""

    settings: Settings
    tokens: Tokens
    catalogue: Catalogue
    assets: GameAssets
    engine: AsyncEngine
    users: UserService
    objects: ObjectStore
    firebase: "Firebase | None"
    sessions: SessionManager
    emulator: EmulatorCache
    exports: Exports
    tickets: KeyedRateLimiter
    cooldowns: Cooldowns


# Asynchronous, though it waits for nothing: the framework hands what is not to a thread, at every request.
async def app_state(connection: HTTPConnection) -> AppState:
    """Give a route (HTTP or socket) the server's parts."""
    state: AppState = connection.state.arcade
    return state


State = Annotated[AppState, Depends(app_state)]
