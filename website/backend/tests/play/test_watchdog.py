"""The watchdog kills a game that does not answer, and not one whose answer the server has not read yet."""

import asyncio
import socket
from typing import Any

import pytest

from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.play.connections.player_activity import ActivityLimits, PlayerActivity
from skill_arcade.play.processes.ipc import MessageParser, ToGame, ToServer, pack

pytestmark = pytest.mark.anyio
MAX_STEP_SECONDS = 3.0


class FakeSlot:
    """A place of a game whose process is this object; it counts what the watchdog does to it."""

    pid = 1

    def __init__(self) -> None:
        self.process, self.signals = self, list[str]()

    def abort(self) -> None:
        self.signals.append("abort")

    def kill(self) -> None:
        self.signals.append("kill")


async def open_game() -> tuple[GameConnection, FakeSlot, socket.socket]:
    """Return a connection to a ready game, its process, and the game's end of the pipe."""
    ours, theirs = socket.socketpair()
    slot: Any = FakeSlot()
    activity = PlayerActivity(ActivityLimits(60, 60, 60), 0.0)
    connection = await GameConnection.open(slot, ours, lambda game_connection: None, activity)
    theirs.sendall(pack(ToServer.READY))
    await asyncio.wait_for(connection.ready, 5)
    return connection, slot, theirs


async def test_watchdog_without_answer_aborts_and_then_kills() -> None:
    connection, slot, pipe = await open_game()
    for _ in range(3):
        connection.check_responsive(MAX_STEP_SECONDS)
    assert slot.signals == []
    for _ in range(2):
        connection.check_responsive(MAX_STEP_SECONDS)
    assert slot.signals == ["abort", "kill"]
    assert connection.death_cause is not None
    assert [kind for kind, _ in MessageParser().feed(pipe.recv(4096))] == [ToGame.PING]
    pipe.close()


async def test_watchdog_with_answers_asks_again_and_lets_the_game_go_on() -> None:
    connection, slot, pipe = await open_game()
    for _ in range(10):
        connection.check_responsive(MAX_STEP_SECONDS)
        pipe.recv(4096)
        pipe.sendall(pack(ToServer.PONG))
        await asyncio.sleep(0.02)
    assert slot.signals == []
    pipe.close()


async def test_watchdog_after_a_stopped_server_does_not_count_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, slot, pipe = await open_game()
    connection.check_responsive(MAX_STEP_SECONDS)
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: 1e9)  # as if the server had been stopped for years
    connection.check_responsive(MAX_STEP_SECONDS)
    monkeypatch.undo()
    assert slot.signals == []
    pipe.close()
