"""Who plays here: people by e-mail, guests, and what a player's id is good for."""

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import InvalidRequest, NotSignedIn
from skill_arcade.storage.database.queries import get_user, upsert_user
from skill_arcade.web.database import asking

REMEMBERED = 10_000
# A guest has no e-mail, and an erased person had one: the table tells them apart by this.
GUEST = "@anonymous.invalid"
GONE = "This account is not here any more; sign in again."


def normalise_email(text: str) -> str:
    """Give the one spelling of an e-mail address; InvalidRequest, in words, when it is none.

    Lower case throughout: mail servers that tell `Ada@` from `ada@` exist on paper, people who type both do not.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidRequest(f"This is not an e-mail address: {error}") from None


class People:
    """The table of users, with a memory of who is surely in it.

    The memory spares play a question to the database: a player whose connection dropped comes back
    even while it is down. A row never goes once it is there (an erased one keeps its id).
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known: dict[str, None] = {}

    async def welcome(self, user_id: str, email: str | None) -> str:
        """Note that this person is here, and return the id that they have. With no `email`, it is a guest."""
        async with asking(self._engine) as connection:
            kept_id = await upsert_user(connection, user_id, email or f"{user_id}{GUEST}")
        self._remember(kept_id)
        return kept_id

    async def find_email(self, user_id: str) -> str | None:
        """Return a user's e-mail, None of a guest; NotSignedIn when there is no such user or it was erased."""
        async with asking(self._engine) as connection:
            user = await get_user(connection, user_id)
        if user is None or user.email is None:
            raise NotSignedIn(GONE)
        self._remember(user_id)
        return None if user.email.endswith(GUEST) else str(user.email)

    async def check_known(self, user_id: str) -> None:
        """Return if there is such a user, so that an episode of theirs can be kept; NotSignedIn otherwise.

        A good token is not enough: it may be older than a database that was made anew.
        """
        if user_id not in self._known:
            await self.find_email(user_id)

    def _remember(self, user_id: str) -> None:
        self._known.pop(user_id, None)
        self._known[user_id] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
