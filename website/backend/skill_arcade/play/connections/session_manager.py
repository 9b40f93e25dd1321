"""Who plays what on this server: seats and limits."""

import asyncio
import hashlib
import logging
from collections import Counter
from itertools import count
from weakref import WeakValueDictionary

from skill_arcade.errors import NotReady, ServerShuttingDown, TooManyGames
from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.play.connections.player_connections import PlayerConnection, PlayerLock
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.start_limiter import StartLimiter
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.play.processes.process_pool import GameProcessPool
from skill_arcade.telemetry import Format
from skill_arcade.wire.close_codes import CloseCode

log = logging.getLogger(__name__)

REPLACE_TIMEOUT_SECONDS = 5.0
"""How long a player's game before may take to end; then it is killed, and its episode finished by delivery."""
RESTART_REASON = "The server is restarting; try again in a moment."


class SessionManager:
    """All seats of this server. A player has one seat; who opens another game leaves the one before."""

    def __init__(
        self,
        *,
        capacity: RecordingCapacity,
        segment_seconds: float,
        resume_seconds: float,
        max_games: int,
        games_per_process: int,
        commit: str | None = None,
        log_as: tuple[Format, str] = ("text", "INFO"),
    ) -> None:
        self.capacity = capacity
        self.rejections: Counter[str] = Counter()
        self._opening_count, self._start_limiter = 0, StartLimiter()
        self._numbers = count(1)
        self._player_locks: WeakValueDictionary[str, PlayerLock] = WeakValueDictionary()
        self._segment_seconds, self._resume_seconds = segment_seconds, resume_seconds
        self._max_games, self._commit = max_games, commit
        self._process_pool = GameProcessPool(games_per_process, log_as)
        self._connections: dict[str, GameConnection] = {}
        self._closing = False

    @property
    def n_games(self) -> int:
        """Seats that are taken."""
        return len(self._connections)

    @property
    def late_us(self) -> int:
        """The worst lateness of a tick that any running game has told of last."""
        return max((game_connection.late_us for game_connection in self._connections.values()), default=0)

    async def start(self) -> None:
        """Get ready. A disk without room refuses games, not the start: what is there is delivered."""
        log.info("the recording disk has %d MB left", self.capacity.free_bytes >> 20)
        await asyncio.to_thread(get_fork_server().start)

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Refuse new games, end the running ones, and wait for their records to be sealed."""
        self._closing = True
        game_connections = list(self._connections.values())
        for game_connection in game_connections:
            game_connection.stop("server-stopped", CloseCode.RESTARTING)
        if game_connections:
            await asyncio.wait(
                [asyncio.ensure_future(game_connection.closed) for game_connection in game_connections],
                timeout=grace_seconds,
            )
        for game_connection in game_connections:
            if not game_connection.closed.done():
                process = game_connection.slot.process
                log.error("a game in process %d did not end in %.0f s; it is killed", process.pid, grace_seconds)
                process.kill()

    def broadcast_capacity_error(self, refusal: str) -> None:
        """Tell all games why no new episode may start, or by an empty text that one may."""
        for game_connection in self._connections.values():
            game_connection.send_capacity_error(refusal)

    def next_connection_id(self) -> int:
        """The number of a socket that has just come. What happens to it later, in whatever order, goes by it."""
        return next(self._numbers)

    def register_connection(self, user_id: str, number: int) -> PlayerConnection:
        """Let a player stand at their door, with the socket of this number."""
        player_lock = self._player_locks.setdefault(
            user_id, PlayerLock()
        )  # forgotten with their seat and the last who waits
        return player_lock.register(user_id, number)

    async def get_or_start_game(
        self,
        player_connection: PlayerConnection,
        game: Manifest,
        lockstep_module: str | None = None,
        options: dict[str, str] | None = None,
    ) -> GameConnection:
        """The player's seat at this game: the one that waits for them, or a new one.

        `lockstep_module`: SHA-256 of the emulator that pages can have; None: the game is streamed.
        `options`: what the player chose of what the game offers, as `Manifest.choose` takes it.

        Raises TooManyGames when the house is full, NotReady when the disk is, or when the server is stopping, and
        TakenOver when a newer socket of the same player has come.
        """
        try:
            async with player_connection.lock.lock:
                player_connection.ensure_latest()
                return await self._find_connection(player_connection, game, options or {}, lockstep_module)
        except (NotReady, TooManyGames) as refusal:
            self.rejections[type(refusal).__name__] += 1
            raise

    async def _find_connection(
        self, player_connection: PlayerConnection, game: Manifest, options: dict[str, str], lockstep_module: str | None
    ) -> GameConnection:
        held = self._connections.get(player_connection.user_id)
        if self._closing:
            raise ServerShuttingDown(RESTART_REASON)
        if held is not None and not held.closed.done():
            mine = held.assignment
            if not held.stopped and mine is not None and (mine.game.id, mine.options) == (game.id, options):
                return held
            await self._end_current_game(held)
        if len(self._connections) + self._opening_count >= self._max_games:
            raise TooManyGames("All seats are taken; try again in a few minutes.")
        self.capacity.check()
        self._opening_count += 1
        try:
            async with self._start_limiter.slot() as begun:
                if self._closing:
                    raise ServerShuttingDown(RESTART_REASON)
                assignment = self._assignment(player_connection.user_id, game, options, lockstep_module)
                begun.append(game_connection := await self._open_connection(assignment.game.environment))
                self._connections[player_connection.user_id] = game_connection
                game_connection.lock = player_connection.lock
                game_connection.assign(assignment)
        finally:
            self._opening_count -= 1
        return game_connection

    async def _end_current_game(self, held: GameConnection) -> None:
        """End the game that a player has left for another."""
        held.stop("left")
        await asyncio.wait([held.closed], timeout=REPLACE_TIMEOUT_SECONDS)
        if not held.closed.done():
            process = held.slot.process
            log.error("a game in process %d did not end in %.0f s; it is killed", process.pid, REPLACE_TIMEOUT_SECONDS)
            process.kill()
            await held.closed

    async def end_game(self, user_id: str) -> None:
        """End the player's running game, if there is one, and wait until its record is sealed."""
        held = self._connections.get(user_id)
        if held is not None and not held.closed.done():
            await self._end_current_game(held)

    async def _open_connection(self, environment: EnvironmentSpec) -> GameConnection:
        try:
            return await GameConnection.open(*await self._process_pool.acquire_slot(environment), self._on_game_closed)
        except OSError as error:
            log.exception("no game process can be had")
            raise NotReady("No game can be started now; try again in a moment.") from error

    def _on_game_closed(self, game_connection: GameConnection) -> None:
        self._process_pool.release_slot(game_connection.slot)
        for user_id, held in list(self._connections.items()):
            if held is game_connection:
                del self._connections[user_id]

    def _assignment(
        self, user_id: str, game: Manifest, options: dict[str, str], lockstep_module: str | None
    ) -> GameAssignment:
        return GameAssignment(
            user_id=user_id,
            game=game.choose(options),
            options=options,
            manifest_hash=hashlib.sha256(game.model_dump_json().encode()).hexdigest(),
            journal_folder=self.capacity.folder,
            segment_seconds=self._segment_seconds,
            resume_seconds=self._resume_seconds,
            commit=self._commit,
            lockstep_module=lockstep_module,
        )
