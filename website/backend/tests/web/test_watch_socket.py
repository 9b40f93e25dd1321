"""The socket of watchers on a real game: what they get, and why they are closed (rules O18 to O22)."""

import json
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from starlette.types import ASGIApp

from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import FramePacket
from tests.support.asgi_client import HELLO, Line, calling
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(settings: Settings) -> ASGIApp:
    return create_app(settings)


@pytest.fixture
async def arcade(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An arcade in which two people can watch a game."""
    async with open_arcade(settings.model_copy(update={"max_watchers_per_game": 2})) as visitor:
        yield visitor
        await visitor.state.sessions.stop()


@pytest.fixture
async def player(arcade: Visitor, app: ASGIApp) -> AsyncIterator[Line]:
    """A player who plays."""
    headers = await arcade.sign_in()
    answer = await arcade.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=headers)
    async with calling(arcade, app, "/ws/frozen-lake", f"token={answer.json()['ticket']}") as line:
        line.say(HELLO)
        await line.until("welcome")
        line.say({"type": "start", "at": 2.0, "mode": "streamed"})
        await line.until("started")
        yield line


def watch(arcade: Visitor, app: ASGIApp, token: str) -> AbstractAsyncContextManager[Line]:
    return calling(arcade, app, "/ws/watch/live", subprotocols=("skill-arcade", f"watch.{token}"))


async def allow(player: Line) -> str:
    """Let others watch; return the token of the link."""
    player.received = [message for message in player.received if message["type"] != "watchable"]
    player.say({"type": "watch", "at": 3.0, "allowed": True})
    return str((await player.until("watchable"))["token"])


async def test_O19_O22_watcher_gets_the_game_and_frames_and_nothing_of_the_player(
    arcade: Visitor, app: ASGIApp, player: Line
) -> None:
    async with watch(arcade, app, await allow(player)) as watcher:
        batch = await watcher.until_packet()
        (length,) = struct.unpack_from("<I", batch)
        packet = FramePacket.unpack(batch[4 : 4 + length])
        assert (packet.frame, packet.encoded.key) == (0, True)
        assert [message["type"] for message in watcher.received] == ["game", "scene"]
        game, scene = watcher.received
        assert game.keys() == {"type", "name", "hz", "pixel_aspect", "smooth", "has_score"}
        assert scene == {"type": "scene", "phase": "playing", "is_away": False, "caption": ""}
        episode = (await player.until("started"))["episode"]
        assert episode not in json.dumps(watcher.received)
        watcher.received.clear()
        player.say({"type": "leave", "at": 9.0})
        assert (await watcher.until("scene"))["phase"] == "ended"


async def test_O18_revoked_link_closes_its_watchers_and_stays_invalid(
    arcade: Visitor, app: ASGIApp, player: Line
) -> None:
    token = await allow(player)
    async with watch(arcade, app, token) as watcher:
        await watcher.until("scene")
        player.say({"type": "watch", "at": 4.0, "allowed": False})
        assert (await watcher.closed)[0] == CloseCode.WATCHING_ENDED
    assert await allow(player) != token
    async with watch(arcade, app, token) as watcher:
        assert (await watcher.closed)[0] == CloseCode.BAD_LINK


async def test_O18_end_of_the_game_closes_its_watchers(arcade: Visitor, app: ASGIApp, player: Line) -> None:
    async with watch(arcade, app, await allow(player)) as watcher:
        await watcher.until("scene")
        [game] = arcade.state.sessions._connections.values()
        game.stop("left")
        assert (await watcher.closed)[0] == CloseCode.NORMAL
    assert arcade.state.sessions.watch_registry.n_watchers == 0


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 43])
async def test_O18_unknown_token_is_closed_with_bad_link(arcade: Visitor, app: ASGIApp, token: str) -> None:
    async with watch(arcade, app, token) as watcher:
        assert (await watcher.closed)[0] == CloseCode.BAD_LINK
        assert (watcher.received, watcher.packets) == ([], [])


async def test_O21_third_watcher_of_two_is_rejected_until_one_leaves(
    arcade: Visitor, app: ASGIApp, player: Line
) -> None:
    token = await allow(player)
    async with watch(arcade, app, token) as first:
        await first.until("scene")
        async with watch(arcade, app, token) as second:
            await second.until("scene")
            async with watch(arcade, app, token) as third:
                assert (await third.closed)[0] == CloseCode.TOO_MANY_WATCHERS
        async with watch(arcade, app, token) as third:
            await third.until("scene")


async def test_O22_watcher_who_sends_a_message_is_closed(arcade: Visitor, app: ASGIApp, player: Line) -> None:
    async with watch(arcade, app, await allow(player)) as watcher:
        await watcher.until("scene")
        watcher.say({"type": "input", "at": 1.0})
        assert (await watcher.closed)[0] == CloseCode.BAD_MESSAGE


async def test_O18_player_is_told_how_many_watch(arcade: Visitor, app: ASGIApp, player: Line) -> None:
    token = await allow(player)
    player.received.clear()
    async with watch(arcade, app, token) as watcher:
        await watcher.until("scene")
        assert (await player.until("watchable")) == {"type": "watchable", "token": token, "n_watchers": 1}
        player.received.clear()
    assert (await player.until("watchable"))["n_watchers"] == 0
