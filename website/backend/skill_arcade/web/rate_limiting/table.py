"""The table of rate limits. `skill-arcade settings --markdown` shows it."""

from dataclasses import dataclass

from skill_arcade.wire.close_codes import CloseCode


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A burst, and the rate per second at which it is available again."""

    unit: str
    """What is counted."""
    key: str
    """What the limit is for: each one of these has a burst of its own."""
    rate: float
    burst: float
    answer: str
    """What a client gets that exceeds the limit."""
    is_scaled: bool = False
    """Rate and burst are multiplied by the setting `RATE_LIMIT_BURST`."""

    def scale(self, factor: float) -> "RateLimit":
        """Return the limit with the setting `RATE_LIMIT_BURST` applied."""
        return RateLimit(self.unit, self.key, self.rate * factor, self.burst * factor, self.answer)


CONNECTION, PLAYER, ADDRESS = "connection", "player", "client address"
_CLOSED, _ANSWERED = f"close code {CloseCode.RATE_LIMITED}", "status 429"
REFILL_SECONDS = 15.0
"""Time in which an empty burst of a client address is available again."""

MESSAGES = RateLimit("messages", CONNECTION, 200, 400, _CLOSED)
FRAMES = RateLimit("frames", CONNECTION, 250, 500, _CLOSED)
"""Frames of any kind: a little more than messages, which do not count the protocol's own pings."""
BYTES = RateLimit("bytes", CONNECTION, 64 * 1024, 256 * 1024, _CLOSED)
PROGRAM_MESSAGES = RateLimit("messages of a program", CONNECTION, 4000, 8000, _CLOSED)
"""A program that steps the game by itself (rule O24) sends a message for each step."""
PROGRAM_FRAMES = RateLimit("frames of a program", CONNECTION, 5000, 10_000, _CLOSED)
PROGRAM_BYTES = RateLimit("bytes of a program", CONNECTION, 1024 * 1024, 4 * 1024 * 1024, _CLOSED)
PLAYER_TICKETS = RateLimit("play tickets", PLAYER, 0.5, 20, _ANSWERED)
AGENT_TICKETS = RateLimit("play tickets of an agent", PLAYER, 0.2, 20, _ANSWERED)
"""An agent opens one connection for many episodes, and needs fewer tickets than a person."""
SIGN_INS = RateLimit("sign-ins", ADDRESS, 1 / REFILL_SECONDS, 1, _ANSWERED, is_scaled=True)
GAMES = RateLimit("games", ADDRESS, 1 / REFILL_SECONDS, 1, _ANSWERED, is_scaled=True)
SOCKETS = RateLimit("sockets", ADDRESS, 1 / REFILL_SECONDS, 1, _CLOSED, is_scaled=True)
REQUESTS = RateLimit("requests", ADDRESS, 50 / REFILL_SECONDS, 50, _ANSWERED, is_scaled=True)
"""Requests of any kind. The list of games loads a few hundred pictures."""

RATE_LIMITS = (
    *(MESSAGES, FRAMES, BYTES, PROGRAM_MESSAGES, PROGRAM_FRAMES, PROGRAM_BYTES),
    *(PLAYER_TICKETS, AGENT_TICKETS, SIGN_INS, GAMES, SOCKETS, REQUESTS),
)

LIMITED_PATHS = {
    ("POST", "/auth/login"): SIGN_INS,
    ("POST", "/auth/agents"): SIGN_INS,
    ("POST", "/play/tickets"): GAMES,
    ("POST", "/challenges/tickets"): GAMES,
    ("POST", "/studies/participants"): SIGN_INS,
    ("POST", "/studies/me/tickets"): GAMES,
}
"""Requests that have a stricter limit than `REQUESTS`."""
COOLDOWN_SECONDS = {CloseCode.RATE_LIMITED: 5.0, CloseCode.TOO_BIG: 1.0, CloseCode.BAD_MESSAGE: 1.0}
"""Cooldown after a protocol violation, during which the player gets no ticket and no connection."""
MAX_TRACKED_KEYS = 10_000
"""Players or addresses that a rate limiter tracks; the least recently used one is dropped."""
REJECTION_DELAY_SECONDS = 0.25
"""Delay before a 429 response is sent. It slows down clients that retry immediately and costs the server nothing."""
MAX_MESSAGE_BYTES = 64 * 1024
"""Maximum size of a message on the play socket. The largest of a page is 1,800 lockstep steps after a reconnect."""
