"""Attacks on the play socket, over real connections to a real server."""

import asyncio
import base64
import json
import os
import socket as sockets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count

import httpx
from hypothesis import given
from hypothesis.strategies import SearchStrategy
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import NO_TLS, issue_ticket, sign_in
from tests.support.attacks.cases import ANY_CONVERSATIONS, CONVERSATIONS, HELLO
from tests.support.attacks.generated_cases import send_cases
from tests.support.consent import ensure_consent

DOCUMENTED_CODES = {int(code) for code in CloseCode} | {1002, 1007}
"""The close codes of the wire protocol, and the two with which the WebSocket layer answers invalid frames and UTF-8."""
N_ATTACKERS, N_FUZZERS = 80, 20
"""Number of players that an attack uses in turn, so that a rate-limited player has a pause before the next turn."""
SINGLE_ADDRESS = "127.0.0.2"


class Attackers:
    """Opens sockets of many players.

    With `many_addresses`, `size` players connect in turn, each from its own address. Otherwise each socket belongs to
    a new player, and all come from one address.
    """

    def __init__(
        self, port: int, name: str = "mallory", *, many_addresses: bool = True, size: int = N_ATTACKERS
    ) -> None:
        self.port, self._name, self._many_addresses, self._size, self._opened = (
            port,
            name,
            many_addresses,
            size,
            count(),
        )
        self._tokens: dict[int, str] = {}

    @asynccontextmanager
    async def socket(self, game: str = "breakout") -> AsyncIterator[ClientConnection]:
        """Open a socket of the next player. Raises httpx.HTTPStatusError if the server issues no ticket."""
        number = next(self._opened)
        number, address = (
            (number % self._size, f"127.1.0.{number % self._size + 1}")
            if self._many_addresses
            else (number, SINGLE_ADDRESS)
        )
        transport = httpx.AsyncHTTPTransport(local_address=address, verify=NO_TLS)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", transport=transport) as client:
            if number not in self._tokens:
                body = {"email": f"{self._name}{number}@example.org"}
                response = await client.post("/auth/login", json=body)
                self._tokens[number] = response.raise_for_status().json()["token"]
                await ensure_consent(client, {"Authorization": f"Bearer {self._tokens[number]}"})
            headers = {"Authorization": f"Bearer {self._tokens[number]}"}
            response = await client.post("/play/tickets", json={"game_id": game}, headers=headers)
            ticket = response.raise_for_status().json()["ticket"]
        socket_url = f"ws://127.0.0.1:{self.port}/ws/{game}?token={ticket}"
        connection = connect(
            socket_url, compression=None, ping_interval=None, max_size=None, close_timeout=1, local_addr=(address, 0)
        )
        async with connection as socket:
            yield socket


def idle(seconds: float) -> Counter[int]:
    """Do nothing, to measure the bystanders without an attack."""
    time.sleep(seconds)
    return Counter()


def fuzz(
    port: int,
    cases: int,
    seed_number: int,
    conversations: SearchStrategy[list[str | bytes]] = CONVERSATIONS,
    seconds: float = float("inf"),
) -> Counter[int]:
    """Send generated messages over `cases` sockets, for at most `seconds`.

    Return the number of sockets by close code.
    """
    deadline = time.monotonic() + seconds
    attackers, codes = Attackers(port, f"fuzz{seed_number}-", size=N_FUZZERS), Counter[int]()
    loop = asyncio.new_event_loop()

    @send_cases(cases, seed_number)
    @given(conversations)
    def run(conversation: list[str | bytes]) -> None:
        if time.monotonic() > deadline:
            return
        code = loop.run_until_complete(_converse(attackers, conversation))
        codes[code] += 1
        assert code in DOCUMENTED_CODES, f"closed with {code}"

    try:
        run()
    finally:
        loop.close()
    return codes


