"""Who plays what on this server: seats and limits."""

import asyncio
import hashlib
import logging
from collections import Counter
from itertools import count
from weakref import WeakValueDictionary

from skill_arcade.errors import NotReady, Stopping, TooManyGames
from skill_arcade.games.manifest import EnvironmentChoice, Manifest
from skill_arcade.play.assignment import Assignment
from skill_arcade.play.door import Caller, Door
from skill_arcade.play.hosts import Hosts
from skill_arcade.play.nursery import open_nursery
from skill_arcade.play.room import Room
from skill_arcade.play.seat import Seat
from skill_arcade.play.starts import Starts
from skill_arcade.telemetry import Format
from skill_arcade.wire.close import CloseCode

log = logging.getLogger(__name__)

LEAVE_SECONDS = 5.0
"""How long a player's game before may take to end; then it is killed, and its episode finished by delivery."""
RESTARTING = "The server is restarting; try again in a moment."


class Roster:
    """All seats of this server. A player has one seat; who opens another game leaves the one before."""

    def __init__(
        self,
        *,
        room: Room,
        segment_seconds: float,
        resume_seconds: float,
        max_games: int,
        games_per_process: int,
        commit: str | None = None,
        log_as: tuple[Format, str] = ("text", "INFO"),
    ) -> None:
        self.room = room
        self.refusals: Counter[str] = Counter()
        self._opening, self._starts = 0, Starts()
        self._numbers = count(1)
        self._doors: WeakValueDictionary[str, Door] = WeakValueDictionary()
        self._segment_seconds, self._resume_seconds = segment_seconds, resume_seconds
        self._max_games, self._commit = max_games, commit
        self._hosts = Hosts(games_per_process, log_as)
        self._seats: dict[str, Seat] = {}
        self._closing = False

    @property
    def n_games(self) -> int:
        """Seats that are taken."""
        return len(self._seats)

    @property
    def late_us(self) -> int:
        """The worst lateness of a tick that any running game has told of last."""
        return max((seat.late_us for seat in self._seats.values()), default=0)

    async def start(self) -> None:
        """Get ready. A disk without room refuses games, not the start: what is there is delivered."""
        log.info("the recording disk has %d MB left", self.room.free_bytes >> 20)
        await asyncio.to_thread(open_nursery().start)

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Refuse new games, end the running ones, and wait for their records to be sealed."""
        self._closing = True
        seats = list(self._seats.values())
        for seat in seats:
            seat.stop("server-stopped", CloseCode.RESTARTING)
        if seats:
            await asyncio.wait([asyncio.ensure_future(seat.gone) for seat in seats], timeout=grace_seconds)
        for seat in seats:
            if not seat.gone.done():
                process = seat.place.process
                log.error("a game in process %d did not end in %.0f s; it is killed", process.pid, grace_seconds)
                process.kill()

    def tell_room(self, refusal: str) -> None:
        """Tell all games why no new episode may start, or by an empty text that one may."""
        for seat in self._seats.values():
            seat.tell_room(refusal)

    def number(self) -> int:
        """The number of a socket that has just come. What happens to it later, in whatever order, goes by it."""
        return next(self._numbers)

    def call(self, user_id: str, number: int) -> Caller:
        """Let a player stand at their door, with the socket of this number."""
        door = self._doors.setdefault(user_id, Door())  # forgotten with their seat and the last who waits
        return door.call(user_id, number)

    async def seat(
        self,
        caller: Caller,
        game: Manifest,
        lockstep_module: str | None = None,
        options: dict[str, str] | None = None,
    ) -> Seat:
        """The player's seat at this game: the one that waits for them, or a new one.

        `lockstep_module`: SHA-256 of the emulator that pages can have; None: the game is streamed.
        `options`: what the player chose of what the game offers, as `Manifest.choose` takes it.

        Raises TooManyGames when the house is full, NotReady when the disk is, or when the server is stopping, and
        TakenOver when a newer socket of the same player has come.
        """
        try:
            async with caller.door.lock:
                caller.check()
                return await self._find_seat(caller, game, options or {}, lockstep_module)
        except (NotReady, TooManyGames) as refusal:
            self.refusals[type(refusal).__name__] += 1
            raise

    async def _find_seat(
        self, caller: Caller, game: Manifest, options: dict[str, str], lockstep_module: str | None
    ) -> Seat:
        held = self._seats.get(caller.user_id)
        if self._closing:
            raise Stopping(RESTARTING)
        if held is not None and not held.gone.done():
            mine = held.assignment
            if not held.stopped and mine is not None and (mine.game.id, mine.options) == (game.id, options):
                return held
            await self._free(held)
        if len(self._seats) + self._opening >= self._max_games:
            raise TooManyGames("All seats are taken; try again in a few minutes.")
        self.room.check()
        self._opening += 1
        try:
            async with self._starts.turn() as begun:
                if self._closing:
                    raise Stopping(RESTARTING)
                assignment = self._assignment(caller.user_id, game, options, lockstep_module)
                begun.append(seat := await self._open(assignment.game.environment))
                self._seats[caller.user_id] = seat
                seat.door = caller.door
                seat.assign(assignment)
        finally:
            self._opening -= 1
        return seat

    async def _free(self, held: Seat) -> None:
        """End the game that a player has left for another."""
        held.stop("left")
        await asyncio.wait([held.gone], timeout=LEAVE_SECONDS)
        if not held.gone.done():
            process = held.place.process
            log.error("a game in process %d did not end in %.0f s; it is killed", process.pid, LEAVE_SECONDS)
            process.kill()
            await held.gone

    async def end_game(self, user_id: str) -> None:
        """End the player's running game, if there is one, and wait until its record is sealed."""
        held = self._seats.get(user_id)
        if held is not None and not held.gone.done():
            await self._free(held)

    async def _open(self, environment: EnvironmentChoice) -> Seat:
        try:
            return await Seat.open(*await self._hosts.open(environment), self._vacate)
        except OSError as error:
            log.exception("no game process can be had")
            raise NotReady("No game can be started now; try again in a moment.") from error

    def _vacate(self, seat: Seat) -> None:
        self._hosts.leave(seat.place)
        for user_id, held in list(self._seats.items()):
            if held is seat:
                del self._seats[user_id]

    def _assignment(
        self, user_id: str, game: Manifest, options: dict[str, str], lockstep_module: str | None
    ) -> Assignment:
        return Assignment(
            user_id=user_id,
            game=game.choose(options),
            options=options,
            manifest_hash=hashlib.sha256(game.model_dump_json().encode()).hexdigest(),
            journal_folder=self.room.folder,
            segment_seconds=self._segment_seconds,
            resume_seconds=self._resume_seconds,
            commit=self._commit,
            lockstep_module=lockstep_module,
        )
