"""O11: a player has one active connection, and the newest wins, however long it was delayed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from skill_arcade.errors import TakenOver
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import GameRequest
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from tests.support.session_harness import HELLO_MESSAGE

pytestmark = pytest.mark.anyio
GAMES = load_catalogue(None).games


@pytest.fixture
async def sessions(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SessionManager]:
    capacity = RecordingCapacity(tmp_path / "journal", tmp_path / "report", min_free_bytes=0, max_stall_seconds=60)
    manager = SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=4, games_per_process=4)
    yield manager
    await manager.stop()


async def join(
    sessions: SessionManager, number: int, game: str = "tower-of-hanoi"
) -> tuple[GameConnection, ClientQueue]:
    """Do what the play socket does once it has authorized a connection."""
    game_connection = await sessions.get_or_start_game(
        sessions.register_connection("ada", number), GameRequest(GAMES[game])
    )
    return game_connection, game_connection.attach(HELLO_MESSAGE)


async def test_O11_delayed_older_connection_is_rejected_as_taken_over(sessions: SessionManager) -> None:
    older, newer = sessions.next_connection_id(), sessions.next_connection_id()
    game_connection, client_queue = await join(sessions, newer)
    with pytest.raises(TakenOver):
        await join(sessions, older)  # its page was reloaded while it was still being authorized
    with pytest.raises(TakenOver):
        await join(sessions, older, "frozen-lake")
    assert client_queue.closing is None
    assert not game_connection.closed.done()
    assert sessions.n_games == 1


async def test_O11_newest_of_waiting_connections_wins_in_any_order(
    sessions: SessionManager,
) -> None:
    numbers = [sessions.next_connection_id() for _ in range(4)]
    order = [numbers[index] for index in (1, 3, 0, 2)]
    results = await asyncio.gather(*(join(sessions, number) for number in order), return_exceptions=True)
    game_connections = dict(zip(order, results, strict=True))
    for number in numbers[:-1]:
        assert isinstance(game_connections[number], TakenOver) or game_connections[number][1].closing is not None  # type: ignore[index]
    newest = game_connections[numbers[-1]]
    assert not isinstance(newest, BaseException)
    assert newest[1].closing is None
    assert sessions.n_games == 1


async def test_O11_message_of_superseded_connection_does_not_reach_game(sessions: SessionManager) -> None:
    game_connection, first = await join(sessions, sessions.next_connection_id())
    _, second = await join(sessions, sessions.next_connection_id())
    game_connection.submit(first, b'{"type": "start", "at": 2}')
    game_connection.submit(second, b'{"type": "ping", "at": 3, "id": 1, "previous": null}')
    texts: list[str] = []
    async with asyncio.timeout(20):
        while not any('"pong"' in text for text in texts):
            message = await second.get()
            assert message is not None, second.closing
            texts += [message] if isinstance(message, str) else []
    assert not any('"started"' in text for text in texts)


async def test_O11_newer_connection_takes_over_and_may_change_game(sessions: SessionManager) -> None:
    game_connection, first = await join(sessions, sessions.next_connection_id())
    same, second = await join(sessions, sessions.next_connection_id())
    assert same is game_connection
    assert first.closing is not None
    other, _ = await join(sessions, sessions.next_connection_id(), "frozen-lake")
    assert other is not game_connection
    assert game_connection.closed.done()
    assert second.closing is not None


async def test_O26_server_that_is_told_twice_hands_its_game_over_before_it_says_that_it_has_none(
    sessions: SessionManager,
) -> None:
    number = sessions.next_connection_id()
    game_connection, client_queue = await join(sessions, number)
    game_connection.submit(client_queue, b'{"type":"start","at":1,"mode":"streamed","program":null}')
    async with asyncio.timeout(60):
        while b'"started"' not in str(message := await client_queue.get()).encode():
            assert message is not None
    let_go: list[UUID | None] = []

    async def on_let_go(episode: UUID | None) -> None:
        let_go.append(episode)

    await asyncio.gather(
        sessions.end_lost_game("ada", number, is_taken=True, on_let_go=on_let_go),
        sessions.end_lost_game("ada", 0, is_taken=True, on_let_go=on_let_go),
    )
    assert let_go == [game_connection.handed_over, None]
    assert game_connection.handed_over is not None
    assert sessions.n_games == 0
