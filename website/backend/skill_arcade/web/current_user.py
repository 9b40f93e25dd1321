"""Who is asking: the token of the `Authorization: Bearer` header."""

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
    """Return who asks; NotSignedIn without a good token of an account that is still there."""
    if credentials is None:
        raise NotSignedIn("Sign in first: this needs the header Authorization: Bearer TOKEN.")
    identity = state.tokens.read_identity(credentials.credentials)
    await state.users.check_known(identity.user_id)
    return identity


CurrentUser = Annotated[Identity, Depends(authenticate)]


async def current_user_id(someone: CurrentUser) -> str:
    """Return the id of the user who asks."""
    return someone.user_id


async def require_researcher(someone: CurrentUser) -> str:
    """Return the id of the researcher who asks; NotAllowed to anybody else."""
    return _require_role("researcher", someone)


async def governing(someone: CurrentUser) -> str:
    """Return the id of the admin who asks; NotAllowed to anybody else."""
    return _require_role("admin", someone)


def _require_role(role: str, someone: Identity) -> str:
    if role not in someone.roles:
        raise NotAllowed(f"This needs the role {role}; whoever runs this arcade gives it. Then sign in again.")
    return someone.user_id


UserId = Annotated[str, Depends(current_user_id)]
Researcher = Annotated[str, Depends(require_researcher)]
Admin = Annotated[str, Depends(governing)]
