"""Signed tokens that end: a session to stay signed in, tickets to open one socket, once, or to download an export."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from skill_arcade.errors import NotSignedIn

SESSION_SECONDS = 12 * 3600
TICKET_SECONDS = 60
EXPORT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and the moment at which it ends."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, and what more they may do until the token ends."""

    user_id: str
    roles: tuple[str, ...] = ()


class Tokens:
    """Issues and reads tokens, all signed (HMAC-SHA256) by keys that follow from one secret.

    Tokens are signed, not encrypted: they hold a user's id, which says nothing without the secret,
    and no e-mail. Which tickets are spent is known to this process only: where several serve, a
    ticket works once in each, for its 60 seconds.
    """

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._id_key = hmac.digest(secret.encode(), b"skill-arcade user id", hashlib.sha256)
        self._sessions = _serializer(secret, "session")
        self._tickets = _serializer(secret, "play ticket")
        self._exports = _serializer(secret, "export ticket")
        self._redeemed: dict[str, float] = {}

    @property
    def used_ticket_count(self) -> int:
        """How many spent tickets are remembered: those of about the last minute."""
        return len(self._redeemed)

    def user_id(self, email: str) -> str:
        """Derive the id of the person with this normalised e-mail, or other name: 128 bits, hexadecimal."""
        return hmac.digest(self._id_key, email.encode(), hashlib.sha256).hex()[:32]

    def issue_session(self, user_id: str, roles: Sequence[str] = ()) -> IssuedToken:
        """Sign in for 12 hours. A role that is taken away meanwhile holds as long as the token."""
        more = {"roles": " ".join(roles)} if roles else {}
        return self._issue(self._sessions, SESSION_SECONDS, user=user_id, **more)

    def read_session(self, token: str) -> str:
        """Return the user's id; NotSignedIn when the token is wrong or past its end."""
        return self.read_identity(token).user_id

    def read_identity(self, token: str) -> Identity:
        """Return who it is, with their roles; NotSignedIn when the token is wrong or past its end."""
        payload = self._read(self._sessions, token, "You are not signed in any more; sign in again.")
        return Identity(str(payload["user"]), tuple(str(payload.get("roles", "")).split()))

    def issue_ticket(self, user_id: str, game_id: str) -> IssuedToken:
        """Allow this user one socket of this game within 60 seconds."""
        return self._issue(self._tickets, TICKET_SECONDS, user=user_id, game=game_id, once=secrets.token_urlsafe(12))

    def redeem_ticket(self, ticket: str, game_id: str) -> str:
        """Return the user's id and spend the ticket; NotSignedIn when it is not (any more) good for this."""
        refusal = "This play ticket is wrong, used or too old; open the game again."
        payload = self._read(self._tickets, ticket, refusal)
        if payload["game"] != game_id or not self._mark_used(payload["once"], payload["end"]):
            raise NotSignedIn(refusal)
        return str(payload["user"])

    def issue_export(self, wanted: str) -> IssuedToken:
        """Allow who has this to download an export, for an hour, as often as it takes; `wanted` says which."""
        return self._issue(self._exports, EXPORT_SECONDS, wanted=wanted)

    def read_export(self, ticket: str) -> str:
        """Return what may be downloaded; NotSignedIn when the ticket is wrong or past its end."""
        refusal = "This download is not to be had any more; ask for it again on the page."
        return str(self._read(self._exports, ticket, refusal)["wanted"])

    def _issue(self, serializer: URLSafeSerializer, seconds: int, **payload: str) -> IssuedToken:
        end = int(self._now()) + seconds
        token = serializer.dumps({**payload, "end": end})
        return IssuedToken(token, datetime.fromtimestamp(end, UTC))

    def _read(self, serializer: URLSafeSerializer, token: str, refusal: str) -> dict[str, Any]:
        try:
            payload: dict[str, Any] = serializer.loads(token)
        except BadData:
            raise NotSignedIn(refusal) from None
        if payload["end"] <= self._now():
            raise NotSignedIn(refusal)
        return payload

    def _mark_used(self, once: str, end: float) -> bool:
        """Note a ticket as used until its end; False when it was used before."""
        now = self._now()
        for spent in [key for key, until in self._redeemed.items() if until <= now]:
            del self._redeemed[spent]
        if once in self._redeemed:
            return False
        self._redeemed[once] = end
        return True


def _serializer(secret: str, purpose: str) -> URLSafeSerializer:
    """Make a signer whose tokens no other purpose accepts."""
    return URLSafeSerializer(
        secret,
        salt=f"skill-arcade {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
