"""Routes for signing in."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import Discriminator, Tag

from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import Settings
from skill_arcade.web.agents import AGENT_ROLE
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models.accounts import (
    AgentSignIn,
    EmailMethod,
    EmailSignIn,
    FirebaseMethod,
    FirebaseSignIn,
    LoginMethod,
    LoginResult,
    Me,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.roles import ROLES, find_roles
from skill_arcade.web.state import AppState, State
from skill_arcade.web.users import normalise_email

router = APIRouter(prefix="/auth", tags=["auth"])


def _kind(body: Any) -> str:
    firebase = isinstance(body, FirebaseSignIn) or (isinstance(body, dict) and "id_token" in body)
    return "firebase" if firebase else "email"


Synthetic = Annotated[
    bool,
    Header(description="whether a program signs in, such as a smoke test; no view, export or question counts it"),
]
SignInBody = Annotated[
    Annotated[EmailSignIn, Tag("email")] | Annotated[FirebaseSignIn, Tag("firebase")], Discriminator(_kind)
]


@router.get("/login")
async def read_login_method(request: Request) -> LoginMethod:
    """Return the sign-in method of this server."""
    return describe_method(request.app.settings)


@router.post("/login", responses=problem_answers(401, 422, 429, 503))
async def sign_in(body: SignInBody, state: State, x_skill_arcade_synthetic: Synthetic = False) -> LoginResult:
    """Sign in, and return a session token that is valid for 12 hours.

    The body depends on the method that `GET /auth/login` returns.
    """
    if isinstance(body, FirebaseSignIn):
        return await _sign_in_by_firebase(body.id_token, state, is_synthetic=x_skill_arcade_synthetic)
    if state.firebase is not None:
        raise InvalidRequest("This server uses Firebase Authentication. Send id_token instead of email.")
    email = normalise_email(body.email)
    user_id = state.tokens.user_id(email)
    return await _sign_in_user(state, user_id, email, is_synthetic=x_skill_arcade_synthetic)


@router.post("/agents", responses=problem_answers(401, 422, 429, 503))
async def sign_in_agent(body: AgentSignIn, state: State) -> LoginResult:
    """Sign in as an agent, and return a session token that is valid for 12 hours (rule O33)."""
    user_id = await state.agents.sign_in(body.token)
    session = state.tokens.issue_session(user_id, [AGENT_ROLE])
    return LoginResult(token=session.token, user_id=user_id, email=None, roles=[], expires_at=session.expires_at)


async def _sign_in_by_firebase(id_token: str, state: AppState, *, is_synthetic: bool) -> LoginResult:
    if state.firebase is None:
        raise InvalidRequest("This server does not use Firebase Authentication. Send email instead of id_token.")
    account = await state.firebase.read_account(id_token)
    email = None if account.email is None else normalise_email(account.email)
    # Derived from the account, not from the e-mail address, so that a guest who adds an address keeps the id.
    user_id = state.tokens.user_id(f"firebase:{account.uid}")
    return await _sign_in_user(
        state, user_id, email, account.claims, is_synthetic=is_synthetic, proof_issued_at=account.issued_at
    )


async def _sign_in_user(
    state: AppState,
    user_id: str,
    email: str | None,
    claims: frozenset[str] = frozenset(),
    *,
    is_synthetic: bool,
    proof_issued_at: float | None = None,
) -> LoginResult:
    stored_id = await state.users.sign_in(user_id, email, is_synthetic=is_synthetic, proof_issued_at=proof_issued_at)
    roles = find_roles(state.settings, email, claims)
    session = state.tokens.issue_session(stored_id, roles)
    return LoginResult.model_validate(
        {
            "token": session.token,
            "user_id": stored_id,
            "email": email,
            "roles": list(roles),
            "expires_at": session.expires_at,
        }
    )


@router.get("/me", responses=problem_answers(401, 503))
async def read_me(user: CurrentUser, state: State) -> Me:
    """Return the user of the session token."""
    email = await state.users.find_email(user.user_id)
    return Me.model_validate(
        {"user_id": user.user_id, "email": email, "roles": [role for role in user.roles if role in ROLES]}
    )


def describe_method(settings: Settings) -> EmailMethod | FirebaseMethod:
    """Describe the sign-in settings for the page."""
    if settings.sign_in_method != "firebase":
        return EmailMethod(method="email")
    google_client_id = settings.firebase_google_client_id
    emulator = settings.firebase_auth_emulator_host
    return FirebaseMethod.model_validate(
        {
            "method": "firebase",
            "project_id": settings.firebase_project_id,
            "api_key": settings.firebase_api_key,
            "providers": [
                provider
                for provider in settings.firebase_providers
                if provider != "google" or google_client_id is not None
            ],
            "google_client_id": google_client_id,
            "emulator": None if emulator is None else f"http://{emulator}",
        }
    )
