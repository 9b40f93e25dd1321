"""Signing in."""

from fastapi import APIRouter

from skill_arcade.web.bearer import UserId
from skill_arcade.web.models import EmailMethod, Me, SignedIn, SignIn
from skill_arcade.web.people import normalise_email
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import State

router = APIRouter(prefix="/auth", tags=["auth"])


@router.get("/login")
async def read_login_method() -> EmailMethod:
    """Say how one signs in here."""
    return EmailMethod(method="email")


@router.post("/login", responses=problem_answers(422, 503))
async def sign_in(body: SignIn, state: State) -> SignedIn:
    """Sign in by e-mail; the answer's token holds for 12 hours."""
    email = normalise_email(body.email)
    user_id = await state.people.welcome(state.tokens.user_id(email), email)
    session = state.tokens.issue_session(user_id)
    return SignedIn(token=session.token, user_id=user_id, email=email, expires_at=session.expires_at)


@router.get("/me", responses=problem_answers(401, 503))
async def read_me(user_id: UserId, state: State) -> Me:
    """Say whose token this is."""
    return Me(user_id=user_id, email=await state.people.find_email(user_id))
