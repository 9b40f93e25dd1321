"""What lives as long as the server does, and how a route gets at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from skill_arcade.settings import Settings
from skill_arcade.web.tokens import Tokens


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts that the lifespan opened, in the order in which it opened them."""

    settings: Settings
    tokens: Tokens


def app_state(connection: HTTPConnection) -> AppState:
    """Give a route (HTTP or socket) the server's parts."""
    state: AppState = connection.state.arcade
    return state


State = Annotated[AppState, Depends(app_state)]
