"""Authentication of requests: dependencies that read the session token of the `Authorization: Bearer` header."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from skill_arcade.errors import NotAllowed, NotSignedIn
from skill_arcade.web.state import State
from skill_arcade.web.tokens import Identity

bearer = HTTPBearer(auto_error=False, description="token of POST /auth/login")


async def authenticate(
    state: State, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Identity:
    """Return the user who sent the request.

    Raises:
        NotSignedIn: the token is missing, invalid or expired, its user was signed out, or its account is gone.
    """
    if credentials is None:
        raise NotSignedIn("You are not signed in. Sign in, and send the header Authorization: Bearer TOKEN.")
    identity = state.tokens.read_identity(credentials.credentials)
    await state.users.check_known(identity.user_id, identity.issued_at)
    return identity


CurrentUser = Annotated[Identity, Depends(authenticate)]


async def authenticate_if_signed_in(
    state: State, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Identity | None:
    """Return the user who sent the request, or None without a session. Raises NotSignedIn for an invalid one."""
    return None if credentials is None else await authenticate(state, credentials)


OptionalUser = Annotated[Identity | None, Depends(authenticate_if_signed_in)]


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
