"""The client of Agones' sidecar, against a stand-in of its HTTP API.

What the stand-in believes is from sdks/swagger/sdk.swagger.json and beta.swagger.json of googleforgames/agones at
b19d5fe780b0d08f9e4cc0403c962acdcae199a8: the paths and methods in CALLS, and that `count` is a string of format int64.
That bodies are JSON objects sent with Content-Type application/json is from its guide "REST Game Server Client SDK",
as is that the sidecar may start after the server.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.web.agones import Agones, find_agones
from tests.support.arcade import open_player
from tests.support.database import temporary_home
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio
EMPTY_CALLS = {("POST", path) for path in ("/ready", "/health", "/allocate", "/shutdown")}
COUNTER_CALL = ("PATCH", "/v1beta1/counters/games")
Call = tuple[str, dict[str, str]]


class Sidecar(ThreadingHTTPServer):
    """The stand-in. It keeps the calls that it has accepted, and rejects all while `is_starting`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[Call] = []
        self.is_starting = False

    def take_calls(self) -> list[Call]:
        """Return the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls


class Handler(BaseHTTPRequestHandler):
    """Answers the calls of the swagger, and 400 to anything else."""

    server: Sidecar

    def answer(self) -> None:
        """Check and answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        call = (self.command, self.path)
        is_counter = call == COUNTER_CALL and isinstance(body.get("count"), str) and body["count"].isdecimal()
        is_valid = self.headers["content-type"] == "application/json" and (
            (call in EMPTY_CALLS and body == {}) or is_counter
        )
        status = 503 if self.server.is_starting else 200 if is_valid else 400
        if status == 200:
            self.server.calls.append((self.path, body))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PATCH = answer

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    """A running stand-in."""
    with Sidecar() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def open_client(sidecar: Sidecar, games: list[int]) -> Agones:
    client = find_agones(lambda: games[0], {"AGONES_SDK_HTTP_PORT": str(sidecar.server_address[1])})
    assert client is not None
    return client


async def test_R42_server_is_allocated_while_it_has_games(sidecar: Sidecar) -> None:
    games = [0]
    agones, path = open_client(sidecar, games), COUNTER_CALL[1]
    await agones.report()
    assert sidecar.take_calls() == [("/health", {}), ("/ready", {}), (path, {"count": "0"})]
    await agones.report()
    assert sidecar.take_calls() == [("/health", {})]
    games[0] = 2
    await agones.report()
    assert sidecar.take_calls() == [("/health", {}), ("/allocate", {}), (path, {"count": "2"})]
    games[0] = 1
    await agones.report()
    assert sidecar.take_calls() == [("/health", {}), (path, {"count": "1"})]
    games[0] = 0
    await agones.report()
    assert sidecar.take_calls() == [("/health", {}), ("/ready", {}), (path, {"count": "0"})]
    await agones.shut_down()
    assert sidecar.take_calls() == [("/shutdown", {})]


async def test_R42_sidecar_that_starts_later_hears_everything(
    sidecar: Sidecar, caplog: pytest.LogCaptureFixture
) -> None:
    agones = open_client(sidecar, [1])
    sidecar.is_starting = True
    await agones.report()
    await agones.shut_down()
    assert sidecar.take_calls() == []
    assert "cannot reach Agones, retrying" in caplog.text
    sidecar.is_starting = False
    await agones.report()
    assert [path for path, _ in sidecar.take_calls()] == ["/health", "/allocate", COUNTER_CALL[1]]


async def test_R42_missing_sidecar_prevents_nothing() -> None:
    agones = Agones("http://localhost:9", lambda: 0)
    await agones.report()
    await agones.shut_down()


async def wait_for_call(sidecar: Sidecar, path: str) -> None:
    """Wait until the server has made a call."""
    async with asyncio.timeout(60):
        while path not in [called for called, _ in sidecar.calls]:
            await asyncio.sleep(0.05)


async def test_R42_server_says_shutdown_after_everything_is_stored(sidecar: Sidecar) -> None:
    with temporary_home() as home:
        server = ServerUnderTest(home, {"AGONES_SDK_HTTP_PORT": str(sidecar.server_address[1])})
        try:
            await asyncio.to_thread(server.start)
            await wait_for_call(sidecar, "/ready")
            async with open_player(server, "ada@example.org", "breakout") as player:
                await wait_for_call(sidecar, "/allocate")
                await player.send("start", mode="streamed")
                await player.read_until_frame(60)
                server.running.terminate()
                await wait_for_call(sidecar, "/shutdown")
                assert server.files(OPEN, SEALED) == []
            await asyncio.to_thread(server.running.wait, 60)
            assert sidecar.calls[-1][0] == "/shutdown"
        finally:
            if server.running.poll() is None:
                await asyncio.to_thread(server.stop)


def test_server_without_agones_calls_nobody() -> None:
    assert find_agones(lambda: 0, {}) is None
