"""Runs the real server as a process on loopback, with scripted players."""

import asyncio
import contextlib
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np
import psutil
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from skill_arcade.frames.decoder import Decoder
from skill_arcade.wire.packet import PREVIEW, FramePacket
from skill_arcade.wire.sound import SOUND
from tests.support.consent import ensure_consent
from tests.support.database import prepare_home

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without it each client loads all certificate authorities of the machine, which delays every player of its process."""


@dataclass(frozen=True)
class Arcade:
    """A running server."""

    port: int
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_arcade(home: Path, log: Path | None = None, **settings: str) -> Iterator[Arcade]:
    """Start the server as its own process, wait until it is ready, and stop it at the end.

    `log` is a file for the output of the server and its processes, or None to drop it. The server gets a database with
    empty tables (`prepare_home`).
    """
    prepare_home(home, settings)
    port = find_port()
    log_level = "WARNING" if log is None else "INFO"
    command = [sys.executable, "-m", "skill_arcade", "serve", "--port", str(port)]
    environment = {**os.environ, "SKILL_ARCADE_HOME": str(home), "LOG_LEVEL": log_level, **settings}
    with contextlib.ExitStack() as stack:
        output = subprocess.DEVNULL if log is None else stack.enter_context(log.open("wb"))
        errors = None if log is None else output
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors)
    try:
        wait_ready(f"http://127.0.0.1:{port}", process)
        yield Arcade(port, home, process)
    finally:
        process.terminate()
        process.wait(60)


PORTS = range(20_000, 30_000)
"""Below the ephemeral ports of Linux, so that the system assigns none of them to anyone else."""
_claimed_ports: list[socket.socket] = []


def find_port() -> int:
    """Return a free port for a server that is about to start; no other test run takes it while this process lives."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0skill-arcade-tests-{port}")  # an abstract name, released when this process exits
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
            continue
        _claimed_ports.append(claim)
        return port
    raise AssertionError("no port is free")


