"""Close codes of the play socket. Codes from 4000 to 4999 are application-defined (RFC 6455, section 7.4.2)."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed a connection."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009
    RESTARTING = 1012
    BAD_TICKET = 4001
    UNKNOWN_GAME = 4004
    TAKEN_OVER = 4009
    BAD_MESSAGE = 4022
    RATE_LIMITED = 4029
    SERVER_FULL = 4030
    RECORDING_UNAVAILABLE = 4031
    IDLE = 4032
    GAME_CRASHED = 4050
    TOO_SLOW = 4051

    @property
    def is_retryable(self) -> bool:
        """True if the same player may reconnect at once and continue."""
        return self in (CloseCode.GOING_AWAY, CloseCode.RESTARTING, CloseCode.TOO_SLOW)


REASONS: dict[CloseCode, str] = {
    CloseCode.NORMAL: "The game has ended.",
    CloseCode.GOING_AWAY: "The server is shutting down. Reconnect in a moment.",
    CloseCode.TOO_BIG: "The message is too large. Reload the page.",
    CloseCode.RESTARTING: "The server is restarting. Everything you played is saved. Reconnect in a moment.",
    CloseCode.BAD_TICKET: "The play ticket is invalid, used or expired. Open the game again.",
    CloseCode.UNKNOWN_GAME: "Game not found. Choose another game.",
    CloseCode.TAKEN_OVER: "This game was opened in another tab.",
    CloseCode.BAD_MESSAGE: "The server received an invalid message. Reload the page.",
    CloseCode.RATE_LIMITED: "Rate limit exceeded: too many messages. Try again in a few seconds.",
    CloseCode.SERVER_FULL: "The server is full. Try again in a few minutes.",
    CloseCode.RECORDING_UNAVAILABLE: "New games cannot start because recording is unavailable. Try again later.",
    CloseCode.IDLE: "You have not played for a while, so your game was closed. Open the game again.",
    CloseCode.GAME_CRASHED: "The game crashed. Everything you played is saved.",
    CloseCode.TOO_SLOW: "The connection is too slow. Reconnect in a moment.",
}
