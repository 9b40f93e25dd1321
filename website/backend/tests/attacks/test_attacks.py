"""A short, seeded run of `python -m benchmarks.attacks` against a real server."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.recording.quarantine import QUARANTINED_SUFFIX
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS
from tests.support.arcade import issue_ticket, open_player, sign_in
from tests.support.attacks import http_requests, sockets
from tests.support.attacks.cases import HELLO
from tests.support.database import temporary_home
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio
SEED = int(os.environ.get("ATTACKS_SEED", "20261122"))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerUnderTest]:
    with temporary_home() as home:
        running = ServerUnderTest(home, {"MAX_GAMES": "12", "RESUME_SECONDS": "0.5", "LOG_LEVEL": "INFO"})
        running.start()
        yield running
        running.stop()


@pytest.fixture(autouse=True)
def _nothing_crashed(server: ServerUnderTest) -> Iterator[None]:
    """Check after each test that the server runs and has logged no traceback."""
    yield
    assert server.running.poll() is None
    log = (server.home / "server.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:6000]


def test_O7_fuzzed_messages_close_with_documented_codes(server: ServerUnderTest) -> None:
    codes = sockets.fuzz(server.port, 40, SEED)
    assert sum(codes.values()) == 40
    assert codes[CloseCode.BAD_MESSAGE] > 0


def test_F4_flood_of_messages_is_closed_by_rate_limit(server: ServerUnderTest) -> None:
    # Counted in the server's log, because a flooding client may miss the close frame and only see its writes fail.
    before = count_rate_limited(server)
    codes = sockets.flood(server.port, 0.5)
    assert set(codes) <= {CloseCode.RATE_LIMITED, 1006}
    assert sum(codes.values()) > 0
    deadline = time.monotonic() + 30
    while (logged := count_rate_limited(server) - before) < sum(
        codes.values()
    ):  # a line may be written after the close
        assert time.monotonic() < deadline, f"the log has {logged} of {codes}"
        time.sleep(0.05)


def count_rate_limited(server: ServerUnderTest) -> int:
    """Return how many connections the server has closed by its rate limit, from its log."""
    return (server.home / "server.log").read_text().count("code=4029 reason=RATE_LIMITED")


def test_F4_flood_of_frames_is_closed_by_rate_limit(server: ServerUnderTest) -> None:
    assert set(sockets.tiny_frames(server.port, 0.5)) <= {CloseCode.RATE_LIMITED, CloseCode.BAD_MESSAGE, 1006}


def test_F4_huge_message_closes_with_too_big(server: ServerUnderTest) -> None:
    assert set(sockets.huge_messages(server.port, 2)) <= {CloseCode.TOO_BIG, CloseCode.RATE_LIMITED}


async def test_generated_requests_never_answer_500(server: ServerUnderTest) -> None:
    url = f"http://127.0.0.1:{server.port}"
    token = await sign_in(url, "eve@example.org")
    report = await asyncio.to_thread(http_requests.send_requests, url, token, 2, SEED)
    assert report.statuses[200] > 0
    assert report.statuses[422] > 0
    assert max(report.statuses) < 500
    assert "/health/live" in report.without_invalid
    assert "/play/tickets" not in report.without_invalid


async def read_close(address: str) -> tuple[int, str]:
    async with connect(address) as socket, asyncio.timeout(10):
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
    raise AssertionError("the connection was accepted")


async def test_invalid_ticket_closes_with_bad_ticket_and_is_not_logged(
    server: ServerUnderTest,
) -> None:
    url, ws_url = f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}/ws"
    token = await sign_in(url, "ada@example.org")
    ticket = await issue_ticket(url, token, "breakout")
    rejection = CloseCode.BAD_TICKET, REASONS[CloseCode.BAD_TICKET]
    # Not the last character: of its six bits the signature has four.
    forged = ticket[:-5] + ("a" if ticket[-5] != "a" else "b") + ticket[-4:]
    for bad in ("", "x", token, forged, "%00", "é" * 300):
        assert await read_close(f"{ws_url}/breakout?token={bad}") == rejection
    assert await read_close(f"{ws_url}/pong?token={ticket}") == rejection
    assert (await read_close(f"{ws_url}/no-such-game?token={ticket}"))[0] == CloseCode.UNKNOWN_GAME
    async with connect(f"{ws_url}/breakout?token={ticket}"):
        assert await read_close(f"{ws_url}/breakout?token={ticket}") == rejection
    log = (server.home / "server.log").read_text()
    assert ticket not in log
    assert token not in log
    assert "ada@example.org" not in log


async def test_list_episodes_excludes_those_of_other_users(server: ServerUnderTest) -> None:
    async with open_player(server, "grace@example.org", "breakout") as player:
        player.keep_pictures = False
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.send("leave")
        await player.read_until("ended")
    await server.wait_until_uploaded()
    url = f"http://127.0.0.1:{server.port}"
    for email, is_own in (("grace@example.org", True), ("mallory@example.org", False)):
        headers = {"authorization": f"Bearer {await sign_in(url, email)}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            episodes = (await client.get("/me/episodes")).raise_for_status().json()
        assert (episode in [line["id"] for line in episodes]) is is_own


async def test_full_server_closes_with_server_full(server: ServerUnderTest) -> None:
    url, ws_url = f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}/ws/breakout?token="
    async with asyncio.timeout(120):
        sockets_open: list[ClientConnection] = []
        while True:
            token = await sign_in(url, f"guest{len(sockets_open)}@example.org")
            socket = await connect(ws_url + await issue_ticket(url, token, "breakout"))
            sockets_open.append(socket)
            try:
                await socket.send(json.dumps(HELLO))
                await socket.recv()
            except ConnectionClosed:
                break
    assert sockets_open[-1].close_code == CloseCode.SERVER_FULL
    for socket in sockets_open:
        await socket.close()


async def test_ticket_rate_limit_answers_429(server: ServerUnderTest) -> None:
    url = f"http://127.0.0.1:{server.port}"
    headers = {"authorization": f"Bearer {await sign_in(url, 'greedy@example.org')}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        statuses = [(await client.post("/play/tickets", json={"game_id": "pong"})).status_code for _ in range(24)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses


async def test_messages_of_any_json_leave_no_segment_behind_and_other_games_go_on(server: ServerUnderTest) -> None:
    async with open_player(server, "bystander@example.org", "breakout") as player:
        player.keep_pictures = False
        await player.send("start")
        await player.read_until_frame(0)
        fuzzing = asyncio.create_task(asyncio.to_thread(sockets.fuzz_any, server.port, 60, SEED, 12.0))
        started_at, longest, last_at = time.monotonic(), 0.0, time.monotonic()
        while not fuzzing.done():
            await player.read()
            longest, last_at = max(longest, time.monotonic() - last_at), time.monotonic()
        codes = await fuzzing
        n_frames, seconds = len(player.packets), time.monotonic() - started_at
        await player.send("leave")
        ended = await player.read_until("ended")
    assert codes[CloseCode.BAD_MESSAGE] > 0
    assert n_frames > 20 * seconds  # of 60 per second, on a machine that may be busy
    assert longest < 3
    await server.wait_until_uploaded()
    reports = await server.check({UUID(ended["episode"]): ended["n_steps"]})
    assert [str(report) for report in reports if report.problems] == []
    for path in server.files(QUARANTINED_SUFFIX):  # whatever is refused is set aside with a reason
        assert path.with_suffix(".reason.json").exists()


def test_endless_head_answers_431_and_half_sent_requests_408(server: ServerUnderTest) -> None:
    assert set(sockets.huge_heads(server.port, 2)) <= {431, 0}
    assert set(sockets.half_requests(server.port, 20)) == {408}
