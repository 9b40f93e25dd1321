"""The parts of the smoke test against independent servers: WebSocket, page and GitHub."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Origin

from harness import DeployHarness
from release import comment, github, page
from release.errors import UserFacingError
from release.pull_requests import list_open
from release.websocket import ConnectionClosedError, HandshakeRejectedError, WebSocket

Talk = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """Run a server of the `websockets` library in a thread. Yields its address."""
    ready, address, loop = threading.Event(), [""], asyncio.new_event_loop()

    async def run(end: asyncio.Event) -> None:
        origins = [None, Origin("https://ours.example")]
        async with serve(talk, "127.0.0.1", 0, origins=origins, compression=None) as server:
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
def test_websocket_messages_of_each_length_class_are_echoed(size: int) -> None:
    with listening(echo) as url, WebSocket(url) as socket:
        socket.send_text("ä" * size)
        assert socket.receive() == "ä" * size


def test_websocket_fragments_and_pings_are_handled() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.ping()
        await connection.send([b"one ", b"two ", b"three"])
        await connection.wait_closed()

    with listening(talk) as url, WebSocket(url) as socket:
        assert socket.receive() == b"one two three"


def test_websocket_close_by_server_raises_code_and_reason() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(4030, "server full")

    with (
        listening(talk) as url,
        WebSocket(url) as socket,
        pytest.raises(ConnectionClosedError, match="code=4030 reason='server full'"),
    ):
        socket.receive()


def test_websocket_foreign_origin_is_rejected() -> None:
    with listening(echo) as url:
        WebSocket(url, origin="https://ours.example").close()
        with pytest.raises(HandshakeRejectedError, match="HTTP 403"):
            WebSocket(url, origin="https://other.example")


def test_websocket_unreachable_server_raises_error() -> None:
    with pytest.raises(UserFacingError, match="cannot connect"):
        WebSocket("ws://127.0.0.1:1/ws/game?token=t")


def test_websocket_silent_server_raises_timeout() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.wait_closed()

    with listening(talk) as url, WebSocket(url) as socket:
        socket._socket.settimeout(0.1)  # set after the handshake, which may take longer
        with pytest.raises(UserFacingError, match="timeout"):
            socket.receive()


def test_pull_requests_on_several_pages_are_all_listed(harness: DeployHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"{harness.server.url}/github.fake")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    harness.cloud.behaviours["open pull requests"] = list(range(1, 251))
    assert list_open("someone/arcade") == list(range(1, 251))


def test_github_without_token_raises_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(UserFacingError, match="GITHUB_TOKEN is not set"):
        github.list_all("repos/someone/arcade/pulls")


def test_comment_of_other_author_is_not_changed(harness: DeployHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"{harness.server.url}/github.fake")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    foreign = {"id": 1, "issue": "7", "body": f"{comment.COMMENT_MARKER} mine now", "user": {"login": "stranger"}}
    harness.cloud.resources["comments"]["1"] = dict(foreign)
    for address in ("https://one.web.app", "https://two.web.app"):
        comment.main(["someone/arcade", "7", "--page", address, "--api", "https://api.run.app", "--commit", "a" * 40])
    comments = harness.cloud.resources["comments"]
    assert comments["1"] == foreign
    assert len(comments) == 2
    assert "https://two.web.app" in comments["2"]["body"]


def test_comment_with_invalid_address_is_rejected() -> None:
    with pytest.raises(UserFacingError, match="not a URL"):
        comment.format_links("https://x.web.app](https://evil.example", "https://api.run.app", "")


def test_check_page_other_api_address_raises_error(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    page.check_page(production.page_url, "https://arcade-123456789012.europe-west1.run.app")
    with pytest.raises(UserFacingError, match=r"instead of https://other\.example"):
        page.check_page(production.page_url, "https://other.example")
