"""Close codes of the play socket and of watchers.

Codes from 4000 to 4999 are application-defined (RFC 6455, section 7.4.2). `wire/error_table.py` has their texts.
"""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed a connection."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009
    RESTARTING = 1012
    BAD_TICKET = 4001
    CONSENT_REQUIRED = 4003
    UNKNOWN_GAME = 4004
    BAD_LINK = 4005
    WATCHING_ENDED = 4006
    TAKEN_OVER = 4009
    BAD_MESSAGE = 4022
    RATE_LIMITED = 4029
    SERVER_FULL = 4030
    RECORDING_UNAVAILABLE = 4031
    IDLE = 4032
    TOO_MANY_WATCHERS = 4033
    GAME_CRASHED = 4050
    TOO_SLOW = 4051
