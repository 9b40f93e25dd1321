"""One tree of errors. Each says in a sentence what to do, and which HTTP status it is."""


class ArcadeError(Exception):
    """Base of everything that this package raises on purpose."""

    status = 500


class SettingsError(ArcadeError):
    """A setting is missing or does not fit."""


class ManifestError(ArcadeError):
    """A game's manifest is wrong: says file, field and reason."""


class UnsupportedEnvironment(ArcadeError):
    """An environment is not there, can't be made with these arguments, or can't be played."""


class NotSignedIn(ArcadeError):
    """The token is missing, wrong or past its end."""

    status = 401


class NotAllowed(ArcadeError):
    """Signed in, but this belongs to somebody else."""

    status = 403


class NotFound(ArcadeError):
    """There is no such thing."""

    status = 404


class InvalidRequest(ArcadeError):
    """The request is understood and can't be carried out as it is."""

    status = 422


class TooManyGames(ArcadeError):
    """No seat is free: this player has one already, or the house is full."""

    status = 429


class TakenOver(ArcadeError):
    """Another socket of the same player has come since."""

    status = 409


class TooManyExports(ArcadeError):
    """An export of this person is under way, or this server makes as many as it can."""

    status = 429


class NotReady(ArcadeError):
    """A part that this needs does not answer; trying again later helps."""

    status = 503


class ServerShuttingDown(NotReady):
    """The server is on its way out; another one follows."""


class TooManyRequests(ArcadeError):
    """Somebody asks faster than anybody needs to. `seconds`: when to ask again."""

    status = 429

    def __init__(self, message: str, seconds: float = 1.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class AccountErased(ArcadeError):
    """The account was erased by its player: nothing of theirs is kept any more."""


class JournalDamaged(ArcadeError):
    """A sealed segment does not read back as it was written."""


class RecordingDamaged(ArcadeError):
    """What is kept of an episode is not whole, or does not fit together."""


class ObjectMissing(NotFound):
    """The object store has no object by this key."""


class ObjectRejected(ArcadeError):
    """The object store rejects an object for what it is; the same object would be rejected again."""

    status = 422

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class ObjectExists(ArcadeError):
    """Another object of this key, with other bytes, is there already."""

    status = 409
