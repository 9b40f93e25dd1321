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
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from skill_arcade.errors import NotSignedIn
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS

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
class PlayTicket:
    """What a play ticket is for: its user, and the day of a challenge (ISO 8601), an episode to race, or a trial.

    `trial` is the key of a trial of a study. `branch` is the episode, and the number of the frame, to play from.
    `agent` is the one that plays until the person takes over.
    """

    user_id: str
    daily: str | None = None
    ghost: UUID | None = None
    trial: str | None = None
    branch: tuple[UUID, int] | None = None
    agent_version: int | None = None
    """Number of the version of the agent that plays, or None."""
    agent: str | None = None
    is_preparation: bool = False
    """The game is only prepared, and ends if nobody plays it soon (rule O40)."""
    nonce: str = ""
    """Random part of the ticket, by which other servers know that it was used."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a session token belongs to, their roles until it expires, and when it was issued (Unix time)."""

    user_id: str
    roles: tuple[str, ...] = ()
    issued_at: float = 0.0


class Tokens:
    """Issues and verifies tokens, signed with HMAC-SHA256 by keys that are derived from secrets.

    Tokens are signed but not encrypted: they contain a user id, which reveals nothing without the secret, and no e-mail
    address. Used tickets are known to this process only; `GameLeases` knows those that other servers have accepted.
    """

    def __init__(
        self,
        secret: str,
        now: Callable[[], float] = time.time,
        *,
        previous: str | None = None,
        user_id_secret: str | None = None,
    ) -> None:
        """`secret` signs; tokens that `previous` has signed are still read. `user_id_secret` is never changed."""
        self._now = now
        id_secret = user_id_secret or secret
        self._id_key = hmac.digest(id_secret.encode(), b"skill-arcade user id", hashlib.sha256)
        ring = [previous, secret] if previous else [secret]
        self._sessions = _serializer(ring, "session")
        self._tickets = _serializer(ring, "play ticket")
        self._exports = _serializer(ring, "export ticket")
        self._redeemed: OrderedDict[str, None] = OrderedDict()
        self._downloaded: OrderedDict[str, None] = OrderedDict()

    @property
    def used_ticket_count(self) -> int:
        """Number of used tickets that are remembered."""
        return len(self._redeemed)

    def user_id(self, email: str) -> str:
        """Derive the user id from a normalised e-mail address or another account name: 128 bits in hexadecimal."""
        return hmac.digest(self._id_key, email.encode(), hashlib.sha256).hex()[:32]

    def issue_session(self, user_id: str, roles: Sequence[str] = ()) -> IssuedToken:
        """Issue a session token for 12 hours. A revoked role is valid until then or until a sign-out."""
        role_field = {"roles": " ".join(roles)} if roles else {}
        return self._issue(self._sessions, SESSION_SECONDS, user=user_id, **role_field)

    def read_identity(self, token: str) -> Identity:
        """Return the user and roles of a session token. Raises NotSignedIn if it is invalid or expired."""
        payload = self._read(self._sessions, token, "Your session has expired. Sign in again.")
        issued_at = payload["end"] - SESSION_SECONDS
        return Identity(str(payload["user"]), tuple(str(payload.get("roles", "")).split()), issued_at)

    def issue_ticket(
        self,
        user_id: str,
        game_id: str,
        *,
        daily: str | None = None,
        ghost: UUID | None = None,
        trial: str | None = None,
        branch: tuple[UUID, int] | None = None,
        agent_version: int | None = None,
        agent: str | None = None,
        is_preparation: bool = False,
    ) -> IssuedToken:
        """Issue a ticket that opens one connection to this game within 60 s.

        * `daily`: day (ISO 8601) whose challenge is played, or None.
        * `ghost`: an episode to race, or None.
        * `trial`: key of the trial of a study that is played, or None.
        * `branch`: an episode, and the number of its frame, to play from, or None.
        * `agent_version`: number of the version of the agent that plays, or None.
        * `agent`: name of the agent that plays until the person takes over, or None.
        * `is_preparation`: whether the game is only prepared.
        """
        fields = {"daily": daily, "ghost": None if ghost is None else str(ghost), "trial": trial, "agent": agent}
        fields["branch"] = None if branch is None else f"{branch[0]}/{branch[1]}"
        fields["agent_version"] = None if agent_version is None else str(agent_version)
        fields["prepares"] = "yes" if is_preparation else None
        chosen = {name: value for name, value in fields.items() if value is not None}
        nonce = secrets.token_urlsafe(12)
        return self._issue(self._tickets, TICKET_SECONDS, user=user_id, game=game_id, once=nonce, **chosen)

    def redeem_ticket(self, ticket: str, game_id: str) -> PlayTicket:
        """Return what a play ticket is for, and mark the ticket as used.

        Raises:
            NotSignedIn: the ticket is invalid, expired, used, or for another game.
        """
        message = REASONS[CloseCode.BAD_TICKET]
        payload = self._read(self._tickets, ticket, message)
        if payload["game"] != game_id or not _mark_used(self._redeemed, payload["once"]):
            raise NotSignedIn(message)
        ghost, agent_version = payload.get("ghost"), payload.get("agent_version")
        return PlayTicket(
            str(payload["user"]),
            payload.get("daily"),
            None if ghost is None else UUID(str(ghost)),
            payload.get("trial"),
            _read_branch(payload.get("branch")),
            None if agent_version is None else int(agent_version),
            payload.get("agent"),
            "prepares" in payload,
            str(payload["once"]),
        )

    def issue_export(self, selection: str, seconds: int = EXPORT_SECONDS) -> IssuedToken:
        """Issue a ticket with which an export can be downloaded once within an hour, and its progress read."""
        return self._issue(self._exports, seconds, wanted=selection, once=secrets.token_urlsafe(12))

    def redeem_export(self, ticket: str) -> str:
        """Mark an export ticket as used: it is in an address, and addresses are logged. Return its nonce.

        Raises:
            NotSignedIn: the ticket is invalid, expired or used.
        """
        message = "This download link has been used. Request a new one."
        nonce = str(self._read(self._exports, ticket, message)["once"])
        if not _mark_used(self._downloaded, nonce):
            raise NotSignedIn(message)
        return nonce

    def read_export(self, ticket: str) -> str:
        """Return the `selection` of an export ticket. Raises NotSignedIn if it is invalid or expired."""
        message = "This download link is invalid or has expired. Request a new one."
        return str(self._read(self._exports, ticket, message)["wanted"])

    def restore_export(self, ticket: str) -> None:
        """Make a used export ticket valid again, because the download could not be started."""
        payload = self._read(self._exports, ticket, "")
        self._downloaded.pop(str(payload["once"]), None)

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


def _read_branch(value: str | None) -> tuple[UUID, int] | None:
    if value is None:
        return None
    episode, _, frame = value.partition("/")
    return UUID(episode), int(frame)


def _mark_used(used: OrderedDict[str, None], nonce: str) -> bool:
    """Remember a ticket as used. Return False if it was used before.

    It is not forgotten by time, because the clock may be set back, after which the ticket would be valid again.
    """
    if nonce in used:
        return False
    used[nonce] = None
    if len(used) > MAX_USED_TICKETS:
        used.popitem(last=False)
    return True


def _serializer(ring: Sequence[str], purpose: str) -> URLSafeSerializer:
    """Make a signer for one purpose, whose tokens are invalid for any other. The last key of the ring signs."""
    return URLSafeSerializer(
        list(ring),
        salt=f"skill-arcade {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
