"""The daily challenge on this server: its draw, who may still try it, and what a game process gets."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.boards.daily import choose_game, commit_to, daily_kwargs, derive_seed, draw_key, make_daily_game
from skill_arcade.errors import AlreadyPlayed, NotFound
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import DailyAssignment
from skill_arcade.storage.database.daily import add_daily, get_daily, list_tries, read_database_day
from skill_arcade.web.request_transaction import request_transaction

MAX_CACHED_DAYS = 4
TRY_USED = "You have had your try today: the first one counts. There is a new one tomorrow."


class DailyService:
    """Draws the challenges of today and tomorrow. The table `daily` decides, so all servers have the same."""

    def __init__(self, engine: AsyncEngine, catalogue: Catalogue, games: Sequence[str]) -> None:
        self._engine, self._catalogue = engine, catalogue
        found = [catalogue.find(game) for game in games]
        # A daily challenge has no options, so a former id with options is no game here.
        self._games = [one[0].id for one in found if one is not None and not one[1]] or sorted(catalogue.games)
        self._cache: dict[date, Row[Any]] = {}

    async def find(self, connection: AsyncConnection, day: date) -> Row[Any]:
        """Return the challenge of a day, and draw it if nobody has yet. Raises NotFound for a later day."""
        if (cached := self._cache.get(day)) is not None:
            return cached
        found = await get_daily(connection, day)
        if found is None:
            today = await read_database_day(connection)
            if not today <= day <= today + timedelta(days=1):
                raise NotFound(f"There is no daily challenge of {day.isoformat()}.")
            found = await add_daily(connection, self._draw(day))
        return found

    async def is_open(self, day: str) -> bool:
        """Return whether the day (ISO 8601) is not over, so that its seed is secret."""
        async with request_transaction(self._engine) as connection:
            return day >= (await read_database_day(connection)).isoformat()

    async def read_game_id(self, day: date) -> str:
        """Return the game of a day's challenge. Raises NotFound."""
        async with request_transaction(self._engine) as connection:
            return str((await self.find(connection, day)).game_id)

    async def check_try(self, user_id: str, day: date) -> None:
        """Check that a player may open a day's challenge.

        Raises:
            AlreadyPlayed: the player has had their try, or the day is over.
        """
        async with request_transaction(self._engine) as connection:
            if day != await read_database_day(connection):
                raise AlreadyPlayed("This daily challenge is over. Open today's from the list of games.")
            if await list_tries(connection, user_id, day):
                raise AlreadyPlayed(TRY_USED)

    async def assign(self, day: str, game: Manifest) -> tuple[Manifest, DailyAssignment]:
        """Return the game with the settings of the challenge, and what its process gets of it."""
        parsed = date.fromisoformat(day)
        challenge = self._cache.get(parsed)
        if challenge is None:
            async with request_transaction(self._engine) as connection:
                challenge = await self.find(connection, parsed)
            # Cached once it is committed, so that a running game can be continued while the database is unavailable.
            self._cache[parsed] = challenge
            if len(self._cache) > MAX_CACHED_DAYS:
                del self._cache[min(self._cache)]
        seed = derive_seed(challenge.key, parsed, challenge.game_id)
        return make_daily_game(game, challenge.arguments), DailyAssignment(day=day, seed=seed)

    def _draw(self, day: date) -> dict[str, Any]:
        game_id, key = choose_game(day, self._games), draw_key()
        arguments = daily_kwargs(self._catalogue.games[game_id].environment)
        return {"day": day, "game_id": game_id, "arguments": arguments, "key": key, "commitment": commit_to(key)}
