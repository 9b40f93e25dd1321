"""Signed tokens that expire: session tokens, one-time play tickets, and export tickets."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from skill_arcade.errors import NotSignedIn
from skill_arcade.wire.close_codes import REASONS, CloseCode

SESSION_SECONDS = 12 * 3600
TICKET_SECONDS = 60
EXPORT_SECONDS = 3600
MAX_USED_TICKETS = 100_000
"""Used tickets that are remembered. More than a player of each game can use within the 60 s of a ticket."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and its time of expiry."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a session token belongs to, and their roles until it expires."""

    user_id: str
    roles: tuple[str, ...] = ()


class Tokens:
    """Issues and verifies tokens, signed with HMAC-SHA256 by keys that are derived from one secret.

    Tokens are signed but not encrypted: they contain a user id, which reveals nothing without the secret, and no e-mail
    address. Used tickets are known to this process only: with several servers, a ticket works once on each until it
    expires after 60 s.
    """

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._id_key = hmac.digest(secret.encode(), b"skill-arcade user id", hashlib.sha256)
        self._sessions = _serializer(secret, "session")
        self._tickets = _serializer(secret, "play ticket")
        self._exports = _serializer(secret, "export ticket")
        self._redeemed: OrderedDict[str, None] = OrderedDict()

    @property
    def used_ticket_count(self) -> int:
        """Number of used tickets that are remembered."""
        return len(self._redeemed)

    def user_id(self, email: str) -> str:
        """Derive the user id from a normalised e-mail address or another account name: 128 bits in hexadecimal."""
        return hmac.digest(self._id_key, email.encode(), hashlib.sha256).hex()[:32]

    def issue_session(self, user_id: str, roles: Sequence[str] = ()) -> IssuedToken:
        """Issue a session token for 12 hours. A role that is revoked meanwhile remains valid until then."""
        role_field = {"roles": " ".join(roles)} if roles else {}
        return self._issue(self._sessions, SESSION_SECONDS, user=user_id, **role_field)

    def read_identity(self, token: str) -> Identity:
        """Return the user and roles of a session token. Raises NotSignedIn if it is invalid or expired."""
        payload = self._read(self._sessions, token, "Your session has expired. Sign in again.")
        return Identity(str(payload["user"]), tuple(str(payload.get("roles", "")).split()))

    def issue_ticket(self, user_id: str, game_id: str) -> IssuedToken:
        """Issue a ticket that opens one connection to this game within 60 s."""
        return self._issue(self._tickets, TICKET_SECONDS, user=user_id, game=game_id, once=secrets.token_urlsafe(12))

    def redeem_ticket(self, ticket: str, game_id: str) -> str:
        """Return the user id of a play ticket, and mark the ticket as used.

        Raises:
            NotSignedIn: the ticket is invalid, expired, used, or for another game.
        """
        message = REASONS[CloseCode.BAD_TICKET]
        payload = self._read(self._tickets, ticket, message)
        if payload["game"] != game_id or not self._mark_used(payload["once"]):
            raise NotSignedIn(message)
        return str(payload["user"])

    def issue_export(self, selection: str) -> IssuedToken:
        """Issue a ticket with which an export can be downloaded any number of times for an hour."""
        return self._issue(self._exports, EXPORT_SECONDS, wanted=selection)

    def read_export(self, ticket: str) -> str:
        """Return the `selection` of an export ticket. Raises NotSignedIn if it is invalid or expired."""
        message = "This download link is invalid or has expired. Request a new one."
        return str(self._read(self._exports, ticket, message)["wanted"])

    def _issue(self, serializer: URLSafeSerializer, seconds: int, **payload: str) -> IssuedToken:
        end = int(self._now()) + seconds
        token = serializer.dumps({**payload, "end": end})
        return IssuedToken(token, datetime.fromtimestamp(end, UTC))

    def _read(self, serializer: URLSafeSerializer, token: str, message: str) -> dict[str, Any]:
        try:
            payload: dict[str, Any] = serializer.loads(token)
        except BadData:
            raise NotSignedIn(message) from None
        if payload["end"] <= self._now():
            raise NotSignedIn(message)
        return payload

    def _mark_used(self, nonce: str) -> bool:
        """Remember a ticket as used. Return False if it was used before.

        It is not forgotten by time, because the clock may be set back, after which the ticket would be valid again.
        """
        if nonce in self._redeemed:
            return False
        self._redeemed[nonce] = None
        if len(self._redeemed) > MAX_USED_TICKETS:
            self._redeemed.popitem(last=False)
        return True


def _serializer(secret: str, purpose: str) -> URLSafeSerializer:
    """Make a signer for one purpose, whose tokens are invalid for any other."""
    return URLSafeSerializer(
        secret,
        salt=f"skill-arcade {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
