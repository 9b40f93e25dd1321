"""User accounts: sign-in, e-mail addresses, guests, erasure, and a short-lived cache of known user ids."""

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
# Marks guests in the user table. A guest has no e-mail address, an erased account has NULL.
GUEST_EMAIL_SUFFIX = "@anonymous.invalid"
ACCOUNT_GONE = "This account does not exist any more. Sign in again."


def normalise_email(text: str) -> str:
    """Return the normalised spelling of an e-mail address.

    It is lower case throughout: no common mail server distinguishes `Ada@` from `ada@`, but people type both.

    Raises:
        InvalidRequest: the text is not an e-mail address.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidRequest(f"Invalid e-mail address: {error}") from None


class UserService:
    """The user table, with a cache of ids that exist.

    While the database is unavailable, a player whose connection dropped can still reconnect, because their id is
    cached. While it is available, entries expire after a minute, so that an account that another server has erased is
    rejected soon.
    """

    def __init__(self, engine: AsyncEngine, now: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._now = engine, now
        self._cache: dict[str, float] = {}

    async def sign_in(self, user_id: str, email: str | None) -> str:
        """Store that this user has signed in, and return their id. `email` is None for a guest."""
        async with request_transaction(self._engine) as connection:
            stored_id = await upsert_user(connection, user_id, email or f"{user_id}{GUEST_EMAIL_SUFFIX}")
        self._add_to_cache(stored_id)
        return stored_id

    async def find_email(self, user_id: str) -> str | None:
        """Return the user's e-mail address, or None for a guest.

        Raises:
            NotSignedIn: the user does not exist or was erased.
        """
        async with request_transaction(self._engine) as connection:
            user = await get_user(connection, user_id)
        if user is None or user.email is None:
            self._cache.pop(user_id, None)
            raise NotSignedIn(ACCOUNT_GONE)
        self._add_to_cache(user_id)
        return None if user.email.endswith(GUEST_EMAIL_SUFFIX) else str(user.email)

    async def check_known(self, user_id: str) -> None:
        """Check that the user exists, so that their episodes can be stored.

        A valid token is not sufficient: it may be older than a new database or than an erasure.

        Raises:
            NotSignedIn: the user does not exist or was erased.
            NotReady: the database is unavailable and the user is not cached.
        """
        cached_at = self._cache.get(user_id)
        if cached_at is not None and self._now() - cached_at < CACHE_SECONDS:
            return
        try:
            await self.find_email(user_id)
        except NotReady:
            if cached_at is None:
                raise

    async def close_account(self, user_id: str) -> None:
        """Begin the erasure of an account, which invalidates all of its tokens.

        Raises:
            NotSignedIn: the user does not exist.
        """
        async with request_transaction(self._engine) as connection:
            exists = await begin_erasure(connection, user_id)
        self._cache.pop(user_id, None)
        if not exists:
            raise NotSignedIn(ACCOUNT_GONE)

    def _add_to_cache(self, user_id: str) -> None:
        self._cache.pop(user_id, None)
        self._cache[user_id] = self._now()
        if len(self._cache) > MAX_CACHED_USERS:
            del self._cache[next(iter(self._cache))]
