"""What lives as long as the server does, and how a route gets at it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from skill_arcade.games.catalogue import Catalogue
from skill_arcade.play.roster import Roster
from skill_arcade.settings import Settings
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.web.emulator import EmulatorShelf
from skill_arcade.web.exports import Exports
from skill_arcade.web.limits import Limits, Pauses
from skill_arcade.web.people import People
from skill_arcade.web.shelf import Shelf
from skill_arcade.web.tokens import Tokens

if TYPE_CHECKING:  # heavy, and needed only where one signs in by it
    from skill_arcade.web.firebase import Firebase


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts that the lifespan opened."""

    settings: Settings
    tokens: Tokens
    catalogue: Catalogue
    shelf: Shelf
    engine: AsyncEngine
    people: People
    objects: ObjectStore
    firebase: "Firebase | None"
    roster: Roster
    emulator: EmulatorShelf
    exports: Exports
    tickets: Limits
    pauses: Pauses


# Asynchronous, though it waits for nothing: the framework hands what is not to a thread, at every request.
async def app_state(connection: HTTPConnection) -> AppState:
    """Give a route (HTTP or socket) the server's parts."""
    state: AppState = connection.state.arcade
    return state


State = Annotated[AppState, Depends(app_state)]
