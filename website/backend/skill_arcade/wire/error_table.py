"""The table of errors: what a client is told of each exception and of each closed connection.

Problem responses, their descriptions in OpenAPI, close reasons and the page's titles derive from it.
"""

from dataclasses import dataclass

from skill_arcade import errors
from skill_arcade.wire.close_codes import CloseCode

INTERNAL_ERROR_MESSAGE = "The request failed because of an error in the server. Try again later."


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """What a client is told of an error, over HTTP, over a socket, or over both with the same words."""

    text: str
    """What failed, why, and what to do; sent if the exception has no message of its own."""
    exception: type[Exception] | None = None
    status: int | None = None
    """HTTP status, or None if this entry is for sockets only."""
    close_code: CloseCode | None = None
    """Close code, or None if this entry is for HTTP only."""
    is_retryable: bool = False
    """The page retries by itself: it sends the request again, or reconnects."""
    title: str = ""
    """Heading on the page, or empty for the page's own heading."""
    http_name: str = ""
    """Name of an HTTP error that has no exception of its own."""

    @property
    def name(self) -> str:
        """Name of the error for programs, `error` of a problem response."""
        return self.http_name or (self.exception.__name__ if self.exception else "")


INTERNAL_ERROR = ErrorEntry(INTERNAL_ERROR_MESSAGE, Exception, 500, is_retryable=True, http_name="InternalError")
MALFORMED_REQUEST = ErrorEntry("The request is not valid HTTP.", status=400, http_name="MalformedRequest")
UNTRUSTED_HOST = ErrorEntry("The host name is unknown.", status=400, http_name="UntrustedHost")
UNTRUSTED_ORIGIN = ErrorEntry("Pages of this origin may not connect.", status=403, http_name="UntrustedOrigin")
METHOD_NOT_ALLOWED = ErrorEntry("The method is not allowed here.", status=405, http_name="MethodNotAllowed")
REQUEST_TIMEOUT = ErrorEntry(
    "Timeout: the request did not arrive. Send it again.", status=408, http_name="RequestTimeout"
)
BODY_TOO_BIG = ErrorEntry("The request body is too large.", status=413, http_name="BodyTooBig")
HEAD_TOO_LARGE = ErrorEntry("The head of the request is too large.", status=431, http_name="HeadTooLarge")
TOO_MANY_CONNECTIONS = ErrorEntry(
    "There are too many open connections. Close other pages and try again.",
    status=503,
    is_retryable=True,
    http_name="TooManyConnections",
)

