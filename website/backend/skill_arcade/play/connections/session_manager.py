"""Starts, finds and ends game sessions: one per player, and at most `MAX_GAMES` on this server.

A player who reconnects in time gets their running game; otherwise a new one is started.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from itertools import count
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from skill_arcade.errors import NotReady, ServerShuttingDown, TooManyGames
from skill_arcade.games.manifest import Manifest, hash_manifest
from skill_arcade.play.assignment import (
    GameAssignment,
    GameRequest,
    PlayingAgent,
    ResumedEpisode,
    StudyAssignment,
)
from skill_arcade.play.connections.game_connection import WATCHDOG_POLL_SECONDS, GameConnection
from skill_arcade.play.connections.game_registry import GameRegistry, OnWait
from skill_arcade.play.connections.player_activity import ActivityLimits, PlayerActivity
from skill_arcade.play.connections.player_connections import PlayerConnection, PlayerLock
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.start_limiter import StartLimiter
from skill_arcade.play.connections.watch_hub import WatchRegistry
from skill_arcade.play.processes.child_reaper import CLEAN_EXIT
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.play.processes.process_pool import GameProcessPool
from skill_arcade.recording.recovery import recover_user_episodes
from skill_arcade.recording.segment import SERVER_STOPPED
from skill_arcade.telemetry import Format
from skill_arcade.wire.close_codes import CloseCode

log = logging.getLogger(__name__)

EXIT_STATUS_DELAYS_SECONDS = (0.0, 0.1, 0.4, 1.0)
"""Delays before the exit status of a game's process is looked up, because it exits after its pipe is closed."""
REPLACE_TIMEOUT_SECONDS = 5.0
"""Timeout for the end of a player's previous game. After it the game process is killed, and the uploader finishes the
episode.
"""
MAX_RECOVERY_SECONDS = 300.0
"""Time that the recovery of an episode of a lost server may take. An hour of an Atari game takes 10 to 20 s."""
SLOW_START_SECONDS = 3.0
"""Time within which a game should start (the service-level objective in deploy/infrastructure/monitoring.tf)."""
RESTART_REASON = "The server is restarting. Try again in a moment."


