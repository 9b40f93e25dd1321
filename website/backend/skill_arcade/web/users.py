"""User accounts: sign-in, e-mail addresses, guests, erasure, and a short-lived cache of known user ids."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import InvalidRequest, NotReady, NotSignedIn
from skill_arcade.storage.database.erasures import begin_erasure
from skill_arcade.storage.database.queries import get_user, upsert_user
from skill_arcade.web.request_transaction import request_transaction

MAX_CACHED_USERS = 10_000
CACHE_SECONDS = 60.0
# Marks guests in the user table. A guest has no e-mail address, an erased account has NULL.
GUEST_EMAIL_SUFFIX = "@anonymous.invalid"
SIGNED_OUT = "You were signed out. Sign in again."
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


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user that exists. `cached_at` is on the monotonic clock, `signed_out_at` is Unix time or 0."""

    cached_at: float
    signed_out_at: float


class UserService:
    """The user table, with a cache of ids that exist.

    While the database is unavailable, a player whose connection dropped can still reconnect, because their id is
    cached. While it is available, entries expire after a minute, so that an account that another server has erased is
    rejected soon.
    """

    def __init__(self, engine: AsyncEngine, now: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._now = engine, now
        self._cache: dict[str, KnownUser] = {}

    async def sign_in(
        self, user_id: str, email: str | None, *, is_synthetic: bool = False, proof_issued_at: float | None = None
    ) -> str:
        """Store that this user has signed in, and return their id. `email` is None for a guest.

        `is_synthetic` marks a program, whose episodes no view counts. `proof_issued_at` is the Unix time of the ID
        token, if there is one.

        Raises:
            NotSignedIn: the user was signed out after the ID token was issued.
        """
        async with request_transaction(self._engine) as connection:
            address = email or f"{user_id}{GUEST_EMAIL_SUFFIX}"
            stored_id = await upsert_user(connection, user_id, address, is_synthetic=is_synthetic)
            known = self._add_to_cache(stored_id, await get_user(connection, stored_id))
            if proof_issued_at is not None and proof_issued_at <= known.signed_out_at:
                raise NotSignedIn(SIGNED_OUT)
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
        self._add_to_cache(user_id, user)
        return None if user.email.endswith(GUEST_EMAIL_SUFFIX) else str(user.email)

    async def check_known(self, user_id: str, issued_at: float | None = None) -> None:
        """Check that the user exists, so that their episodes can be stored, and has not been signed out.

        A valid token is not sufficient: it may be older than a new database, than an erasure or than a sign-out.

        Args:
            user_id: id of the user.
            issued_at: Unix time at which the user's session token was issued, or None without one.

        Raises:
            NotSignedIn: the user does not exist, was erased, or was signed out after `issued_at`.
            NotReady: the database is unavailable and the user is not cached.
        """
        known = self._cache.get(user_id)
        if known is None or self._now() - known.cached_at >= CACHE_SECONDS:
            try:
                await self.find_email(user_id)
                known = self._cache[user_id]
            except NotReady:
                if known is None:
                    raise
        if issued_at is not None and issued_at <= known.signed_out_at:
            raise NotSignedIn(SIGNED_OUT)

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

    def _add_to_cache(self, user_id: str, row: Row[Any] | None) -> KnownUser:
        self._cache.pop(user_id, None)
        signed_out = None if row is None else row.time_signed_out
        known = self._cache[user_id] = KnownUser(self._now(), 0.0 if signed_out is None else signed_out.timestamp())
        if len(self._cache) > MAX_CACHED_USERS:
            del self._cache[next(iter(self._cache))]
        return known
