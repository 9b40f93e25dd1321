"""R7: when nothing more can be recorded, games that have a seat already are told too."""

import asyncio
import json
from pathlib import Path

import pytest

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.connections.game_connection import ClientQueue
from skill_arcade.play.connections.recording_capacity import Backlog, RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.wire.close_codes import CloseCode
from tests.support.session_harness import HELLO

pytestmark = pytest.mark.anyio
HANOI = load_catalogue(None).games["tower-of-hanoi"]


def open_room(folder: Path) -> RecordingCapacity:
    return RecordingCapacity(folder / "journal", folder / "report", min_free_bytes=0, max_stall_seconds=60)


async def until(client_queue: ClientQueue, kind: str) -> None:
    while (message := await client_queue.get()) is not None:
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return
    raise AssertionError(f"closed before {kind}")


async def test_R7_a_game_that_waits_for_its_next_episode_refuses_it_in_words_while_there_is_no_room(
    tmp_path: Path,
) -> None:
    sessions = SessionManager(
        capacity=open_room(tmp_path), segment_seconds=1, resume_seconds=5, max_games=1, games_per_process=4
    )
    game_connection = await sessions.get_or_start_game(
        sessions.register_connection("ada", sessions.next_connection_id()), HANOI
    )
    client_queue = game_connection.attach()
    game_connection.submit(json.dumps({"type": "hello", "at": 1.0, "isolated": True, **HELLO}))
    start = json.dumps({"type": "start", "at": 2.0})
    async with asyncio.timeout(20):
        await until(client_queue, "welcome")
        sessions.broadcast_capacity_error("The disk is full; try again later.")
        game_connection.submit(start)
        while await client_queue.get() is not None:
            pass
    assert client_queue.closing == (CloseCode.RECORDING_UNAVAILABLE, "The disk is full; try again later.")
    sessions.broadcast_capacity_error("")
    client_queue = game_connection.attach()
    game_connection.submit(json.dumps({"type": "hello", "at": 3.0, "isolated": True, **HELLO}))
    game_connection.submit(start)
    async with asyncio.timeout(20):
        await until(client_queue, "started")
    await sessions.stop()


async def test_whoever_watches_the_room_is_told_each_change_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.POLL_SECONDS", 0.01)
    capacity, told = open_room(tmp_path), list[str]()
    watching = asyncio.create_task(capacity.watch(told.append))
    async with asyncio.timeout(10):
        for least, expected in ((1 << 60, 1), (0, 2)):
            capacity.min_free_bytes = least
            while len(told) < expected:
                await asyncio.sleep(0.01)
    watching.cancel()
    assert "no new game starts" in told[0]
    assert told[1] == ""


async def test_the_watch_goes_on_when_a_look_fails_and_a_report_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capacity, looks, told = open_room(tmp_path), 0, asyncio.Event()
    (tmp_path / "report").write_text('{"segm')
    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.POLL_SECONDS", 0.001)

    def stumble(folder: Path) -> Backlog:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise PermissionError("no entry")
        capacity.min_free_bytes = 1 << 60  # from now on there is something to tell
        return Backlog()

    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.measure_backlog", stumble)
    watching = asyncio.create_task(capacity.watch(lambda refusal: told.set()))
    async with asyncio.timeout(10):
        await told.wait()
    watching.cancel()
    assert capacity.uploader_status == {}