ERRORS: tuple[ErrorEntry, ...] = (
    # -- over HTTP
    ErrorEntry("The token is missing, invalid or expired.", errors.NotSignedIn, 401, title="Sign in first"),
    ErrorEntry("You have no permission for this.", errors.NotAllowed, 403, title="Not allowed"),
    ErrorEntry(
        "You have not allowed this, or have not been asked yet.", errors.ConsentRequired, 403, title="Not recorded"
    ),
    ErrorEntry("The year of birth that you gave does not allow recording.", errors.TooYoung, 403),
    ErrorEntry(
        "Accept the task at the site that recruits for it, then open this address again.", errors.StudyPreview, 403
    ),
    ErrorEntry("This study takes no new participants.", errors.StudyClosed, 403),
    ErrorEntry("The requested object does not exist.", errors.NotFound, 404, title="Not found"),
    ErrorEntry("The object store has no such object.", errors.ObjectMissing, 404),
    ErrorEntry("The name is taken. Choose another one.", errors.NameTaken, 409),
    ErrorEntry("You have a game that runs, so none is prepared.", errors.InGame, 409),
    ErrorEntry("The try of this day was used, or the day is over.", errors.AlreadyPlayed, 409, title="Already played"),
    ErrorEntry("The object store has another object with this key.", errors.ObjectExists, 409),
    ErrorEntry("The link was revoked.", errors.LinkRevoked, 410, title="Link revoked"),
    ErrorEntry("The requested bytes are beyond the end of the file.", errors.RangeNotSatisfiable, 416),
    ErrorEntry("The request is invalid.", errors.InvalidRequest, 422),
    ErrorEntry("The object store rejects the object.", errors.ObjectRejected, 422),
    ErrorEntry("A rate limit is exceeded. Try again later.", errors.TooManyRequests, 429, is_retryable=True),
    ErrorEntry("Too many exports are in progress. Try again later.", errors.TooManyExports, 429),
    ErrorEntry("A component is unavailable. Try again later.", errors.NotReady, 503, is_retryable=True),
    ErrorEntry(
        "This study was opened by a newer version of the server. Try again in a few minutes.",
        errors.NewerStudy,
        503,
        is_retryable=True,
    ),
    MALFORMED_REQUEST,
    UNTRUSTED_HOST,
    UNTRUSTED_ORIGIN,
    METHOD_NOT_ALLOWED,
    REQUEST_TIMEOUT,
    BODY_TOO_BIG,
    HEAD_TOO_LARGE,
    TOO_MANY_CONNECTIONS,
    INTERNAL_ERROR,
    # Faults of the server, whose messages are logged and not sent.
    *(
        ErrorEntry(INTERNAL_ERROR_MESSAGE, exception, 500, is_retryable=True)
        for exception in (
            errors.SettingsError,
            errors.ManifestError,
            errors.StudyError,
            errors.UnsupportedEnvironment,
            errors.EnvironmentFailed,
            errors.AccountErased,
            errors.ConsentWithdrawn,
            errors.JournalDamaged,
            errors.RecordingDamaged,
        )
    ),
    # -- over HTTP and sockets
    ErrorEntry(
        "This game was opened in another tab.",
        errors.TakenOver,
        409,
        CloseCode.TAKEN_OVER,
        title="Open in another tab",
    ),
    ErrorEntry(
        "The server is full. Try again in a few minutes.",
        errors.TooManyGames,
        429,
        CloseCode.SERVER_FULL,
        title="Server full",
    ),
    ErrorEntry(
        "Too many people are watching. Try again in a few minutes.",
        errors.TooManyWatchers,
        429,
        CloseCode.TOO_MANY_WATCHERS,
    ),
    ErrorEntry(
        "The server is restarting. Everything you played is saved. Reconnect in a moment.",
        errors.ServerShuttingDown,
        503,
        CloseCode.RESTARTING,
        is_retryable=True,
    ),
    # -- over sockets
    ErrorEntry("The game has ended.", close_code=CloseCode.NORMAL),
    ErrorEntry(
        "The server is shutting down. Reconnect in a moment.", close_code=CloseCode.GOING_AWAY, is_retryable=True
    ),
    ErrorEntry("The message is too large. Reload the page.", close_code=CloseCode.TOO_BIG),
    ErrorEntry(
        "The play ticket is invalid, used or expired. Open the game again.",
        errors.NotSignedIn,
        close_code=CloseCode.BAD_TICKET,
    ),
    ErrorEntry(
        "This game would be recorded, and you have not allowed that. Open the game again.",
        errors.ConsentRequired,
        close_code=CloseCode.CONSENT_REQUIRED,
        title="Not recorded",
    ),
    ErrorEntry("Game not found. Choose another game.", errors.InvalidRequest, close_code=CloseCode.UNKNOWN_GAME),
    ErrorEntry(
        "This link is not valid, or not any more. Ask the player for a new one.",
        errors.InvalidWatchLink,
        404,
        CloseCode.BAD_LINK,
    ),
    ErrorEntry("The player does not share this game any more.", close_code=CloseCode.WATCHING_ENDED),
    ErrorEntry("The server received an invalid message. Reload the page.", close_code=CloseCode.BAD_MESSAGE),
    ErrorEntry(
        "Rate limit exceeded: too many messages. Try again in a few seconds.",
        errors.TooManyRequests,
        close_code=CloseCode.RATE_LIMITED,
    ),
    ErrorEntry(
        "New games cannot start because recording is unavailable. Try again later.",
        errors.NotReady,
        close_code=CloseCode.RECORDING_UNAVAILABLE,
        title="No new games",
    ),
    ErrorEntry(
        "You have not played for a while, so your game was closed. Open the game again.", close_code=CloseCode.IDLE
    ),
    ErrorEntry("The game crashed. Everything you played is saved.", close_code=CloseCode.GAME_CRASHED),
    ErrorEntry("The connection is too slow. Reconnect in a moment.", close_code=CloseCode.TOO_SLOW, is_retryable=True),
)

PROBLEMS = {entry.exception: entry for entry in ERRORS if entry.status is not None and entry.exception is not None}
"""What is told over HTTP, by exception."""
CLOSINGS = {entry.close_code: entry for entry in ERRORS if entry.close_code is not None}
"""What is told over sockets, by close code."""
REASONS = {code: entry.text for code, entry in CLOSINGS.items()}
_CLOSE_CODES = {entry.exception: code for code, entry in CLOSINGS.items() if entry.exception is not None}


def problem_of(error: Exception) -> ErrorEntry:
    """Return what is told of an exception over HTTP: the entry of its class or of the nearest base class."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def close_code_of(error: Exception) -> CloseCode | None:
    """Return the close code of an exception, or None if it does not close a connection in an orderly way."""
    return next((_CLOSE_CODES[kind] for kind in type(error).__mro__ if kind in _CLOSE_CODES), None)
