"""Who is asking: the token of the `Authorization: Bearer` header."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from skill_arcade.errors import NotSignedIn
from skill_arcade.web.state import State

_bearer = HTTPBearer(auto_error=False, description="token of POST /auth/login")


async def signed_in(state: State, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """Return the id of the user who asks; NotSignedIn without a good token."""
    if credentials is None:
        raise NotSignedIn("Sign in first: this needs the header Authorization: Bearer TOKEN.")
    return state.tokens.read_session(credentials.credentials)


UserId = Annotated[str, Depends(signed_in)]
