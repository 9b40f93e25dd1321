"""Attacks on the play socket, each over real sockets against a real server."""

import asyncio
import base64
import json
import os
import socket as sockets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from hypothesis import HealthCheck, Phase, given, seed, settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks.attacks.cases import HELLO, TALKS
from skill_arcade.wire.close import CloseCode
from tests.arcade import sign_in, ticket_for

DOCUMENTED = {int(code) for code in CloseCode} | {1002, 1007}
"""The wire's own codes, and the two by which the protocol itself answers broken frames and broken UTF-8."""
TICKETS_EACH = 15
"""Sockets that one attacker opens before it signs in as somebody else: tickets are limited for each player."""


class Attackers:
    """Sockets under as many names as it takes."""

    def __init__(self, port: int, name: str = "mallory") -> None:
        self.port, self._name, self._opened = port, name, count()
        self._token = ""

    @asynccontextmanager
    async def socket(self, game: str = "breakout") -> AsyncIterator[ClientConnection]:
        """A socket of the next attacker."""
        url, number = f"http://127.0.0.1:{self.port}", next(self._opened)
        if number % TICKETS_EACH == 0:
            self._token = await sign_in(url, f"{self._name}{number}@example.org")
        ticket = await ticket_for(url, self._token, game)
        address = f"ws://127.0.0.1:{self.port}/ws/{game}?token={ticket}"
        async with connect(address, compression=None, ping_interval=None, max_size=None, close_timeout=1) as made:
            yield made


def nothing(seconds: float) -> Counter[int]:
    """No attack: how the others fare is what this machine does by itself."""
    time.sleep(seconds)
    return Counter()


def fuzz(port: int, cases: int, number: int) -> Counter[int]:
    """So many sockets that say what no page says. Returns how often each close code came."""
    attackers, codes = Attackers(port, f"fuzz{number}-"), Counter[int]()
    loop = asyncio.new_event_loop()

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(TALKS)
    def run(talk: list[str | bytes]) -> None:
        code = loop.run_until_complete(_say(attackers, talk))
        codes[code] += 1
        assert code in DOCUMENTED, f"closed with {code}"

    try:
        run()
    finally:
        loop.close()
    return codes


async def _say(attackers: Attackers, talk: list[str | bytes]) -> int:
    """Say it all, and what no socket survives at the end: the code that it was closed with."""
    async with attackers.socket() as socket:
        try:
            for message in talk:
                await socket.send(message)
            await socket.send(json.dumps(HELLO))
            await socket.send(json.dumps(HELLO))  # said twice, so now it is closed, whatever was said before
            async with asyncio.timeout(20):
                while True:
                    await socket.recv()
        except ConnectionClosed:
            return socket.close_code or 0


def flood(port: int, seconds: float, number: int = 0) -> Counter[int]:
    """Whole messages as fast as the network takes them, again and again."""
    return asyncio.run(_flood(port, seconds, number))


async def _flood(port: int, seconds: float, number: int) -> Counter[int]:
    attackers, codes, end = (
        Attackers(port, f"flood{number}-"),
        Counter[int](),
        asyncio.get_running_loop().time() + seconds,
    )
    ping = json.dumps({"type": "ping", "id": 1, "at": 1.0, "previous": None})
    while asyncio.get_running_loop().time() < end:
        async with attackers.socket() as socket:
            await socket.send(json.dumps(HELLO))
            sending = asyncio.create_task(_send_on(socket, ping))
            try:
                while True:
                    await socket.recv()
            except ConnectionClosed:
                codes[socket.close_code or 0] += 1
            sending.cancel()
    return codes


async def _send_on(socket: ClientConnection, text: str) -> None:
    with suppress(WebSocketException):
        while True:
            await socket.send(text)


def tiny_frames(port: int, seconds: float) -> Counter[int]:
    """The smallest frames there are, pings of the protocol among them, in writes of a megabyte."""
    return asyncio.run(_tiny_frames(port, seconds))


async def _tiny_frames(port: int, seconds: float) -> Counter[int]:
    attackers, codes, end = Attackers(port, "tiny-"), Counter[int](), asyncio.get_running_loop().time() + seconds
    frames = (b"\x89\x80\0\0\0\0" + b"\x81\x80\0\0\0\0") * 80_000
    while asyncio.get_running_loop().time() < end:
        async with attackers.socket() as socket:
            socket.transport.write(frames)
            try:
                async with asyncio.timeout(10):
                    while True:
                        await socket.recv()
            except ConnectionClosed:
                codes[socket.close_code or 0] += 1
    return codes


def huge(port: int, cases: int) -> Counter[int]:
    """Messages of a megabyte, and just over what is taken."""
    return asyncio.run(_huge(port, cases))


async def _huge(port: int, cases: int) -> Counter[int]:
    attackers, codes = Attackers(port, "huge-"), Counter[int]()
    for number in range(cases):
        async with attackers.socket() as socket:
            try:
                await socket.send("x" * (70_000 if number % 2 else 1_000_000))
                async with asyncio.timeout(10):
                    await socket.recv()
            except ConnectionClosed:
                codes[socket.close_code or 0] += 1
    return codes


def deaf(port: int, people: int, seconds: float) -> Counter[int]:
    """Sockets that start a game and then read nothing, while they ask for answers. 1: closed in time; 0: still open."""
    return asyncio.run(_deaf(port, people, seconds))


async def _deaf(port: int, people: int, seconds: float) -> Counter[int]:
    codes = Counter[int]()

    async def one(ticket_url: str) -> None:
        raw = sockets.create_connection(("127.0.0.1", port))
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        key = base64.b64encode(os.urandom(16)).decode()
        await loop.sock_sendall(
            raw,
            f"GET {ticket_url} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
        )
        await asyncio.sleep(1)
        ping = json.dumps({"type": "ping", "id": 1, "at": 1.0, "previous": None})
        try:
            for text in (json.dumps(HELLO), json.dumps({"type": "start", "at": 1.0})):
                await loop.sock_sendall(raw, masked(text.encode()))
            async with asyncio.timeout(seconds):
                while True:
                    await loop.sock_sendall(raw, masked(ping.encode()))
                    await asyncio.sleep(0.02)
        except (ConnectionError, BrokenPipeError):
            codes[1] += 1
        except TimeoutError:
            codes[0] += 1
        finally:
            raw.close()

    url = f"http://127.0.0.1:{port}"
    tickets = [await ticket_for(url, await sign_in(url, f"deaf{n}@example.org"), "breakout") for n in range(people)]
    await asyncio.gather(*(one(f"/ws/breakout?token={ticket}") for ticket in tickets))
    return codes


def masked(payload: bytes) -> bytes:
    """A text frame of a client, masked with zeros (RFC 6455, section 5.2)."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + payload
