"""Signing in."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Discriminator, Tag

from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import Settings
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models import EmailMethod, FirebaseMethod, FirebaseSignIn, LoginMethod, Me, SignedIn, SignIn
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.roles import find_roles
from skill_arcade.web.state import AppState, State
from skill_arcade.web.users import normalise_email

router = APIRouter(prefix="/auth", tags=["auth"])


def _kind(body: Any) -> str:
    firebase = isinstance(body, FirebaseSignIn) or (isinstance(body, dict) and "id_token" in body)
    return "firebase" if firebase else "email"


SignInBody = Annotated[
    Annotated[SignIn, Tag("email")] | Annotated[FirebaseSignIn, Tag("firebase")], Discriminator(_kind)
]


@router.get("/login")
async def read_login_method(request: Request) -> LoginMethod:
    """Say how one signs in here."""
    return describe_method(request.app.settings)


@router.post("/login", responses=problem_answers(401, 422, 429, 503))
async def sign_in(body: SignInBody, state: State) -> SignedIn:
    """Sign in, by e-mail or by Firebase's ID token as `GET /auth/login` says; the answer's token holds for 12 hours."""
    if isinstance(body, FirebaseSignIn):
        return await _sign_in_by_firebase(body.id_token, state)
    if state.firebase is not None:
        raise InvalidRequest("One signs in by Firebase here: send its id_token, as GET /auth/login describes.")
    email = normalise_email(body.email)
    return await _sign_in_user(state, state.tokens.user_id(email), email)


async def _sign_in_by_firebase(id_token: str, state: AppState) -> SignedIn:
    if state.firebase is None:
        raise InvalidRequest("One signs in by e-mail here: send an email, as GET /auth/login describes.")
    account = await state.firebase.read_account(id_token)
    email = None if account.email is None else normalise_email(account.email)
    # Of the account rather than the e-mail: a guest who gives one later stays the same person.
    return await _sign_in_user(state, state.tokens.user_id(f"firebase:{account.uid}"), email, account.claims)


async def _sign_in_user(
    state: AppState, user_id: str, email: str | None, claims: frozenset[str] = frozenset()
) -> SignedIn:
    kept_id = await state.users.sign_in(user_id, email)
    roles = find_roles(state.settings, email, claims)
    session = state.tokens.issue_session(kept_id, roles)
    return SignedIn.model_validate(
        {
            "token": session.token,
            "user_id": kept_id,
            "email": email,
            "roles": list(roles),
            "expires_at": session.expires_at,
        }
    )


@router.get("/me", responses=problem_answers(401, 503))
async def read_me(someone: CurrentUser, state: State) -> Me:
    """Say whose token this is."""
    email = await state.users.find_email(someone.user_id)
    return Me.model_validate({"user_id": someone.user_id, "email": email, "roles": list(someone.roles)})


def describe_method(settings: Settings) -> EmailMethod | FirebaseMethod:
    """Put the settings of signing in as the page needs them."""
    if settings.sign_in_method != "firebase":
        return EmailMethod(method="email")
    google = settings.firebase_google_client_id
    stand_in = settings.firebase_auth_emulator_host
    return FirebaseMethod.model_validate(
        {
            "method": "firebase",
            "project_id": settings.firebase_project_id,
            "api_key": settings.firebase_api_key,
            "providers": [way for way in settings.firebase_providers if way != "google" or google is not None],
            "google_client_id": google,
            "emulator": None if stand_in is None else f"http://{stand_in}",
        }
    )
