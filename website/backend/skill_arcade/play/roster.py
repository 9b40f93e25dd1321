"""Who plays what on this server: seats, limits, and game processes kept warm."""

import asyncio
import hashlib
import logging
import multiprocessing
import shutil
import socket
from multiprocessing.context import ForkServerContext
from pathlib import Path

from skill_arcade.errors import NotReady, TooManyGames
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Assignment
from skill_arcade.play.runner import run_game
from skill_arcade.play.seat import Seat
from skill_arcade.telemetry import Format

log = logging.getLogger(__name__)

LEAST_ROOM = 256 * 2**20
"""Bytes that must be free on the journal's disk for a new game to start."""


class Roster:
    """All seats of this server. A player has one seat; who opens another game leaves the one before."""

    def __init__(
        self,
        *,
        journal_folder: Path,
        segment_seconds: float,
        resume_seconds: float,
        max_games: int,
        warm_games: int,
        commit: str | None = None,
        log_as: tuple[Format, str] = ("text", "INFO"),
    ) -> None:
        self._journal_folder = journal_folder
        self._segment_seconds, self._resume_seconds = segment_seconds, resume_seconds
        self._max_games, self._warm_games, self._commit = max_games, warm_games, commit
        self._log_as = log_as
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["skill_arcade.play.preload"])
        self._seats: dict[str, Seat] = {}
        self._warm: list[Seat] = []
        self._refill: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def n_games(self) -> int:
        """Seats that are taken."""
        return len(self._seats)

    def check_room(self) -> None:
        """Raise NotReady when the journal's disk has no room for another game."""
        self._journal_folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._journal_folder).free
        if free < LEAST_ROOM:
            raise NotReady(f"The recording disk has {free >> 20} MB left, so no new game starts; try again later.")

    async def start(self) -> None:
        """Start the warm processes."""
        self.check_room()
        await self._fill()

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Refuse new games, end the running ones, and wait for their records to be sealed."""
        self._closing = True
        if self._refill is not None:
            await self._refill
        seats = [*self._seats.values(), *self._warm]
        for seat in seats:
            seat.stop("server-stopped")
        if seats:
            await asyncio.wait([asyncio.ensure_future(seat.gone) for seat in seats], timeout=grace_seconds)
        for seat in seats:
            if not seat.gone.done():
                log.error("game process %s did not end in %.0f s; it is killed", seat.process.pid, grace_seconds)
                seat.process.kill()

    async def seat(self, user_id: str, game: Manifest, lockstep_module: str | None = None) -> Seat:
        """The player's seat at this game: the one that waits for them, or a new one.

        `lockstep_module`: SHA-256 of the emulator that pages can have; None: the game is streamed.

        Raises TooManyGames when the house is full, NotReady when the disk is, or when the server is stopping.
        """
        held = self._seats.get(user_id)
        if held is not None and not held.gone.done():
            if held.assignment is not None and held.assignment.game.id == game.id:
                return held
            held.stop("left")
            await held.gone
        if self._closing:
            raise NotReady("The server is stopping; try again in a moment.")
        if len(self._seats) >= self._max_games:
            raise TooManyGames("All seats are taken; try again in a few minutes.")
        self.check_room()
        seat = self._warm.pop() if self._warm else await self._open()
        self._seats[user_id] = seat
        seat.assign(self._assignment(user_id, game, lockstep_module))
        if self._refill is None or self._refill.done():
            self._refill = asyncio.create_task(self._fill())
        return seat

    async def _fill(self) -> None:
        while len(self._warm) < self._warm_games and not self._closing:
            self._warm.append(await self._open())

    async def _open(self) -> Seat:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        process = self._context.Process(target=run_game, args=(theirs, *self._log_as), name="game", daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        return await Seat.open(process, ours, self._vacate)

    def _vacate(self, seat: Seat) -> None:
        if seat in self._warm:
            self._warm.remove(seat)
        for user_id, held in list(self._seats.items()):
            if held is seat:
                del self._seats[user_id]

    def _assignment(self, user_id: str, game: Manifest, lockstep_module: str | None) -> Assignment:
        return Assignment(
            user_id=user_id,
            game=game,
            manifest_hash=hashlib.sha256(game.model_dump_json().encode()).hexdigest(),
            journal_folder=self._journal_folder,
            segment_seconds=self._segment_seconds,
            resume_seconds=self._resume_seconds,
            commit=self._commit,
            lockstep_module=lockstep_module,
        )
