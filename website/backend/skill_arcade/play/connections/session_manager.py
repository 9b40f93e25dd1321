"""Starts, finds and ends game sessions: one per player, and at most `MAX_GAMES` on this server.

A player who reconnects in time gets their running game; otherwise a new one is started.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from itertools import count
from weakref import WeakValueDictionary

from skill_arcade.errors import NotReady, ServerShuttingDown, TooManyGames
from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.game_connection import WATCHDOG_POLL_SECONDS, GameConnection
from skill_arcade.play.connections.player_activity import ActivityLimits, PlayerActivity
from skill_arcade.play.connections.player_connections import PlayerConnection, PlayerLock
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.start_limiter import StartLimiter
from skill_arcade.play.processes.child_reaper import CLEAN_EXIT
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.play.processes.process_pool import GameProcessPool
from skill_arcade.recording.recovery import recover_user_episodes
from skill_arcade.telemetry import Format
from skill_arcade.wire.close_codes import CloseCode

log = logging.getLogger(__name__)

EXIT_STATUS_DELAYS_SECONDS = (0.0, 0.1, 0.4, 1.0)
"""Delays before the exit status of a game's process is looked up, because it exits after its pipe is closed."""
REPLACE_TIMEOUT_SECONDS = 5.0
"""Timeout for the end of a player's previous game. After it the game process is killed, and the uploader finishes the
episode.
"""
RESTART_REASON = "The server is restarting. Try again in a moment."


