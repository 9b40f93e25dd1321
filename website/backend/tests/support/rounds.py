"""Plays single rounds on a running server, with what a play ticket can ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.support.arcade import Arcade, Player, sign_in, ticket_subprotocols, wait_until_uploaded

N_FRAMES = 60


async def request(arcade: Arcade, method: str, path: str, email: str, body: Any = None) -> httpx.Response:
    """Send a request as this user."""
    headers = {"authorization": f"Bearer {await sign_in(arcade.url, email)}"}
    async with httpx.AsyncClient(base_url=arcade.url, headers=headers, timeout=60) as client:
        return await client.request(method, path, json=body)


@asynccontextmanager
async def playing(arcade: Arcade, email: str, game: str = "breakout", **body: Any) -> AsyncIterator[Player]:
    """Open the socket of a game with a ticket for `body`."""
    answer = await request(arcade, "POST", "/play/tickets", email, {"game_id": game, **body})
    assert answer.status_code == 200, answer.text
    async with connect_with(arcade, answer.json()["ticket"], game) as player:
        yield player


@asynccontextmanager
async def connect_with(arcade: Arcade, ticket: str, game: str = "breakout") -> AsyncIterator[Player]:
    """Open the socket of a game with a ticket."""
    address = f"ws://127.0.0.1:{arcade.port}/ws/{game}"
    async with connect(address, subprotocols=ticket_subprotocols(ticket), compression=None) as socket:
        yield Player(socket)


async def play(arcade: Arcade, email: str, **body: Any) -> str:
    """Play some frames, leave, and wait until the episode is uploaded. Return its id."""
    async with playing(arcade, email, **body) as player:
        await player.hello()
        await player.send("start")
        episode: str = (await player.read_until("started"))["episode"]
        await player.press("fire")
        await player.read_until_frame(N_FRAMES)
        await player.send("leave")
        await player.read_until("ended")
    await wait_until_uploaded(arcade)
    return episode
