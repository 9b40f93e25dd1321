"""The server's connection to one game session, and the outgoing queue of the client that is attached to it.

Back-pressure: a client that does not read is disconnected, and a game process that does not read is killed.
"""

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast
from uuid import UUID, uuid4

from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.player_activity import PlayerActivity
from skill_arcade.play.connections.player_connections import PlayerLock
from skill_arcade.play.connections.watch_hub import WatchHub, WatchRegistry
from skill_arcade.play.processes.ipc import (
    LATE_COUNTS,
    RECEIVED_TIME,
    WATCHER_COUNT,
    MessageParser,
    ToGame,
    ToServer,
    pack,
)
from skill_arcade.play.processes.process_pool import GameSlot
from skill_arcade.play.session.clock import now_us
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS
from skill_arcade.wire.messages import Hello, Notice, Watchable, WatchedGame

log = logging.getLogger(__name__)


MAX_QUEUED_MESSAGES = 1000
"""Messages that may wait for one client."""
MAX_UNREAD_BYTES = 4 << 20
"""Bytes that a game process may leave unread. A process that exceeds this hangs and is killed; its episodes are kept.
"""
WATCHDOG_POLL_SECONDS = 1.0
"""Interval at which every game is asked for a sign of life, and at which unused games are closed."""
MAX_START_SECONDS = 60.0
"""Time that a game may take to load and reset its environment."""
HUNG_REASON = "The game stopped responding and was ended. Everything you played is saved."
SHUTDOWN_REASON = "The server is restarting, so your game ends. Everything you played is saved."
HAND_OVER_REASON = "The server is restarting. Your game continues in a moment."


class ClientQueue:
    """Bounded queue of outgoing messages for one client. It ends when the client's connection is to be closed.

    A message that finds nothing before it is written at once by `write_now`, if the connection has such a function.
    """

    def __init__(self) -> None:
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._is_drained = False
        self.write_now: Callable[[str | bytes], bool] | None = None
        """Writes a message to the client's connection; returns False if the message has to wait."""
        self.closing: tuple[CloseCode, str] | None = None
        self.has_missed_attach = False  # the game ended before it processed ATTACH
        self.unprocessed_messages: list[bytes] = []  # sent by the page before ATTACHED

    def put(self, message: str | bytes) -> None:
        """Queue a message.

        The session drops frames for slow clients (rule F2); a client that reads nothing at all is disconnected.
        """
        if len(self._waiting) >= MAX_QUEUED_MESSAGES:
            self._waiting.clear()
            self.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
        if self.closing is not None:
            return
        if self._is_drained and not self._waiting and self.write_now is not None and self.write_now(message):
            return
        self._waiting.append(message)
        self._wake.set()

    def close(self, code: CloseCode, reason: str) -> None:
        """Request that the connection is closed after the queued messages."""
        if self.closing is None:
            self.closing = code, reason
        self._wake.set()

    async def get(self) -> str | bytes | None:
        """Return the next message, or None if the connection is to be closed.

        A call says that the message before it has been sent.
        """
        while not self._waiting:
            if self.closing is not None:
                return None
            self._wake.clear()
            self._is_drained = True
            try:
                await self._wake.wait()
            finally:
                self._is_drained = False
        return self._waiting.popleft()


class OnClosed(Protocol):
    """Callback for a game session that has ended."""

    def __call__(self, game_connection: "GameConnection") -> None:
        """Release what belongs to the game."""