class SessionManager:
    """All running games of this server. A player has one game; opening another one ends it."""

    def __init__(
        self,
        *,
        capacity: RecordingCapacity,
        segment_seconds: float,
        resume_seconds: float,
        max_games: int,
        games_per_process: int,
        max_address_games: int | None = None,
        idle_seconds: float = float("inf"),
        inactive_seconds: float = float("inf"),
        commit: str | None = None,
        log_options: tuple[Format, str] = ("text", "INFO"),
        max_step_seconds: float = 10.0,
        game_memory_mb: int | None = None,
    ) -> None:
        """`max_address_games` is the number of games of one client address; None means no limit.

        `idle_seconds` and `inactive_seconds` are those of `ActivityLimits`.
        """
        self.capacity = capacity
        self.rejections: Counter[str] = Counter()
        self._opening_count, self._start_limiter = 0, StartLimiter()
        self._connection_ids = count(1)
        self._player_locks: WeakValueDictionary[str, PlayerLock] = WeakValueDictionary()
        self._segment_seconds, self._resume_seconds = segment_seconds, resume_seconds
        self._max_games, self._commit = max_games, commit
        self._max_address_games = max_games if max_address_games is None else max_address_games
        self._activity_limits = ActivityLimits(idle_seconds, inactive_seconds, resume_seconds)
        self._opening_addresses: Counter[str] = Counter()
        self._process_pool = GameProcessPool(games_per_process, log_options, game_memory_mb)
        self._max_step_seconds = max_step_seconds
        self._watchdog_task: asyncio.Task[None] | None = None
        self._death_reports: set[asyncio.Task[None]] = set()
        self._connections: dict[str, GameConnection] = {}
        self._is_shutting_down = False

    @property
    def n_games(self) -> int:
        """Number of running games."""
        return len(self._connections)

    @property
    def late_us(self) -> int:
        """The greatest lateness of a tick that any running game has reported last, in microseconds."""
        return max((game_connection.late_us for game_connection in self._connections.values()), default=0)

    async def start(self) -> None:
        """Start the fork server.

        A full disk does not prevent the start, because the recordings on it must still be uploaded.
        """
        log.info("checked the recording disk free_mb=%d", self.capacity.free_bytes >> 20)
        await asyncio.to_thread(get_fork_server().start)
        self._watchdog_task = asyncio.create_task(self._watch_games(), name="watch games")

    def close_unused_games(self, now: float) -> None:
        """Close the games of players who have not played for the stated time."""
        for game_connection in list(self._connections.values()):
            game_connection.close_if_unused(now)

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Reject new games, end the running ones, and wait until their recordings are sealed."""
        self._is_shutting_down = True
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
                log.error("game did not end in time, killing it pid=%d timeout_s=%.0f", process.pid, grace_seconds)
                process.kill()
        if self._watchdog_task is not None:
            self._watchdog_task.cancel()
        if self._death_reports:
            await asyncio.wait(self._death_reports)

    async def _watch_games(self) -> None:
        """End games that have stopped responding or that nobody plays, until cancelled."""
        while True:
            await asyncio.sleep(WATCHDOG_POLL_SECONDS)
            for game_connection in list(self._connections.values()):
                game_connection.check_responsive(self._max_step_seconds)
            if not self._is_shutting_down:
                self.close_unused_games(time.monotonic())

    def broadcast_capacity_error(self, reason: str) -> None:
        """Tell all games why no new episode may start; an empty text means that it may."""
        for game_connection in self._connections.values():
            game_connection.send_capacity_error(reason)

    def next_connection_id(self) -> int:
        """Return the number of a connection that was just accepted.

        It decides which connection of a player is the newest.
        """
        return next(self._connection_ids)

    def register_connection(self, user_id: str, number: int) -> PlayerConnection:
        """Register a new connection for this player."""
        # The entry is removed when the player has neither a game nor a waiting connection.
        player_lock = self._player_locks.setdefault(user_id, PlayerLock())
        return player_lock.register(user_id, number)

    async def get_or_start_game(
        self,
        player_connection: PlayerConnection,
        game: Manifest,
        lockstep_module: str | None = None,
        options: dict[str, str] | None = None,
        address: str = "",
    ) -> GameConnection:
        """Return the player's running game if it is this one, or start it.

        * `lockstep_module`: SHA-256 of the emulator that pages can load, or None if the game is streamed.
        * `options`: option values that the player chose, as `Manifest.choose` takes them.
        * `address`: key of the client address, whose number of games is limited.

        Raises:
            TooManyGames: the server is full, or the address has its share of games.
            NotReady: the recording disk is full, or the server is shutting down.
            TakenOver: a newer connection of the same player exists.
        """
        try:
            async with player_connection.lock.lock:
                player_connection.ensure_latest()
                return await self._find_connection(player_connection, game, options or {}, lockstep_module, address)
        except (NotReady, TooManyGames) as error:
            self.rejections[type(error).__name__] += 1
            raise

    async def _find_connection(
        self,
        player_connection: PlayerConnection,
        game: Manifest,
        options: dict[str, str],
        lockstep_module: str | None,
        address: str,
    ) -> GameConnection:
        current = self._connections.get(player_connection.user_id)
        if self._is_shutting_down:
            raise ServerShuttingDown(RESTART_REASON)
        if current is not None and not current.closed.done():
            assignment = current.assignment
            if (
                not current.is_stopped
                and assignment is not None
                and (assignment.game.id, assignment.options) == (game.id, options)
            ):
                return current
            await self._end_current_game(current)
        if len(self._connections) + self._opening_count >= self._max_games:
            raise TooManyGames("The server is full. Try again in a few minutes.")
        self._check_address(address)
        self.capacity.check()
        self._opening_count += 1
        self._opening_addresses[address] += 1
        try:
            async with self._start_limiter.slot() as started:
                if self._is_shutting_down:
                    raise ServerShuttingDown(RESTART_REASON)
                assignment = self._make_assignment(player_connection.user_id, game, options, lockstep_module)
                started.append(game_connection := await self._open_connection(assignment.game.environment, address))
                self._connections[player_connection.user_id] = game_connection
                game_connection.lock = player_connection.lock
                game_connection.assign(assignment)
        finally:
            self._opening_count -= 1
            self._opening_addresses[address] -= 1
            if not self._opening_addresses[address]:
                del self._opening_addresses[address]
        return game_connection

    def _check_address(self, address: str) -> None:
        """Raise TooManyGames if this client address has its share of games."""
        running = sum(connection.address == address for connection in self._connections.values())
        if running + self._opening_addresses[address] >= self._max_address_games:
            raise TooManyGames(
                f"Too many games from your IP address: at most {self._max_address_games}. Close one and try again."
            )

    async def _end_current_game(self, current: GameConnection) -> None:
        """End the game that a player has left for another one."""
        current.stop("left")
        await asyncio.wait([current.closed], timeout=REPLACE_TIMEOUT_SECONDS)
        if not current.closed.done():
            process = current.slot.process
            log.error(
                "game did not end in time, killing it pid=%d timeout_s=%.0f", process.pid, REPLACE_TIMEOUT_SECONDS
            )
            process.kill()
            await current.closed

    async def end_game(self, user_id: str) -> None:
        """End the player's running game, if there is one, and wait until its recording is sealed."""
        current = self._connections.get(user_id)
        if current is not None and not current.closed.done():
            await self._end_current_game(current)

    async def _open_connection(self, environment: EnvironmentSpec, address: str) -> GameConnection:
        activity = PlayerActivity(self._activity_limits, time.monotonic())
        try:
            slot, pipe = await self._process_pool.acquire_slot(environment)
            return await GameConnection.open(slot, pipe, self._on_game_closed, activity, address)
        except OSError as error:
            log.exception("cannot start a game process")
            raise NotReady("The game could not be started. Try again in a moment.") from error

    def _on_game_closed(self, game_connection: GameConnection) -> None:
        if game_connection.assignment is not None and (
            game_connection.death_cause is not None or not game_connection.is_stopped
        ):
            report = asyncio.create_task(self._report_death(game_connection, game_connection.assignment))
            self._death_reports.add(report)
            report.add_done_callback(self._death_reports.discard)
        self._process_pool.release_slot(game_connection.slot)
        for user_id, connection in list(self._connections.items()):
            if connection is game_connection:
                del self._connections[user_id]

    async def _report_death(self, game_connection: GameConnection, assignment: GameAssignment) -> None:
        """If the game's process has died, log why and record it with the player's episode (rule R16)."""
        pid, status = game_connection.slot.process.pid, None
        for delay in EXIT_STATUS_DELAYS_SECONDS:
            await asyncio.sleep(delay)
            status = await asyncio.to_thread(get_fork_server().find_exit_status, pid)
            if status is not None:
                break
        cause = game_connection.death_cause or status
        if cause is None or cause == CLEAN_EXIT:
            return
        log.error(
            "game process died pid=%d game=%s user=%s cause=%s", pid, assignment.game.id, assignment.user_id, cause
        )
        try:
            await asyncio.to_thread(recover_user_episodes, assignment.journal_folder, assignment.user_id, cause)
        except OSError as error:
            log.warning("cannot record why a game process died, the uploader ends its episode pid=%d: %s", pid, error)

    def _make_assignment(
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