def fuzz_any(port: int, cases: int, seed_number: int, seconds: float = float("inf")) -> Counter[int]:
    """Send any JSON, text and bytes as any message. Return the number of sockets by close code."""
    return fuzz(port, cases, seed_number, ANY_CONVERSATIONS, seconds)


async def _converse(attackers: Attackers, conversation: list[str | bytes]) -> int:
    """Send all messages, then one that always closes the socket. Return the close code."""
    async with open_when_allowed(attackers) as socket:
        try:
            for message in conversation:
                await socket.send(message)
            await socket.send(json.dumps(HELLO))
            await socket.send(json.dumps(HELLO))  # a second `hello` closes the socket, whatever was sent before
            async with asyncio.timeout(20):
                while True:
                    await socket.recv()
        except ConnectionClosed:
            return socket.close_code or 0


@asynccontextmanager
async def open_when_allowed(attackers: Attackers) -> AsyncIterator[ClientConnection]:
    """Open a socket, and retry with the next player after a response with status 429."""
    while True:
        try:
            async with attackers.socket() as socket:
                yield socket
                return
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 429:
                raise
            await asyncio.sleep(0.05)


def flood(port: int, seconds: float, seed_number: int = 0) -> Counter[int]:
    """Send valid messages as fast as the network accepts them."""
    return asyncio.run(_flood(port, seconds, seed_number))


async def _flood(port: int, seconds: float, seed_number: int) -> Counter[int]:
    attackers, codes, deadline = (
        Attackers(port, f"flood{seed_number}-"),
        Counter[int](),
        asyncio.get_running_loop().time() + seconds,
    )
    ping = json.dumps({"type": "ping", "id": 1, "at": 1.0, "previous": None})
    while asyncio.get_running_loop().time() < deadline:
        async with open_when_allowed(attackers) as socket:
            await socket.send(json.dumps(HELLO))
            sending = asyncio.create_task(_send_repeatedly(socket, ping))
            try:
                while True:
                    await socket.recv()
            except ConnectionClosed:
                codes[socket.close_code or 0] += 1
            sending.cancel()
    return codes


async def _send_repeatedly(socket: ClientConnection, text: str) -> None:
    with suppress(WebSocketException):
        while True:
            await socket.send(text)


def tiny_frames(port: int, seconds: float, *, many_addresses: bool = True) -> Counter[int]:
    """Send the smallest WebSocket frames, every second one a ping, in writes of about 1 MB."""
    return asyncio.run(_tiny_frames(port, seconds, many_addresses=many_addresses))


async def _tiny_frames(port: int, seconds: float, *, many_addresses: bool) -> Counter[int]:
    attackers, codes = Attackers(port, f"tiny{many_addresses}-", many_addresses=many_addresses), Counter[int]()
    deadline = asyncio.get_running_loop().time() + seconds
    frames = (b"\x89\x80\0\0\0\0" + b"\x81\x80\0\0\0\0") * 80_000
    while asyncio.get_running_loop().time() < deadline:
        try:
            async with attackers.socket() as socket:
                socket.transport.write(frames)
                async with asyncio.timeout(10):
                    while True:
                        await socket.recv()
        except ConnectionClosed:
            codes[socket.close_code or 0] += 1
        except httpx.HTTPStatusError as error:
            codes[error.response.status_code] += 1
    return codes


def flood_requests(port: int, seconds: float) -> Counter[int]:
    """Send HTTP requests as fast as they are answered, over 20 connections from one address."""
    return asyncio.run(_flood_requests(port, seconds))


