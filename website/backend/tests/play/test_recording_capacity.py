"""R7: recording capacity is polled, and running games are told when no new episode may start."""

import asyncio
import json
from pathlib import Path

import pytest

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import GameRequest
from skill_arcade.play.connections.game_connection import ClientQueue
from skill_arcade.play.connections.recording_capacity import Backlog, RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.wire.close_codes import CloseCode
from tests.support.session_harness import HELLO_MESSAGE

pytestmark = pytest.mark.anyio
REASON = "The disk is full. Try again later."
HANOI = load_catalogue(None).games["tower-of-hanoi"]


def open_capacity(folder: Path) -> RecordingCapacity:
    return RecordingCapacity(folder / "journal", folder / "report", min_free_bytes=0, max_stall_seconds=60)


async def read_until(client_queue: ClientQueue, kind: str) -> None:
    while (message := await client_queue.get()) is not None:
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return
    raise AssertionError(f"closed before {kind}")


async def test_R7_capacity_error_rejects_next_episode_until_it_is_lifted(
    tmp_path: Path,
) -> None:
    sessions = SessionManager(
        capacity=open_capacity(tmp_path), segment_seconds=1, resume_seconds=5, max_games=1, games_per_process=4
    )
    game_connection = await sessions.get_or_start_game(
        sessions.register_connection("ada", sessions.next_connection_id()), GameRequest(HANOI)
    )
    client_queue = game_connection.attach(HELLO_MESSAGE)
    start = json.dumps({"type": "start", "at": 2.0}).encode()
    async with asyncio.timeout(20):
        await read_until(client_queue, "welcome")
        sessions.broadcast_capacity_error(REASON)
        game_connection.submit(client_queue, start)
        while await client_queue.get() is not None:
            pass
    assert client_queue.closing == (CloseCode.RECORDING_UNAVAILABLE, REASON)
    sessions.broadcast_capacity_error("")
    client_queue = game_connection.attach(HELLO_MESSAGE)
    game_connection.submit(client_queue, start)
    async with asyncio.timeout(20):
        await read_until(client_queue, "started")
    await sessions.stop()


async def test_R7_recording_capacity_watch_broadcasts_each_change_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.POLL_SECONDS", 0.01)
    capacity, reasons = open_capacity(tmp_path), list[str]()
    watch_task = asyncio.create_task(capacity.watch(reasons.append))
    async with asyncio.timeout(10):
        for min_free_bytes, expected in ((1 << 60, 1), (0, 2)):
            capacity.min_free_bytes = min_free_bytes
            while len(reasons) < expected:
                await asyncio.sleep(0.01)
    watch_task.cancel()
    assert "New games cannot start" in reasons[0]
    assert reasons[1] == ""


async def test_recording_capacity_watch_retries_after_failed_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capacity, n_polls, reasons = open_capacity(tmp_path), 0, asyncio.Event()
    (tmp_path / "report").write_text('{"segm')
    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.POLL_SECONDS", 0.001)

    def fail_once(folder: Path) -> Backlog:
        nonlocal n_polls
        n_polls += 1
        if n_polls == 1:
            raise PermissionError("no entry")
        capacity.min_free_bytes = 1 << 60  # so that the next poll changes the reason
        return Backlog()

    monkeypatch.setattr("skill_arcade.play.connections.recording_capacity.measure_backlog", fail_once)
    watch_task = asyncio.create_task(capacity.watch(lambda refusal: reasons.set()))
    async with asyncio.timeout(10):
        await reasons.wait()
    watch_task.cancel()
    assert capacity.uploader_status == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\0", b"[1, 2]", b"7", b"null", b'"x"', b"[" * 50_000, b'{"segments": ' + b"9" * 9_000_000, None],
    ids=["empty", "binary", "list", "number", "null", "text", "deep", "huge", "folder"],
)
def test_recording_capacity_odd_uploader_status_is_ignored(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "report"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    capacity = open_capacity(tmp_path)
    capacity.poll()
    assert capacity.uploader_status == {}
    capacity.check()


def test_recording_capacity_keeps_numbers_of_uploader_status_only(tmp_path: Path) -> None:
    text = '{"segments": "9", "failures": 2, "last_upload": NaN, "transitions": Infinity, "quarantined": [1]}'
    (tmp_path / "report").write_text(text)
    capacity = open_capacity(tmp_path)
    capacity.poll()
    assert capacity.uploader_status == {"failures": 2}
