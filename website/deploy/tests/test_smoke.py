"""The smoke test's own parts, against servers that are not its own: the socket, the player, the pages, GitHub."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Origin

from release import comment, github, page, pulls
from release.trouble import Trouble
from release.websocket import Closed, Refused, WebSocket
from stage import Stage

Talk = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """Run a server of the `websockets` library in a thread; its address."""
    ready, address, loop = threading.Event(), [""], asyncio.new_event_loop()

    async def run(end: asyncio.Event) -> None:
        ours = [None, Origin("https://ours.example")]
        async with serve(talk, "127.0.0.1", 0, origins=ours, compression=None) as server:
            address[0] = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws/game?token=t"
            ready.set()
            await end.wait()

    end = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(end)))
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
def test_messages_of_every_length_come_back(size: int) -> None:
    with listening(echo) as url, WebSocket(url) as socket:
        socket.send_text("ä" * size)
        assert socket.receive() == "ä" * size


def test_bytes_pieces_and_pings_are_understood() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.ping()
        await connection.send([b"one ", b"two ", b"three"])
        await connection.wait_closed()

    with listening(talk) as url, WebSocket(url) as socket:
        assert socket.receive() == b"one two three"


def test_the_server_s_reason_for_closing_is_told() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(4030, "All seats are taken")

    with listening(talk) as url, WebSocket(url) as socket, pytest.raises(Closed, match="4030 All seats are taken"):
        socket.receive()


def test_a_stranger_s_page_is_refused() -> None:
    with listening(echo) as url:
        WebSocket(url, origin="https://ours.example").close()
        with pytest.raises(Refused, match="HTTP 403"):
            WebSocket(url, origin="https://other.example")


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(Trouble, match="does not answer"):
        WebSocket("ws://127.0.0.1:1/ws/game?token=t")


def test_a_silent_server_is_not_waited_for_for_ever() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()

    with listening(talk) as url, WebSocket(url) as socket:
        socket._socket.settimeout(0.1)  # from now on: to open it may take longer
        with pytest.raises(Trouble, match="went silent"):
            socket.receive()


def test_every_page_of_a_list_is_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"{stage.server.url}/github.fake")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    stage.cloud.notes["open pulls"] = list(range(1, 251))
    pulls.main(["someone/arcade"])
    assert capsys.readouterr().out.split() == [str(number) for number in range(1, 251)]


def test_without_a_token_github_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(Trouble, match="GITHUB_TOKEN is not set"):
        github.list_all("repos/someone/arcade/pulls")


def test_only_our_own_comment_is_changed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"{stage.server.url}/github.fake")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    theirs = {"id": 1, "issue": "7", "body": f"{comment.MARK} mine now", "user": {"login": "stranger"}}
    stage.cloud.things["comments"]["1"] = dict(theirs)
    for address in ("https://one.web.app", "https://two.web.app"):
        comment.main(["someone/arcade", "7", "--page", address, "--api", "https://api.run.app", "--commit", "a" * 40])
    comments = stage.cloud.things["comments"]
    assert comments["1"] == theirs
    assert len(comments) == 2
    assert "https://two.web.app" in comments["2"]["body"]


def test_a_comment_shows_addresses_only() -> None:
    with pytest.raises(Trouble, match="no address to show"):
        comment.say_links("https://x.web.app](https://evil.example", "https://api.run.app", "")


def test_a_page_that_asks_another_server_is_found_out(production: Stage) -> None:
    assert production.deploy().code == 0
    page.check_page(production.page_url, "https://arcade-123456789012.europe-west1.run.app")
    with pytest.raises(Trouble, match=r"where https://other\.example was deployed"):
        page.check_page(production.page_url, "https://other.example")
