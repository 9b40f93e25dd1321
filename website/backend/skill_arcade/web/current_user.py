"""Authentication of requests: dependencies that read the session token of the `Authorization: Bearer` header."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from skill_arcade.errors import NotAllowed, NotSignedIn
from skill_arcade.web.state import State
from skill_arcade.web.tokens import Identity

_bearer = HTTPBearer(auto_error=False, description="token of POST /auth/login")


async def authenticate(
    state: State, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Identity:
    """Return the user who sent the request.

    Raises:
        NotSignedIn: the token is missing, invalid or expired, or its account does not exist any more.
    """
    if credentials is None:
        raise NotSignedIn("You are not signed in. Sign in, and send the header Authorization: Bearer TOKEN.")
    identity = state.tokens.read_identity(credentials.credentials)
    await state.users.check_known(identity.user_id)
    return identity


CurrentUser = Annotated[Identity, Depends(authenticate)]


async def current_user_id(user: CurrentUser) -> str:
    """Return the id of the user who sent the request."""
    return user.user_id


async def require_researcher(user: CurrentUser) -> str:
    """Return the id of the user who sent the request. Raises NotAllowed without the role researcher."""
    if "researcher" not in user.roles:
        raise NotAllowed("This requires the role researcher. Ask the operator for it, then sign in again.")
    return user.user_id


UserId = Annotated[str, Depends(current_user_id)]
Researcher = Annotated[str, Depends(require_researcher)]
