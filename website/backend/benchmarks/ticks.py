"""Where the CPU of a streamed tick goes: game processes without a server, each part with the thread's CPU clock.

The processes are forked from this one with everything preloaded, as the fork server does it. This process plays: it
reads the frames, acknowledges every sixth, and changes the pressed keys about four times per second.
"""

import json
import os
import random
import selectors
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.players import GAMES
from benchmarks.report import Report, load_average
from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.frames.encoder import Encoder
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.processes.environment_pool import EnvironmentPool
from skill_arcade.play.processes.game_process import GameProcess
from skill_arcade.play.processes.ipc import RECEIVED_TIME, MessageParser, ToGame, ToServer, pack
from skill_arcade.play.session import session_runner
from skill_arcade.play.session.clock import now_us
from skill_arcade.play.session.session import Session
from skill_arcade.play.session.session_runner import SessionRunner
from skill_arcade.recording import journal
from skill_arcade.recording.journal import Journal
from skill_arcade.wire.messages import Hello
from tests.support.arcade import now_ms

HELLO = Hello(
    type="hello",
    at=0.0,
    protocol=1,
    time_origin=0,
    browser="benchmark",
    screen=(800, 600),
    pixel_ratio=1,
    refresh_hz=60,
    isolated=True,
)
WARM_UP_SECONDS = 2.0
# Each part contains the ones below it that are indented.
PARTS: dict[str, tuple[Any, str]] = {
    "session": (SessionRunner, "run_ready"),
    "  pipe read": (SessionRunner, "_read"),
    "  messages": (Session, "receive"),
    "  environment step": (AtariPlayableEnv, "step"),
    "  encode": (Encoder, "encode"),
    "  journal": (Journal, "step"),
    "    write": (journal, "write_all"),
    "  pipe write": (session_runner._PipeSink, "_write"),
}
COLUMNS = ("games", "games a process", "part", "us a tick", "calls a tick", "load")


class PartTimers:
    """CPU time and calls of each part in this process."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def install(self) -> None:
        """Measure every call of the parts from now on."""
        for part, (owner, name) in PARTS.items():
            setattr(owner, name, self._timed(part, getattr(owner, name)))

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                self.ns[part] += time.thread_time_ns() - began
                self.calls[part] += 1

        return timed


class ScriptedGame:
    """The server's end of one game, which plays it."""

    def __init__(self, pipe: socket.socket, assignment: GameAssignment) -> None:
        self.pipe, self.n_frames = pipe, 0
        self._parser, self._rng, self._held = MessageParser(), random.Random(assignment.user_id), ""
        self._send(ToGame.ASSIGN, assignment.model_dump_json().encode())
        self._send(ToGame.ATTACH, HELLO.model_dump_json().encode())
        self._start()

    def _start(self) -> None:
        self.say(type="start", at=now_ms())

    def say(self, **message: Any) -> None:
        """Send a message as the page does."""
        self._send(ToGame.MESSAGE, RECEIVED_TIME.pack(now_us()) + json.dumps(message).encode())

    def _send(self, kind: ToGame, payload: bytes) -> None:
        self.pipe.sendall(pack(kind, payload))

    def read(self) -> None:
        """Answer what has arrived."""
        for kind, payload in self._parser.feed(self.pipe.recv(1 << 16)):
            if kind == ToServer.TEXT and payload.startswith(b'{"type":"ended"'):
                self._start()
            elif kind == ToServer.CLOSE:
                raise ValueError(f"the game closes the connection: {payload!r}")
            elif kind == ToServer.FRAME:
                self._on_frame(int.from_bytes(payload[4:8], "little"))

    def _on_frame(self, frame: int) -> None:
        self.n_frames += 1
        if frame % 6 == 0:
            self.say(type="shown", received=frame, frames=[[frame, now_ms()]])
        if self._rng.random() < 0.06:
            if self._held:
                self._press(self._held, down=False)
            self._held = self._rng.choice(("left", "right"))
            self._press(self._held, down=True)

    def _press(self, control: str, *, down: bool) -> None:
        self.say(type="input", at=now_ms(), control=control, down=down, frame=None, device="keyboard", code=control)


