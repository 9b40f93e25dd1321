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

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks.attacks.cases import HELLO, TALKS
from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import NO_TLS, issue_ticket, sign_in

DOCUMENTED = {int(code) for code in CloseCode} | {1002, 1007}
"""The wire's own codes, and the two by which the protocol itself answers broken frames and broken UTF-8."""
POOL, FEW = 80, 20
"""Attackers who come from an address each: who was cut off has to wait a moment, and the next one comes meanwhile."""
ONE_ADDRESS = "127.0.0.2"


class Attackers:
    """Sockets of many players: in turn from as many addresses, or each of somebody new, all from one address."""

    def __init__(self, port: int, name: str = "mallory", *, spread: bool = True, pool: int = POOL) -> None:
        self.port, self._name, self._spread, self._pool, self._opened = port, name, spread, pool, count()
        self._tokens: dict[int, str] = {}

    @asynccontextmanager
    async def socket(self, game: str = "breakout") -> AsyncIterator[ClientConnection]:
        """A socket of the next attacker. Raises httpx.HTTPStatusError when they get no ticket."""
        number = next(self._opened)
        number, address = (
            (number % self._pool, f"127.1.0.{number % self._pool + 1}") if self._spread else (number, ONE_ADDRESS)
        )
        transport = httpx.AsyncHTTPTransport(local_address=address, verify=NO_TLS)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", transport=transport) as client:
            if number not in self._tokens:
                body = {"email": f"{self._name}{number}@example.org"}
                answer = await client.post("/auth/login", json=body)
                self._tokens[number] = answer.raise_for_status().json()["token"]
            headers = {"Authorization": f"Bearer {self._tokens[number]}"}
            answer = await client.post("/play/tickets", json={"game_id": game}, headers=headers)
            ticket = answer.raise_for_status().json()["ticket"]
        way = f"ws://127.0.0.1:{self.port}/ws/{game}?token={ticket}"
        made = connect(
            way, compression=None, ping_interval=None, max_size=None, close_timeout=1, local_addr=(address, 0)
        )
        async with made as socket:
            yield socket


def nothing(seconds: float) -> Counter[int]:
    """No attack: how the others fare is what this machine does by itself."""
    time.sleep(seconds)
    return Counter()


def fuzz(port: int, cases: int, number: int) -> Counter[int]:
    """So many sockets that say what no page says. Returns how often each close code came."""
    attackers, codes = Attackers(port, f"fuzz{number}-", pool=FEW), Counter[int]()
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
    async with patient(attackers) as socket:
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


@asynccontextmanager
async def patient(attackers: Attackers) -> AsyncIterator[ClientConnection]:
    """A socket of somebody who does not have to wait at the moment."""
    while True:
        try:
            async with attackers.socket() as socket:
                yield socket
                return
        except httpx.HTTPStatusError as refusal:
            if refusal.response.status_code != 429:
                raise
            await asyncio.sleep(0.05)


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
        async with patient(attackers) as socket:
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


def tiny_frames(port: int, seconds: float, *, spread: bool = True) -> Counter[int]:
    """The smallest frames there are, pings of the protocol among them, in writes of a megabyte."""
    return asyncio.run(_tiny_frames(port, seconds, spread=spread))


async def _tiny_frames(port: int, seconds: float, *, spread: bool) -> Counter[int]:
    attackers, codes = Attackers(port, f"tiny{spread}-", spread=spread), Counter[int]()
    end = asyncio.get_running_loop().time() + seconds
    frames = (b"\x89\x80\0\0\0\0" + b"\x81\x80\0\0\0\0") * 80_000
    while asyncio.get_running_loop().time() < end:
        try:
            async with attackers.socket() as socket:
                socket.transport.write(frames)
                async with asyncio.timeout(10):
                    while True:
                        await socket.recv()
        except ConnectionClosed:
            codes[socket.close_code or 0] += 1
        except httpx.HTTPStatusError as refusal:
            codes[refusal.response.status_code] += 1
    return codes


def requests(port: int, seconds: float) -> Counter[int]:
    """Requests as fast as they are answered, over twenty connections of one address."""
    return asyncio.run(_requests(port, seconds))


async def _requests(port: int, seconds: float) -> Counter[int]:
    codes, end = Counter[int](), asyncio.get_running_loop().time() + seconds

    async def ask_on() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ONE_ADDRESS, 0))
        while asyncio.get_running_loop().time() < end:
            writer.write(b"GET /auth/login HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            codes[int(head.split()[1])] += 1
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        writer.close()

    await asyncio.gather(*(ask_on() for _ in range(20)))
    return codes


def huge(port: int, cases: int) -> Counter[int]:
    """Messages of a megabyte, and just over what is taken."""
    return asyncio.run(_huge(port, cases))


async def _huge(port: int, cases: int) -> Counter[int]:
    attackers, codes = Attackers(port, "huge-"), Counter[int]()
    for number in range(cases):
        async with patient(attackers) as socket:
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
    tickets = [await issue_ticket(url, await sign_in(url, f"deaf{n}@example.org"), "breakout") for n in range(people)]
    await asyncio.gather(*(one(f"/ws/breakout?token={ticket}") for ticket in tickets))
    return codes


def masked(payload: bytes) -> bytes:
    """A text frame of a client, masked with zeros (RFC 6455, section 5.2)."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + payload
