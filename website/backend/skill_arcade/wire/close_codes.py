"""Close codes of the play socket. 4000-4999 are the application's (RFC 6455, section 7.4.2)."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a socket was closed by the server; `retry` says whether coming back at once makes sense."""

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
    GAME_CRASHED = 4050
    TOO_SLOW = 4051

    @property
    def is_retryable(self) -> bool:
        """True when the same player may connect again at once and go on."""
        return self in (CloseCode.GOING_AWAY, CloseCode.RESTARTING, CloseCode.TOO_SLOW)


REASONS: dict[CloseCode, str] = {
    CloseCode.NORMAL: "The game is over.",
    CloseCode.GOING_AWAY: "The server is going away; come back in a moment.",
    CloseCode.TOO_BIG: "That message is too big.",
    CloseCode.RESTARTING: "The server is restarting. What you played is kept; come back in a moment.",
    CloseCode.BAD_TICKET: "This play ticket is wrong, used or too old; open the game again.",
    CloseCode.UNKNOWN_GAME: "There is no such game here.",
    CloseCode.TAKEN_OVER: "This game goes on in another tab.",
    CloseCode.BAD_MESSAGE: "The page sent something that the server does not understand; reload it.",
    CloseCode.RATE_LIMITED: "Too many messages.",
    CloseCode.SERVER_FULL: "All seats are taken; try again in a few minutes.",
    CloseCode.RECORDING_UNAVAILABLE: "Recording has no room at the moment, so no new game starts; try again later.",
    CloseCode.GAME_CRASHED: "The game crashed. What you played is kept.",
    CloseCode.TOO_SLOW: "The connection is too slow; come back in a moment.",
}