class GameConnection(asyncio.Protocol):
    """A game session in its process, and at most one attached client."""

    def __init__(self, slot: GameSlot, on_closed: OnClosed, activity: PlayerActivity, address: str = "") -> None:
        """`address` is the key of the client address of the player."""
        self.slot, self.activity, self.address = slot, activity, address
        self.name = uuid4().hex[:12]  # session id in the log
        self.assignment: GameAssignment | None = None
        self.lock: PlayerLock | None = None
        self.connection_number = 0  # of the player's newest connection
        self.ready = asyncio.get_running_loop().create_future()  # done when the game is ready or has failed
        self.closed = asyncio.get_running_loop().create_future()
        self._on_closed = on_closed
        self._parser = MessageParser()
        self._client: ClientQueue | None = None
        self._unanswered_attaches = 0
        self._transport: asyncio.WriteTransport | None = None
        self._close_code = CloseCode.GAME_CRASHED
        self._close_reason: str | None = None
        self._unanswered_checks = 0  # since a PING that is not answered yet
        self.death_cause: str | None = None
        """Why this connection killed its game process, or None if it did not."""
        self.watch_registry: WatchRegistry | None = None  # None: nobody can watch
        self._watch_hub: WatchHub | None = None
        self.is_stopped = False  # STOP or HAND_OVER was sent: no client may attach any more
        self.handed_over: UUID | None = None
        """Episode that the game has left to another server, or None."""
        self.has_resumed, self._is_refused = False, False
        """True once the game goes on with the episode of another server that it was assigned."""
        self.late_us = self.n_timed_steps = self.n_late_steps = 0

    @classmethod
    async def open(
        cls, slot: GameSlot, pipe: socket.socket, on_closed: OnClosed, activity: PlayerActivity, address: str = ""
    ) -> "GameConnection":
        """Open the server's end of a game's pipe."""
        loop = asyncio.get_running_loop()
        _, game_connection = await loop.create_connection(lambda: cls(slot, on_closed, activity, address), sock=pipe)
        return game_connection

    def assign(self, assignment: GameAssignment) -> None:
        """Tell the game process which game to start."""
        self.assignment = assignment
        self._send(ToGame.ASSIGN, assignment.model_dump_json().encode())

    def attach(self, hello: Hello) -> ClientQueue:
        """Attach a client, and disconnect the one that is attached already."""
        if self._client is not None:
            self._client.close(CloseCode.TAKEN_OVER, REASONS[CloseCode.TAKEN_OVER])
            self._send(ToGame.DETACH)
        self._client = ClientQueue()
        self._unanswered_attaches += 1
        self._send(ToGame.ATTACH, hello.model_dump_json().encode())
        return self._client

    def detach(self, client_queue: ClientQueue) -> None:
        """Detach a client after its connection was lost. Does nothing if another client has taken over."""
        if client_queue is self._client:
            self._client = None
            self._send(ToGame.DETACH)

    def submit(self, client_queue: ClientQueue, text: bytes) -> None:
        """Forward a text message of the page, with its time of arrival, unless a newer connection has taken over."""
        if client_queue is not self._client:
            return
        self.activity.on_client_text(text, time.monotonic())
        if self._unanswered_attaches:
            client_queue.unprocessed_messages.append(text)
        self._send(ToGame.MESSAGE, RECEIVED_TIME.pack(now_us()) + text)

    def send_capacity_error(self, reason: str) -> None:
        """Tell the game why no new episode may start; an empty text means that it may. The running episode goes on."""
        self._send(ToGame.CAPACITY_ERROR, reason.encode())

    def stop(self, reason: str, close_code: CloseCode = CloseCode.NORMAL) -> None:
        """End the episode and the game; an attached client gets `close_code`."""
        self._stop(ToGame.STOP, reason, close_code)

    def hand_over(self, reason: str, close_code: CloseCode = CloseCode.TAKEN_OVER) -> None:
        """End the game, and leave its episode to another server if that is possible; it ends with `reason` otherwise.

        `close_code` says why: the player has a newer connection to another server, or this server is stopping.
        """
        self._stop(ToGame.HAND_OVER, reason, close_code)

    @property
    def is_in_use(self) -> bool:
        """Whether a client is attached, or may come back to an episode."""
        return not self.closed.done() and (self._client is not None or self.activity.has_episode)

    @property
    def _can_hand_over(self) -> bool:
        """Whether an episode runs that another server can continue."""
        return self.activity.has_episode and self.assignment is not None and self.assignment.can_move

    def _stop(self, kind: ToGame, reason: str, close_code: CloseCode) -> None:
        self._close_code, self._close_reason, self.is_stopped = close_code, None, True
        if self._client is not None and close_code is CloseCode.RESTARTING:
            is_moving = kind is ToGame.HAND_OVER and self._can_hand_over
            self._close_reason = HAND_OVER_REASON if is_moving else None
            self._client.put(Notice(type="notice", text=self._close_reason or SHUTDOWN_REASON).model_dump_json())
        if self._client is not None and close_code is CloseCode.TAKEN_OVER:
            self._client.close(close_code, REASONS[close_code])  # before the end of the episode, which is not theirs
        self._send(kind, reason.encode())

    def check_responsive(self, max_step_seconds: float) -> None:
        """Ask the game for a sign of life; kill its process if it has not answered the last request for too long.

        It is called every `WATCHDOG_POLL_SECONDS` and counts its calls: when the server itself was stopped for a while,
        the answers are not read yet.
        """
        limit = max_step_seconds if self.ready.done() else MAX_START_SECONDS
        waited_s = self._unanswered_checks * WATCHDOG_POLL_SECONDS
        self._unanswered_checks += 1
        if waited_s == 0:
            self._send(ToGame.PING)
        elif waited_s >= limit and self._transport is not None:
            process = self.slot.process
            if self.death_cause is None:
                self.death_cause = f"it did not respond for {limit:g} s: a call of its environment takes too long"
                self._close_reason = HUNG_REASON
                log.error("game is hung, ending it pid=%d timeout_s=%g", process.pid, limit)
                process.abort()
            else:
                process.kill()

    def close_if_unused(self, now: float) -> None:
        """Close the game of a player who has not played for the stated time (rules O12 and O13)."""
        activity = self.activity
        if self.is_stopped or not activity.is_unused(now) or activity.may_resume(now):
            return
        seconds = round(activity.limit_seconds)
        if self._client is None and activity.has_episode:
            return  # the session waits for a reconnect, and ends by itself
        log.info("game unused session=%s limit_s=%d episode=%s", self.name, seconds, activity.has_episode)
        if activity.has_episode and activity.warned_at is None:
            activity.warned_at = now
            self._close_client(f"No input for {seconds} s, so your game is paused. Open it again now to continue.")
        else:
            self._close_client(f"You have not played for {seconds} s, so your game was closed. Open the game again.")
            self.stop("idle", CloseCode.IDLE)

    def _close_client(self, reason: str) -> None:
        if self._client is not None:
            self._client.close(CloseCode.IDLE, reason)

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's transports do not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        client_queue = self._client
        for kind, payload in self._parser.feed(data):
            if kind == ToServer.FRAME:  # first, because nearly all messages are frames
                if client_queue is not None and not self._unanswered_attaches:
                    client_queue.put(payload)
                continue
            if kind in (ToServer.WATCH_FRAME, ToServer.WATCH_SCENE):
                self._on_watch_message(kind, payload)
                continue
            self._note(kind, payload)
            if client_queue is None or self._unanswered_attaches:
                continue  # it was sent to a client that has disconnected
            if kind == ToServer.TEXT:
                client_queue.put(payload.decode())
            elif kind == ToServer.CLOSE:
                client_queue.close(*_read_close(payload))

    def _note(self, kind: int, payload: bytes) -> None:
        """Take note of a message of the game, whether a client is attached or not."""
        if kind == ToServer.ATTACHED:
            self._unanswered_attaches -= 1
            if self._client is not None and not self._unanswered_attaches:
                self._client.unprocessed_messages.clear()
        elif kind == ToServer.READY and not self.ready.done():
            self.has_resumed = (
                self.assignment is not None and self.assignment.resumed is not None and not self._is_refused
            )
            self.ready.set_result(None)
        elif kind == ToServer.NOT_RESUMED:
            self._is_refused = True
        elif kind == ToServer.HANDED_OVER:
            self.handed_over = UUID(payload.decode())
        elif kind == ToServer.PONG:
            self._unanswered_checks = 0
        elif kind == ToServer.CLOSE and (close := _read_close(payload))[0] is CloseCode.GAME_CRASHED:
            # A game that cannot start says why before a client is attached.
            self._close_reason = close[1]
        elif kind == ToServer.LATE:
            self.late_us, n_timed, n_late = LATE_COUNTS.unpack(payload)
            self.n_timed_steps += n_timed
            self.n_late_steps += n_late
        elif kind == ToServer.TEXT:
            self.activity.on_server_text(payload, time.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the game, whether it was requested or not."""
        self._transport = None
        if self._client is not None:
            self._client.has_missed_attach = self._unanswered_attaches > 0
            self._client.close(self._close_code, self._close_reason or REASONS[self._close_code])
        self._close_watch_hub(*self._watch_close())
        for future in (self.ready, self.closed):
            if not future.done():
                future.set_result(None)
        self._on_closed(self)

    # -- watching ------------------------------------------------------------------------------------------------

    def _on_watch_message(self, kind: int, payload: bytes) -> None:
        if kind == ToServer.WATCH_SCENE:
            self._on_watch_scene(payload.decode())
        elif self._watch_hub is not None:
            self._watch_hub.publish_frame(payload)

    def _on_watch_scene(self, scene: str) -> None:
        """Open, update or end watching. An empty scene means that the player has ended it."""
        if not scene:
            self._close_watch_hub(CloseCode.WATCHING_ENDED, REASONS[CloseCode.WATCHING_ENDED])
            self._send_watchable()
            return
        if self.watch_registry is None or self.assignment is None:
            return
        if self._watch_hub is None:
            self._watch_hub = self.watch_registry.open_hub(self, describe_watched_game(self.assignment.game))
        self._watch_hub.publish_scene(scene)
        self._send_watchable()

    def _send_watchable(self) -> None:
        hub = self._watch_hub
        message = Watchable(
            type="watchable", token=None if hub is None else hub.token, n_watchers=0 if hub is None else hub.n_watchers
        )
        if self._client is not None:
            self._client.put(message.model_dump_json())

    def request_watch_keyframe(self) -> None:
        self._send(ToGame.WATCH_KEYFRAME)

    def report_watchers(self, count: int) -> None:
        """Tell the game, which records it, and the player."""
        self._send(ToGame.WATCHERS, WATCHER_COUNT.pack(count))
        self._send_watchable()

    def _watch_close(self) -> tuple[CloseCode, str]:
        code = self._close_code if self.is_stopped else CloseCode.GAME_CRASHED
        if code in (CloseCode.NORMAL, CloseCode.IDLE):
            return CloseCode.NORMAL, REASONS[CloseCode.NORMAL]
        return code, REASONS[code]

    @property
    def watch_token(self) -> str | None:
        """Token of the link by which the running episode can be watched, or None."""
        return None if self._watch_hub is None or not self.activity.has_episode else self._watch_hub.token

    def _close_watch_hub(self, code: CloseCode, reason: str) -> None:
        hub, self._watch_hub = self._watch_hub, None
        if hub is not None and self.watch_registry is not None:
            self.watch_registry.close_hub(hub, code, reason)

    def _send(self, kind: ToGame, payload: bytes = b"") -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.error("game process does not read its messages, killing it pid=%d", self.slot.process.pid)
            self.slot.process.kill()
            return
        self._transport.write(pack(kind, payload))


def _read_close(payload: bytes) -> tuple[CloseCode, str]:
    return CloseCode(int.from_bytes(payload[:2], "little")), payload[2:].decode()


def describe_watched_game(game: Manifest) -> str:
    """Return the message that describes a game to its watchers."""
    show = game.show
    return WatchedGame(
        type="game",
        name=game.name,
        hz=game.pace.hz if game.pace.kind == "real-time" else None,
        pixel_aspect=show.pixel_aspect,
        smooth=show.smooth,
        has_score=show.score,
    ).model_dump_json()