def wait_ready(url: str, process: subprocess.Popen[bytes], seconds: float = 90.0) -> None:
    """Wait until the server reports that it is ready."""
    end = time.monotonic() + seconds
    # One client for all requests: each new one would load the certificate authorities, which takes 25 ms of CPU.
    with httpx.Client(base_url=url, verify=NO_TLS) as client:
        while True:
            try:
                if client.get("/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                assert process.poll() is None, f"the server ended with code {process.returncode}"
            assert time.monotonic() < end, "the server is not ready in time"
            time.sleep(0.02)


UPLOADER_PROCESS = "uploader"
"""Name of the uploader's process."""


def find_games(server: int) -> list[psutil.Process]:
    """Return the game processes of a server, given its process id."""
    family = psutil.Process(server).children(recursive=True)
    return [process for process in family if name_process(process) == "game"]


def name_process(process: psutil.Process) -> str:
    """Return the name of a process, or an empty string if it has exited."""
    try:
        return process.name()
    except psutil.Error:
        return ""


@dataclass
class Player:
    """A scripted player on a real socket. Its clock is the monotonic clock of this process."""

    socket: ClientConnection
    messages: list[dict[str, Any]] = field(default_factory=list)
    packets: list[FramePacket] = field(default_factory=list)
    previews: list[FramePacket] = field(default_factory=list)
    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    arrival_times: list[float] = field(default_factory=list)
    decoder: Decoder | None = None
    keep_pictures: bool = True
    n_sounds: int = 0

    async def send(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({"type": kind, "at": now_ms(), **fields}))

    async def hello(self) -> dict[str, Any]:
        """Send `hello` and wait for `welcome`."""
        await self.send(
            "hello",
            protocol=1,
            time_origin=0,
            browser="test",
            screen=[800, 600],
            pixel_ratio=1,
            refresh_hz=60,
            isolated=True,
        )
        welcome = await self.read_until("welcome")
        self.decoder = Decoder(welcome["width"], welcome["height"])
        return welcome

    async def read_until(self, kind: str) -> dict[str, Any]:
        """Read until a text message of this type."""
        while True:
            message = await self.read()
            if isinstance(message, dict) and message["type"] == kind:
                return message

    async def read_until_frame(self, frame: int) -> FramePacket:
        """Read until the packet of this observation or a later one."""
        while True:
            message = await self.read()
            if isinstance(message, FramePacket) and message.frame >= frame:
                return message

    async def read(self) -> dict[str, Any] | FramePacket:
        """Return the next message. Frames are decoded and acknowledged."""
        data = await self.socket.recv()
        if isinstance(data, bytes) and data[1] & PREVIEW:
            self.previews.append(FramePacket.unpack(data))
            return await self.read()
        if isinstance(data, bytes) and data[0] == SOUND:
            self.n_sounds += 1
            return await self.read()
        if isinstance(data, str):
            message: dict[str, Any] = json.loads(data)
            self.messages.append(message)
            return message
        packet = self.receive_frame(data)
        if packet.frame % 6 == 0 or packet.is_final:
            seen = [[packet.frame, now_ms()]]
            with suppress(ConnectionClosed):  # frames that arrived before the close are still read
                await self.socket.send(json.dumps({"type": "shown", "received": packet.frame, "frames": seen}))
        return packet

    def receive_frame(self, data: bytes) -> FramePacket:
        """Record a frame packet."""
        packet = FramePacket.unpack(data)
        self.packets.append(packet)
        self.arrival_times.append(time.monotonic())
        if self.keep_pictures:
            self.show(packet)
        return packet

    def show(self, packet: FramePacket) -> None:
        """Decode a frame."""
        assert self.decoder is not None
        self.pictures.append(self.decoder.decode(packet.encoded))

    async def press(self, control: str, *, down: bool = True) -> None:
        """Press or release a control."""
        frame = self.packets[-1].frame if self.packets else None
        await self.send("input", control=control, down=down, frame=frame, device="keyboard", code=control)

    async def tap(self, control: str) -> None:
        """Press and release a control."""
        await self.press(control)
        await self.press(control, down=False)


async def sign_in(arcade_url: str, email: str, *, consents: bool = True) -> str:
    """Sign in, and allow everything if `consents`. Return the session token."""
    async with httpx.AsyncClient(base_url=arcade_url, verify=NO_TLS, timeout=60) as client:
        answer = await client.post("/auth/login", json={"email": email})
        token = str(answer.raise_for_status().json()["token"])
        if consents:
            await ensure_consent(client, {"authorization": f"Bearer {token}"})
        return token


async def issue_ticket(arcade_url: str, token: str, game: str) -> str:
    """Return a play ticket."""
    return (await issue_placed_ticket(arcade_url, token, game))[0]


async def issue_placed_ticket(arcade_url: str, token: str, game: str) -> tuple[str, str | None]:
    """Return a play ticket, and the origin of the server that it names."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=arcade_url, headers=headers, verify=NO_TLS, timeout=60) as client:
        answer = (await client.post("/play/tickets", json={"game_id": game})).raise_for_status().json()
        return answer["ticket"], answer["socket"]


class Address(Protocol):
    """Where a server listens."""

    @property
    def port(self) -> int:
        """Port on loopback."""

    @property
    def url(self) -> str:
        """Base URL of the HTTP API."""


@asynccontextmanager
async def open_player(arcade: Address, email: str, game: str) -> AsyncIterator[Player]:
    """Connect a player to a game, up to `welcome`."""
    ticket = await issue_ticket(arcade.url, await sign_in(arcade.url, email), game)
    address = f"ws://127.0.0.1:{arcade.port}/ws/{game}"
    async with connect(
        # A client that has paused reading does not see the server's end of the stream, and would wait for 10 s.
        address,
        subprotocols=ticket_subprotocols(ticket),
        compression=None,
        open_timeout=60,
        close_timeout=1,
    ) as connection:
        player = Player(connection)
        await player.hello()
        yield player


def ticket_subprotocols(ticket: str) -> list[Subprotocol]:
    """Return the subprotocols that a page offers (rule O16)."""
    return [Subprotocol("skill-arcade"), Subprotocol(f"ticket.{ticket}")]


async def wait_until_uploaded(arcade: Arcade, seconds: float = 60.0) -> None:
    """Wait until the journal is empty."""
    journal = arcade.home / "journal"
    async with asyncio.timeout(seconds):
        while journal.exists() and any(journal.iterdir()):
            await asyncio.sleep(0.05)


def now_ms() -> float:
    """Return the page's clock in milliseconds."""
    return time.monotonic() * 1000