async def _flood_requests(port: int, seconds: float) -> Counter[int]:
    codes, deadline = Counter[int](), asyncio.get_running_loop().time() + seconds

    async def request_repeatedly() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(SINGLE_ADDRESS, 0))
        while asyncio.get_running_loop().time() < deadline:
            writer.write(b"GET /auth/login HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            codes[int(head.split()[1])] += 1
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        writer.close()

    await asyncio.gather(*(request_repeatedly() for _ in range(20)))
    return codes


def huge_messages(port: int, cases: int) -> Counter[int]:
    """Send messages of 1 MB, and messages slightly above the limit."""
    return asyncio.run(_huge_messages(port, cases))


async def _huge_messages(port: int, cases: int) -> Counter[int]:
    attackers, codes = Attackers(port, "huge-"), Counter[int]()
    for number in range(cases):
        async with open_when_allowed(attackers) as socket:
            try:
                await socket.send("x" * (70_000 if number % 2 else 1_000_000))
                async with asyncio.timeout(10):
                    await socket.recv()
            except ConnectionClosed:
                codes[socket.close_code or 0] += 1
    return codes


def never_read(port: int, n_players: int, seconds: float) -> Counter[int]:
    """Start games, then send pings without reading. Code 1 means that the server closed in time, 0 that it did not."""
    return asyncio.run(_never_read(port, n_players, seconds))


async def _never_read(port: int, n_players: int, seconds: float) -> Counter[int]:
    codes = Counter[int]()

    async def attack(ticket_url: str) -> None:
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
                await loop.sock_sendall(raw, mask_text(text.encode()))
            async with asyncio.timeout(seconds):
                while True:
                    await loop.sock_sendall(raw, mask_text(ping.encode()))
                    await asyncio.sleep(0.02)
        except (ConnectionError, BrokenPipeError):
            codes[1] += 1
        except TimeoutError:
            codes[0] += 1
        finally:
            raw.close()

    url = f"http://127.0.0.1:{port}"
    tickets = [
        await issue_ticket(url, await sign_in(url, f"never_read{n}@example.org"), "breakout") for n in range(n_players)
    ]
    await asyncio.gather(*(attack(f"/ws/breakout?token={ticket}") for ticket in tickets))
    return codes


def mask_text(payload: bytes) -> bytes:
    """Return a client's text frame, masked with zeros (RFC 6455, section 5.2)."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + payload


def huge_heads(port: int, n_connections: int, megabytes: int = 300) -> Counter[int]:
    """Send a request whose header does not end. Return the number of connections by status, and the MB taken."""
    statuses = Counter[int]()
    for _ in range(n_connections):
        with sockets.create_connection(("127.0.0.1", port), timeout=20) as raw:
            sent = 0
            with suppress(OSError):
                raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
                while sent < megabytes << 20:
                    raw.sendall(b"x" * (1 << 16))
                    sent += 1 << 16
            statuses[_read_status(raw)] += 1
            assert sent < 16 << 20, f"the server took {sent >> 20} MB of header"
    return statuses


def half_requests(port: int, n_connections: int) -> Counter[int]:
    """Open connections that send half of a head, and wait until the server ends them. Return them by status."""
    opened = []
    for _ in range(n_connections):
        raw = sockets.create_connection(("127.0.0.1", port), timeout=30)
        raw.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        opened.append(raw)
    statuses = Counter(_read_status(raw) for raw in opened)
    for raw in opened:
        raw.close()
    return statuses


def _read_status(raw: sockets.socket) -> int:
    """Read the status of the answer, or 0 if the connection ends without one."""
    with suppress(OSError):
        return int(raw.recv(64).split()[1])
    return 0


def idle_players(port: int, size: int, seconds: float = 5.0) -> Counter[int]:
    """Open `size` sockets of one address that say `hello` and nothing more. Return them by close code, 0 is open."""
    return asyncio.run(_idle_players(port, size, seconds))


async def _idle_players(port: int, size: int, seconds: float) -> Counter[int]:
    attackers, codes = Attackers(port, "idle", many_addresses=False), Counter[int]()
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(size):
            socket = await stack.enter_async_context(open_when_allowed(attackers))
            await socket.send(json.dumps(HELLO))
            opened.append(socket)
        await asyncio.sleep(seconds)
        for socket in opened:
            with suppress(ConnectionClosed, TimeoutError):
                async with asyncio.timeout(0.05):
                    while True:
                        await socket.recv()
            codes[socket.close_code or 0] += 1
    return codes
