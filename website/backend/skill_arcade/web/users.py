"""Who plays here: people by e-mail, guests, and what a player's id is good for."""

import time
from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import InvalidRequest, NotReady, NotSignedIn
from skill_arcade.storage.database.erasures import begin_erasure
from skill_arcade.storage.database.queries import get_user, upsert_user
from skill_arcade.web.request_transaction import request_transaction

MAX_CACHED_USERS = 10_000
CACHE_SECONDS = 60.0
# A guest has no e-mail, and an erased person had one: the table tells them apart by this.
GUEST = "@anonymous.invalid"
GONE = "This account is not here any more; sign in again."


def normalise_email(text: str) -> str:
    """Give the one spelling of an e-mail address; InvalidRequest, in words, when it is none.

    Lower case throughout: mail servers that tell `Ada@` from `ada@` exist on paper, people who type both do not.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidRequest(f"This is not an e-mail address: {error}") from None


class UserService:
    """The table of users, with a memory of who is surely in it.

    The memory spares play a question to the database: a player whose connection dropped comes back
    even while it is down. It is trusted for a minute, as long as the database answers: so an account that was erased
    by another server is refused here soon after.
    """

    def __init__(self, engine: AsyncEngine, now: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._now = engine, now
        self._known: dict[str, float] = {}

    async def sign_in(self, user_id: str, email: str | None) -> str:
        """Note that this person is here, and return the id that they have. With no `email`, it is a guest."""
        async with request_transaction(self._engine) as connection:
            kept_id = await upsert_user(connection, user_id, email or f"{user_id}{GUEST}")
        self._remember(kept_id)
        return kept_id

    async def find_email(self, user_id: str) -> str | None:
        """Return a user's e-mail, None of a guest; NotSignedIn when there is no such user or it was erased."""
        async with request_transaction(self._engine) as connection:
            user = await get_user(connection, user_id)
        if user is None or user.email is None:
            self._known.pop(user_id, None)
            raise NotSignedIn(GONE)
        self._remember(user_id)
        return None if user.email.endswith(GUEST) else str(user.email)

    async def check_known(self, user_id: str) -> None:
        """Return if there is such a user, so that an episode of theirs can be kept; NotSignedIn otherwise.

        A good token is not enough: it may be older than a database that was made anew, or than an erasure.
        """
        seen = self._known.get(user_id)
        if seen is not None and self._now() - seen < CACHE_SECONDS:
            return
        try:
            await self.find_email(user_id)
        except NotReady:
            if seen is None:
                raise

    async def close_account(self, user_id: str) -> None:
        """Sign this person out everywhere and record nothing more of them; NotSignedIn when there is no such user."""
        async with request_transaction(self._engine) as connection:
            there = await begin_erasure(connection, user_id)
        self._known.pop(user_id, None)
        if not there:
            raise NotSignedIn(GONE)

    def _remember(self, user_id: str) -> None:
        self._known.pop(user_id, None)
        self._known[user_id] = self._now()
        if len(self._known) > MAX_CACHED_USERS:
            del self._known[next(iter(self._known))]