def run(n_games: int = 16, games_per_process: int = 4, seconds: float = 12.0) -> Report:
    """Measure `n_games` games in processes of `games_per_process`."""
    report = Report("ticks", COLUMNS)
    catalogue = load_catalogue()
    games = [catalogue.games[GAMES[number % len(GAMES)]] for number in range(n_games)]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ticks-"))
        processes, players = [], []
        for first in range(0, n_games, games_per_process):
            processes.append(process := start_process(games[first : first + games_per_process]))
            stack.callback(process.kill)
        for number, game in enumerate(games):
            process = processes[number // games_per_process]
            players.append(player := add_game(process.control, game, number, Path(folder)))
            stack.enter_context(player.pipe)
        play(players, WARM_UP_SECONDS)
        for process in processes:
            os.kill(process.pid, signal.SIGUSR1)
        play(players, seconds)
        measured = []
        for process in processes:
            os.kill(process.pid, signal.SIGUSR2)
            measured.append(json.loads(process.results.recv(1 << 16)))
    n_ticks = sum(one["calls"]["  environment step"] for one in measured)
    add_rows(report, (n_games, games_per_process), measured, n_ticks)
    report.facts = {
        "games": ", ".join(GAMES),
        "measured s": seconds,
        "ticks": n_ticks,
        "CPU a game, % of a core": sum(one["process_ns"] for one in measured) / 1e7 / seconds / n_games,
    }
    return report


def add_rows(report: Report, sizes: tuple[int, int], measured: list[dict[str, Any]], n_ticks: int) -> None:
    """Add a row for each part, and for what the parts leave over."""
    total = sum(one["process_ns"] for one in measured)
    timed = sum(one["ns"]["session"] for one in measured)
    report.add(*sizes, "process", total / 1000 / n_ticks, 1.0, load_average())
    report.add(*sizes, "waiting and system", (total - timed) / 1000 / n_ticks, 1.0, load_average())
    for part in PARTS:
        ns, calls = (sum(one[name].get(part, 0) for one in measured) for name in ("ns", "calls"))
        report.add(*sizes, part, ns / 1000 / n_ticks, calls / n_ticks, load_average())


class MeasuredProcess(NamedTuple):
    """A game process, its control socket, and the socket on which it sends its results."""

    pid: int
    control: socket.socket
    results: socket.socket

    def kill(self) -> None:
        """End the process, and close its sockets."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.control.close()
        self.results.close()


def start_process(games: list[Manifest]) -> MeasuredProcess:
    """Fork a game process."""
    control, child_control = socket.socketpair()
    results, child_results = socket.socketpair()
    pool = EnvironmentPool()
    for game in games:
        pool.reserve(game.environment, 1)
        while pool.has_pending:
            pool.warm_one()
    if (pid := os.fork()) == 0:
        try:
            run_process(child_control, child_results, pool)
        finally:
            os._exit(1)
    child_control.close()
    child_results.close()
    return MeasuredProcess(pid, control, results)


def run_process(control: socket.socket, results: socket.socket, pool: EnvironmentPool) -> None:
    """Run games. SIGUSR1 begins the measurement, SIGUSR2 ends it and sends the results."""
    timers, began_ns = PartTimers(), 0

    def begin(*_: Any) -> None:
        nonlocal began_ns
        timers.install()
        began_ns = time.process_time_ns()

    def end(*_: Any) -> None:
        spent = time.process_time_ns() - began_ns
        results.send(json.dumps({"ns": timers.ns, "calls": timers.calls, "process_ns": spent}).encode())

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    GameProcess(control, pool).run()


def add_game(control: socket.socket, game: Manifest, number: int, folder: Path) -> ScriptedGame:
    """Start a game in a process."""
    pipe, child_pipe = socket.socketpair()
    with child_pipe:
        socket.send_fds(control, [b"+"], [child_pipe.fileno()])
    assignment = GameAssignment(
        user_id=f"player-{number}",
        game=game,
        manifest_hash="",
        journal_folder=folder,
        segment_seconds=5,
        resume_seconds=60,
    )
    return ScriptedGame(pipe, assignment)


def play(players: list[ScriptedGame], seconds: float) -> None:
    """Answer all games for this time."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for player in players:
            selector.register(player.pipe, selectors.EVENT_READ, player)
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                key.data.read()
