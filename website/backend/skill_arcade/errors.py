"""The exceptions of this package in one hierarchy. Each has a message that says what failed, why, and what to do.

`wire/error_table.py` has their HTTP statuses and close codes.
"""


class ArcadeError(Exception):
    """Base class of all exceptions that this package raises on purpose."""


class SettingsError(ArcadeError):
    """A setting is missing or invalid."""


class ManifestError(ArcadeError):
    """A game's manifest is invalid. The message names file, field and reason."""


class StudyError(ArcadeError):
    """A study's file is invalid. The message names file, field and reason."""


class UnsupportedEnvironment(ArcadeError):
    """An environment does not exist, cannot be made with these arguments, or cannot be played."""


class EnvironmentFailed(ArcadeError):
    """An environment raised an exception, or returned what cannot be played or recorded."""


class NotSignedIn(ArcadeError):
    """The token is missing, invalid or expired."""


class NotAllowed(ArcadeError):
    """The signed-in user has no permission for this."""


class ConsentRequired(NotAllowed):
    """The player has not allowed this, or has not been asked yet."""


class TooYoung(NotAllowed):
    """The year of birth that a player gave does not allow recording. The answer is remembered."""


class NewerStudy(ArcadeError):
    """A study was opened by a newer version, and has what this one does not know."""


class StudyPreview(NotAllowed):
    """Somebody looks at a study at its recruiter without taking part yet."""


class StudyClosed(NotAllowed):
    """The study takes no new participants: it is not open yet, closed, or full."""


class NotFound(ArcadeError):
    """The requested object does not exist."""


class InvalidWatchLink(NotFound):
    """No game that can be watched has this link: it is wrong, was revoked, or the game has ended."""


class LinkRevoked(ArcadeError):
    """The link existed, and its maker has revoked it."""


class RangeNotSatisfiable(ArcadeError):
    """The requested bytes are beyond the end of the file."""


class InvalidRequest(ArcadeError):
    """The request is well-formed but cannot be executed as it is."""


class TooManyGames(ArcadeError):
    """The server runs as many games as it may."""


class InGame(ArcadeError):
    """The player has a game, which nothing that is only prepared may end."""


class AlreadyPlayed(ArcadeError):
    """The player has had their try of the daily challenge, or its day is over."""


class NameTaken(ArcadeError):
    """Another player has this name on leaderboards, or one that looks like it."""


class TooManyWatchers(ArcadeError):
    """A game, or the server, has as many watchers as it may."""


class TakenOver(ArcadeError):
    """A newer connection of the same player exists."""


class TooManyExports(ArcadeError):
    """An export of this user is in progress, or the server runs as many exports as it may."""


class NotReady(ArcadeError):
    """A component that this needs is unavailable; a retry later may succeed."""


class ServerShuttingDown(NotReady):
    """The server is shutting down; another one replaces it."""


class TooManyRequests(ArcadeError):
    """A rate limit was exceeded. `seconds` is the time until the next attempt can succeed."""

    def __init__(self, message: str, seconds: float = 1.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class AccountErased(ArcadeError):
    """The account was erased by its player, and none of its data may be stored any more."""


class ConsentWithdrawn(ArcadeError):
    """The player has withdrawn the consent that an episode was recorded under, so that it may not be stored."""


class JournalDamaged(ArcadeError):
    """A sealed segment cannot be read back as it was written."""


class RecordingDamaged(ArcadeError):
    """The stored parts of an episode are incomplete or inconsistent. `fault` is what is wrong, without the place."""

    def __init__(self, message: str, fault: str = "") -> None:
        super().__init__(message)
        self.fault = fault


class ObjectMissing(NotFound):
    """The object store has no object with this key."""


class ObjectRejected(ArcadeError):
    """The object store rejects an object for what it is; the same object would be rejected again."""

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class ObjectExists(ArcadeError):
    """The object store has an object with this key and other content."""
