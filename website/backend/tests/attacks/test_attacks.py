"""A seeded short version of `python -m benchmarks.attacks`, against a real server."""

import asyncio
import json
import os
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.attacks import sockets, web
from benchmarks.attacks.cases import HELLO
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import issue_ticket, open_player, sign_in
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio
SEED = int(os.environ.get("ATTACKS_SEED", "20261122"))


@pytest.fixture(scope="module")
def house() -> Iterator[ServerUnderTest]:
    with temporary_home() as home:
        made = ServerUnderTest(home, {"MAX_GAMES": "12", "RESUME_SECONDS": "0.5", "LOG_LEVEL": "INFO"})
        made.start()
        yield made
        made.stop()


@pytest.fixture(autouse=True)
def _nothing_crashed(house: ServerUnderTest) -> Iterator[None]:
    yield
    assert house.running.poll() is None
    log = (house.home / "server.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:6000]


def test_whatever_a_socket_says_it_is_closed_by_a_documented_code(house: ServerUnderTest) -> None:
    codes = sockets.fuzz(house.port, 40, SEED)
    assert sum(codes.values()) == 40
    assert codes[CloseCode.BAD_MESSAGE] > 0


def test_a_flood_is_cut_off(house: ServerUnderTest) -> None:
    # By the server's log: a flooder that is busy writing may miss the close, and sees that its writes fail.
    before = count_cut_off(house)
    codes = sockets.flood(house.port, 0.5)
    assert set(codes) <= {CloseCode.RATE_LIMITED, 1006}
    assert sum(codes.values()) > 0
    end = time.monotonic() + 30
    while (logged := count_cut_off(house) - before) < sum(codes.values()):  # a line may come later than its close
        assert time.monotonic() < end, f"{logged} of {codes} were cut off"
        time.sleep(0.05)


def count_cut_off(house: ServerUnderTest) -> int:
    """Sockets that the server has closed as too fast, by its log."""
    return (house.home / "server.log").read_text().count("4029 TOO_FAST")


def test_a_flood_below_the_messages_is_cut_off(house: ServerUnderTest) -> None:
    assert set(sockets.tiny_frames(house.port, 0.5)) <= {CloseCode.RATE_LIMITED, CloseCode.BAD_MESSAGE, 1006}


def test_a_huge_message_is_too_big(house: ServerUnderTest) -> None:
    assert set(sockets.huge(house.port, 2)) <= {CloseCode.TOO_BIG, CloseCode.RATE_LIMITED}


async def test_no_request_that_our_own_document_allows_or_forbids_is_a_500(house: ServerUnderTest) -> None:
    url = f"http://127.0.0.1:{house.port}"
    token = await sign_in(url, "eve@example.org")
    asked = await asyncio.to_thread(web.ask, url, token, 2, SEED)
    assert asked.statuses[200] > 0
    assert asked.statuses[422] > 0
    assert max(asked.statuses) < 500
    assert "/healthz" in asked.never_wrong
    assert "/play/tickets" not in asked.never_wrong


async def closed_by(address: str) -> tuple[int, str]:
    async with connect(address) as socket, asyncio.timeout(10):
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
    raise AssertionError("it was let in")


async def test_a_ticket_that_is_wrong_used_or_for_another_game_is_refused_in_words_and_never_logged(
    house: ServerUnderTest,
) -> None:
    url, way = f"http://127.0.0.1:{house.port}", f"ws://127.0.0.1:{house.port}/ws"
    token = await sign_in(url, "ada@example.org")
    ticket = await issue_ticket(url, token, "breakout")
    refusal = CloseCode.BAD_TICKET, "This play ticket is wrong, used or too old; open the game again."
    # Not the last character: of its six bits the signature has four.
    forged = ticket[:-5] + ("a" if ticket[-5] != "a" else "b") + ticket[-4:]
    for bad in ("", "x", token, forged, "%00", "é" * 300):
        assert await closed_by(f"{way}/breakout?token={bad}") == refusal
    assert await closed_by(f"{way}/pong?token={ticket}") == refusal
    assert (await closed_by(f"{way}/no-such-game?token={ticket}"))[0] == CloseCode.UNKNOWN_GAME
    async with connect(f"{way}/breakout?token={ticket}"):
        assert await closed_by(f"{way}/breakout?token={ticket}") == refusal
    log = (house.home / "server.log").read_text()
    assert ticket not in log
    assert token not in log
    assert "ada@example.org" not in log


async def test_nobody_lists_the_episodes_of_somebody_else(house: ServerUnderTest) -> None:
    async with open_player(house, "grace@example.org", "breakout") as player:
        player.keep_pictures = False
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.send("leave")
        await player.read_until("ended")
    await house.wait_until_uploaded()
    url = f"http://127.0.0.1:{house.port}"
    for email, mine in (("grace@example.org", True), ("mallory@example.org", False)):
        headers = {"authorization": f"Bearer {await sign_in(url, email)}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            listed = (await client.get("/me/episodes")).raise_for_status().json()
        assert (episode in [line["id"] for line in listed]) is mine


async def test_a_full_house_says_so(house: ServerUnderTest) -> None:
    url, way = f"http://127.0.0.1:{house.port}", f"ws://127.0.0.1:{house.port}/ws/breakout?token="
    async with asyncio.timeout(120):
        held: list[ClientConnection] = []
        while True:
            token = await sign_in(url, f"guest{len(held)}@example.org")
            socket = await connect(way + await issue_ticket(url, token, "breakout"))
            held.append(socket)
            try:
                await socket.send(json.dumps(HELLO))
                await socket.recv()
            except ConnectionClosed:
                break
    assert (held[-1].close_code, "seats are taken" in (held[-1].close_reason or "")) == (CloseCode.SERVER_FULL, True)
    for socket in held:
        await socket.close()


async def test_somebody_who_asks_for_very_many_games_is_asked_to_wait(house: ServerUnderTest) -> None:
    url = f"http://127.0.0.1:{house.port}"
    headers = {"authorization": f"Bearer {await sign_in(url, 'greedy@example.org')}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        statuses = [(await client.post("/play/tickets", json={"game_id": "pong"})).status_code for _ in range(24)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses
