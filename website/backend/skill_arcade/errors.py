"""The exceptions of this package in one hierarchy.

Each has an HTTP status and a message that says what failed, why, and what to do.
"""


class ArcadeError(Exception):
    """Base class of all exceptions that this package raises on purpose."""

    status = 500


class SettingsError(ArcadeError):
    """A setting is missing or invalid."""


class ManifestError(ArcadeError):
    """A game's manifest is invalid. The message names file, field and reason."""


class UnsupportedEnvironment(ArcadeError):
    """An environment does not exist, cannot be made with these arguments, or cannot be played."""


class EnvironmentFailed(ArcadeError):
    """An environment raised an exception, or returned what cannot be played or recorded."""


class NotSignedIn(ArcadeError):
    """The token is missing, invalid or expired."""

    status = 401


class NotAllowed(ArcadeError):
    """The signed-in user has no permission for this."""

    status = 403


class NotFound(ArcadeError):
    """The requested object does not exist."""

    status = 404


class InvalidRequest(ArcadeError):
    """The request is well-formed but cannot be executed as it is."""

    status = 422


class TooManyGames(ArcadeError):
    """The server runs as many games as it may."""

    status = 429


class TakenOver(ArcadeError):
    """A newer connection of the same player exists."""

    status = 409


class TooManyExports(ArcadeError):
    """An export of this user is in progress, or the server runs as many exports as it may."""

    status = 429


class NotReady(ArcadeError):
    """A component that this needs is unavailable; a retry later may succeed."""

    status = 503


class ServerShuttingDown(NotReady):
    """The server is shutting down; another one replaces it."""


class TooManyRequests(ArcadeError):
    """A rate limit was exceeded. `seconds` is the time until the next attempt can succeed."""

    status = 429

    def __init__(self, message: str, seconds: float = 1.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class AccountErased(ArcadeError):
    """The account was erased by its player, and none of its data may be stored any more."""


class JournalDamaged(ArcadeError):
    """A sealed segment cannot be read back as it was written."""


class RecordingDamaged(ArcadeError):
    """The stored parts of an episode are incomplete or inconsistent."""


class ObjectMissing(NotFound):
    """The object store has no object with this key."""


class ObjectRejected(ArcadeError):
    """The object store rejects an object for what it is; the same object would be rejected again."""

    status = 422

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class ObjectExists(ArcadeError):
    """The object store has an object with this key and other content."""

    status = 409