async def do_not_wait() -> None:
    """Do nothing: the player need not know that the game waits for another server."""


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
        server_id: UUID | None = None,
        has_own_address: bool = False,
        log_options: tuple[Format, str] = ("text", "INFO"),
        max_step_seconds: float = 10.0,
        game_memory_mb: int | None = None,
        max_watchers_per_game: int = 50,
        max_watchers: int = 200,
    ) -> None:
        """`max_address_games` is the number of games of one client address; None means no limit.

        `idle_seconds` and `inactive_seconds` are those of `ActivityLimits`. With `has_own_address` links to watch name
        this server, so that they work on any page.
        """
        self.capacity = capacity
        named = server_id if has_own_address else None
        self.watch_registry = WatchRegistry(max_watchers_per_game, max_watchers, named)
        self.registry: GameRegistry | None = None
        """The games on other servers, or None if there is no other server."""
        self.rejections: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """Since the server started: `starts` and `slow_starts` of games, and, of games that ended, their `steps` and
        `late_steps`.
        """
        self._opening_count, self._start_limiter = 0, StartLimiter()
        self._connection_ids = count(1)
        self._player_locks: WeakValueDictionary[str, PlayerLock] = WeakValueDictionary()
        self._segment_seconds, self._resume_seconds = segment_seconds, resume_seconds
        self._max_games, self._commit, self._server_id = max_games, commit, server_id
        self._max_address_games = max_games if max_address_games is None else max_address_games
        self._activity_limits = ActivityLimits(idle_seconds, inactive_seconds, resume_seconds)
        self._opening_addresses: Counter[str] = Counter()
        self._process_pool = GameProcessPool(games_per_process, log_options, game_memory_mb)
        self._max_step_seconds = max_step_seconds
        self._watchdog_task: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._connections: dict[str, GameConnection] = {}
        self._is_shutting_down = False
        self._leaving: dict[str, UUID | None] = {}
        """Players whose game this server, which stops, has let go, and the episode that it has handed over, if any."""

    @property
    def n_games(self) -> int:
        """Number of running games."""
        return len(self._connections)

    @property
    def late_us(self) -> int:
        """The greatest lateness of a tick that any running game has reported last, in microseconds."""
        return max((game_connection.late_us for game_connection in self._connections.values()), default=0)

    def count_steps(self) -> tuple[int, int]:
        """Return the number of steps with a deadline since the server started, and how many of them were late."""
        running = self._connections.values()
        steps = self.counts["steps"] + sum(connection.n_timed_steps for connection in running)
        return steps, self.counts["late_steps"] + sum(connection.n_late_steps for connection in running)

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
        """Reject new games, hand the running ones over or end them (rule O30), and wait until they are sealed."""
        self._is_shutting_down = True
        games = dict(self._connections)
        for game_connection in games.values():
            game_connection.hand_over(SERVER_STOPPED, CloseCode.RESTARTING)
        if games:
            leaving = [asyncio.create_task(self._leave(user_id, game)) for user_id, game in games.items()]
            await asyncio.wait(leaving, timeout=grace_seconds)
        for game_connection in games.values():
            if not game_connection.closed.done():
                process = game_connection.slot.process
                log.error("game did not end in time, killing it pid=%d timeout_s=%.0f", process.pid, grace_seconds)
                process.kill()
        if self._watchdog_task is not None:
            self._watchdog_task.cancel()
        if self._background:
            await asyncio.wait(self._background)

    async def _leave(self, user_id: str, game_connection: GameConnection) -> None:
        """Wait until a game is sealed, and tell other servers that they may have it."""
        self._leaving[user_id] = None
        await asyncio.wait([game_connection.closed])
        self._leaving[user_id] = game_connection.handed_over
        if self.registry is not None:
            await self.registry.release_game(user_id, game_connection.handed_over)

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
        request: GameRequest,
        address: str = "",
        on_wait: OnWait = do_not_wait,
    ) -> GameConnection:
        """Return the player's running game if it is this one, or start it.

        If another server has the player's game, it is asked for it, and its episode is continued here (rule O26).

        * `address`: key of the client address, whose number of games is limited.
        * `on_wait`: called once if another server has to let the game go first.

        Raises:
            TooManyGames: the server is full, or the address has its share of games.
            NotReady: the recording disk is full, or the server is shutting down.
            TakenOver: a newer connection of the same player exists.
        """
        try:
            async with player_connection.lock.lock:
                player_connection.ensure_latest()
                return await self._find_connection(player_connection, request, address, on_wait)
        except (NotReady, TooManyGames) as error:
            self.rejections[type(error).__name__] += 1
            raise

    async def _find_connection(
        self, player_connection: PlayerConnection, request: GameRequest, address: str, on_wait: OnWait
    ) -> GameConnection:
        current = self._connections.get(player_connection.user_id)
        if self._is_shutting_down:
            raise ServerShuttingDown(RESTART_REASON)
        if current is not None and not current.closed.done():
            assignment = current.assignment
            if not current.is_stopped and assignment is not None and assignment.fulfils(request):
                if self.registry is not None and not await self.registry.keep_game(player_connection):
                    await self._end_current_game(current, "taken-over")
                elif not current.is_stopped and not current.closed.done():
                    current.connection_number = player_connection.number
                    return current
            else:
                await self._end_current_game(current)
        if len(self._connections) + self._opening_count >= self._max_games:
            raise TooManyGames("The server is full. Try again in a few minutes.")
        self._check_address(address)
        self.capacity.check()
        self._opening_count += 1
        self._opening_addresses[address] += 1
        assignment = self._make_assignment(player_connection.user_id, request)
        claimed: ResumedEpisode | None = None
        try:
            if self.registry is not None:
                claimed = await self.registry.claim_game(player_connection, assignment, on_wait)
                assignment = assignment.model_copy(update={"resumed": claimed})
            requested_at = time.monotonic()
            async with self._start_limiter.slot() as started:
                if self._is_shutting_down:
                    raise ServerShuttingDown(RESTART_REASON)
                started.append(game_connection := await self._open_connection(assignment, address))
                self._connections[player_connection.user_id] = game_connection
                game_connection.lock = player_connection.lock
                game_connection.connection_number = player_connection.number
                game_connection.watch_registry = self.watch_registry
                game_connection.assign(assignment)
                claimed = None  # from here on `ready` tells whether it goes on
                game_connection.ready.add_done_callback(lambda _: self._on_ready(game_connection, requested_at))
        finally:
            if claimed is not None:
                self._leave_claimed(player_connection.user_id, claimed)
            self._opening_count -= 1
            self._opening_addresses[address] -= 1
            if not self._opening_addresses[address]:
                del self._opening_addresses[address]
        return game_connection

    async def recover(self, user_id: str, game: Manifest, options: dict[str, str], episode: ResumedEpisode) -> bool:
        """Let a game process add to an episode what its lost server has shipped, and end it (rule R35).

        Return False if the steps do not lead to what was recorded. It is no game that anybody plays, and does not count
        as one.
        """
        if self._is_shutting_down:
            return False
        assignment = self._make_assignment(user_id, GameRequest(game, options))
        assignment = assignment.model_copy(update={"resumed": episode})
        async with self._start_limiter.slot() as started:
            started.append(game_connection := await self._open_connection(assignment, ""))
            game_connection.assign(assignment)
        await asyncio.wait([game_connection.closed], timeout=MAX_RECOVERY_SECONDS)
        if not game_connection.closed.done():
            game_connection.stop("crashed")
        return game_connection.has_resumed

    def _on_ready(self, game_connection: GameConnection, requested_at: float) -> None:
        assignment = game_connection.assignment
        if assignment is not None and assignment.resumed is not None and not game_connection.has_resumed:
            self._end_claimed(assignment.resumed.id)
        self._count_start(game_connection, requested_at)

    def _count_start(self, game_connection: GameConnection, requested_at: float) -> None:
        """Count a start when the game is ready, or failed. A failure is as bad as a wait."""
        if game_connection.is_stopped:
            return  # the player left before it was ready
        self.counts["starts"] += 1
        failed = game_connection.closed.done() or time.monotonic() - requested_at > SLOW_START_SECONDS
        self.counts["slow_starts"] += failed

    def _check_address(self, address: str) -> None:
        """Raise TooManyGames if this client address has its share of games."""
        running = sum(connection.address == address for connection in self._connections.values())
        if running + self._opening_addresses[address] >= self._max_address_games:
            raise TooManyGames(
                f"Too many games from your IP address: at most {self._max_address_games}. Close one and try again."
            )

    async def _end_current_game(
        self, current: GameConnection, reason: str = "left", close_code: CloseCode = CloseCode.NORMAL
    ) -> None:
        """End the game that a player has left, by default for another one."""
        current.stop(reason, close_code)
        await self._wait_closed(current)

    async def _wait_closed(self, current: GameConnection) -> None:
        await asyncio.wait([current.closed], timeout=REPLACE_TIMEOUT_SECONDS)
        if not current.closed.done():
            process = current.slot.process
            log.error(
                "game did not end in time, killing it pid=%d timeout_s=%.0f", process.pid, REPLACE_TIMEOUT_SECONDS
            )
            process.kill()
            await current.closed

    def is_daily_running(self, user_id: str, day: str) -> bool | None:
        """Return whether the player's try of a day's challenge runs on this server; False: it has ended; None: unknown.

        A try that runs may be continued after a reconnect.
        """
        current = self._connections.get(user_id)
        daily = None if current is None or current.assignment is None else current.assignment.daily
        if current is None or daily is None or daily.day != day or not current.activity.has_started:
            return None
        return current.activity.has_episode and not current.is_stopped and not current.closed.done()

    def running_trial(self, user_id: str) -> StudyAssignment | None:
        """Return the trial of a study whose episode runs on this server, or may be continued after a reconnect."""
        current = self._connections.get(user_id)
        if current is None or current.is_stopped or current.closed.done() or not current.activity.has_episode:
            return None
        return None if current.assignment is None else current.assignment.study

    def list_watchable_agents(self) -> Iterator[tuple[PlayingAgent, Manifest, str]]:
        """Yield the agents that play on this server and allow watching: the version, the game and the link's token."""
        for game_connection in self._connections.values():
            assignment, token = game_connection.assignment, game_connection.watch_token
            if assignment is not None and assignment.consent.agent is not None and token is not None:
                yield assignment.consent.agent, assignment.game, token

    def has_game(self, user_id: str) -> bool:
        """Return whether the player has a game on this server that runs, starts, or is handed over as it stops."""
        lock = self._player_locks.get(user_id)
        is_starting = lock is not None and lock.lock.locked()
        return user_id in self._connections or user_id in self._leaving or is_starting

    def is_in_game(self, user_id: str) -> bool:
        """Return whether the player has a game on this server that they play, may continue, or are starting."""
        current = self._connections.get(user_id)
        return self.has_game(user_id) if current is None else current.is_in_use

    async def end_lost_game(
        self,
        user_id: str,
        number: int,
        *,
        is_taken: bool,
        on_let_go: Callable[[UUID | None], Awaitable[None]] | None = None,
    ) -> None:
        """End a player's game because another server has it, or nobody may have it.

        * `number`: the player's newest connection that the game was for. It and earlier ones cannot start another one.
        * `is_taken`: the player has a newer connection to another server, which may continue the episode. The page here
          is told so.
        * `on_let_go`: called once no game of these connections is left, with the episode to continue, if any. Newer
          connections of the player wait for it.
        """
        player_lock = self._player_locks.setdefault(user_id, PlayerLock())
        player_lock.supersede(number)
        async with player_lock.lock:
            current, episode = self._connections.get(user_id), self._leaving.get(user_id)
            if current is not None and not current.closed.done() and current.connection_number <= number:
                if is_taken:
                    current.hand_over("taken-over")
                    await self._wait_closed(current)
                    episode = current.handed_over
                else:
                    await self._end_current_game(current)
            if on_let_go is not None and (current is None or current.closed.done()):
                await on_let_go(episode)

    async def end_game(self, user_id: str) -> None:
        """End the player's running game, if there is one, and wait until its recording is sealed."""
        current = self._connections.get(user_id)
        if current is not None and not current.closed.done():
            await self._end_current_game(current)

    async def _open_connection(self, assignment: GameAssignment, address: str) -> GameConnection:
        activity = PlayerActivity(self._activity_limits, time.monotonic())
        is_repeating = assignment.resumed is not None or assignment.branch is not None
        try:
            slot, pipe = await self._process_pool.acquire_slot(assignment.game.environment, is_repeating=is_repeating)
            connection = await GameConnection.open(slot, pipe, self._on_game_closed, activity, address)
        except OSError as error:
            log.exception("cannot start a game process")
            raise NotReady("The game could not be started. Try again in a moment.") from error
        connection.ready.add_done_callback(lambda _: slot.end_repetition())
        return connection

    def _on_game_closed(self, game_connection: GameConnection) -> None:
        if game_connection.assignment is not None and (
            game_connection.death_cause is not None or not game_connection.is_stopped
        ):
            self._run_in_background(self._report_death(game_connection, game_connection.assignment))
        self._process_pool.release_slot(game_connection.slot)
        for user_id, connection in list(self._connections.items()):
            if connection is game_connection:
                del self._connections[user_id]
                self.counts["steps"] += connection.n_timed_steps
                self.counts["late_steps"] += connection.n_late_steps

    def _end_claimed(self, episode_id: UUID) -> None:
        """End an episode of another server that no game process continues, in the background."""
        if self.registry is not None:
            self._run_in_background(self.registry.end_episode(episode_id))

    def _leave_claimed(self, user_id: str, episode: ResumedEpisode) -> None:
        """Leave a claimed episode to a third server if this one stops; end it otherwise."""
        if self.registry is None or not self._is_shutting_down or not episode.is_whole:
            self._end_claimed(episode.id)
        else:
            self._run_in_background(self.registry.return_episode(user_id, episode.id))

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work for which `stop` waits."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

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

    def _make_assignment(self, user_id: str, request: GameRequest) -> GameAssignment:
        return GameAssignment(
            user_id=user_id,
            game=request.game.choose(request.options),
            options=request.options,
            manifest_hash=hash_manifest(request.game, request.options),
            journal_folder=self.capacity.folder,
            segment_seconds=self._segment_seconds,
            resume_seconds=self._resume_seconds,
            commit=self._commit,
            server_id=self._server_id,
            lockstep_module=None if request.daily is not None else request.lockstep_module,
            daily=request.daily,
            ghost=request.ghost,
            consent=request.consent,
            study=request.study,
            branch=request.branch,
            agent=request.agent,
        )
