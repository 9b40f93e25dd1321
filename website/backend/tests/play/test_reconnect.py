"""Players who drop out and come back, and a server that is asked to stop: over the real socket (rules O6, F5)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import skill_arcade.dataset as sa
from skill_arcade.wire.close_codes import REASONS, CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, issue_ticket, open_player, running_arcade, sign_in, wait_until_uploaded
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", RESUME_SECONDS="5") as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def closing(player: Player) -> tuple[int, str]:
    """Read until the socket is closed: the code and the reason."""
    while True:
        try:
            await player.read()
        except ConnectionClosed:
            return player.socket.close_code or 0, player.socket.close_reason or ""


@asynccontextmanager
async def seated(arcade: Arcade, token: str, game: str = "breakout") -> AsyncIterator[Player]:
    """A socket of somebody who has signed in already; nothing said yet."""
    ticket = await issue_ticket(arcade.url, token, game)
    async with connect(f"ws://127.0.0.1:{arcade.port}/ws/{game}?token={ticket}", compression=None) as socket:
        yield Player(socket, keep_pictures=False)


async def test_who_drops_out_goes_on_at_the_next_tick_and_the_gap_is_on_record(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "cut@example.org")
    async with seated(arcade, token) as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.read_until_frame(30)
        player.socket.transport.abort()  # the network is gone: no goodbye
    async with seated(arcade, token) as player:
        welcome = await player.hello()
        assert (welcome["phase"], welcome["episode"]) == ("paused", episode)
        assert (await player.read_until("started"))["episode"] == episode
        paused_at = (await player.read_until_frame(30)).frame
        await player.send("resume")
        await player.read_until("resumed")
        assert (await player.read_until_frame(paused_at + 1)).frame == paused_at + 1
        await player.read_until_frame(paused_at + 30)
        await player.send("leave")
        ended = await player.read_until("ended")
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        kept = dataset.episode(UUID(episode))
        assert len(kept.actions) == ended["n_steps"]
        kinds = [event.kind for event in kept.events]
        gap = [kind for kind in kinds if kind in ("detach", "attach", "resume")]
        assert gap[:3] == ["detach", "attach", "resume"]


async def test_what_a_page_says_last_is_heard_though_it_goes_at_once(arcade: Arcade) -> None:
    together = asyncio.Barrier(16)

    async def leave_in_haste(number: int) -> str:
        async with open_player(arcade, f"haste{number}@example.org", "breakout") as player:
            await player.send("start")
            episode = str((await player.read_until("started"))["episode"])
            await player.read_until_frame(5)
            await together.wait()
            for index in range(number):
                await player.send("ping", id=index, previous=None)
            await player.send("leave")
        return episode

    episodes = await asyncio.gather(*(leave_in_haste(number) for number in range(16)))
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        for id_ in episodes:
            assert dataset.episode(UUID(id_)).end_reason == "left"


async def test_another_tab_takes_over_and_the_first_one_is_told(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "tabs@example.org")
    async with seated(arcade, token) as first, seated(arcade, token) as second:
        # The second socket was opened after the first: it has the seat.
        assert await closing(first) == (4009, "This game goes on in another tab.")
        assert (await second.hello())["phase"] == "ready"
        await second.send("start")
        episode = (await second.read_until("started"))["episode"]
        await second.read_until_frame(10)
        async with seated(arcade, token) as third:
            welcome = await third.hello()  # a socket that has said nothing takes nothing
            assert (await closing(second))[0] == 4009
            assert (welcome["phase"], welcome["episode"]) == ("paused", episode)


async def test_O11_of_sockets_in_a_burst_the_last_one_has_the_seat(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "twins@example.org")
    tickets = [await issue_ticket(arcade.url, token, "breakout") for _ in range(8)]
    players = []
    for ticket in tickets:
        address = f"ws://127.0.0.1:{arcade.port}/ws/breakout?token={ticket}"
        players.append(Player(await connect(address, compression=None), keep_pictures=False))
    codes = await asyncio.gather(*(closing(player) for player in players[:-1]))
    assert codes == [(4009, "This game goes on in another tab.")] * 7
    assert (await players[-1].hello())["phase"] == "ready"
    await players[-1].socket.close()


async def test_who_does_not_come_back_in_time_has_an_incomplete_episode_with_all_of_it(arcade: Arcade) -> None:
    async with open_player(arcade, "gone@example.org", "breakout") as player:
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        seen = (await player.read_until_frame(40)).frame
    async with asyncio.timeout(30):
        while (arcade.home / "journal" / episode).exists():
            await asyncio.sleep(0.1)
    with sa.open() as dataset:
        kept = dataset.episode(UUID(episode))
        assert (kept.status, kept.end_reason) == ("incomplete", "disconnected")
        assert len(kept.actions) >= seen


async def test_a_player_who_opens_another_game_leaves_the_one_before(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "both@example.org")
    async with seated(arcade, token) as first:
        await first.hello()
        await first.send("start")
        await first.read_until_frame(5)
        async with seated(arcade, token, "tower-of-hanoi") as second:
            assert (await second.hello())["phase"] == "ready"
        assert (await first.read_until("ended"))["reason"] == "left"
        assert (await closing(first))[0] == 1000


async def test_sigterm_tells_players_seals_their_games_and_delivers_them_inside_ten_seconds() -> None:
    with temporary_home() as home:
        house = ServerUnderTest(home)
        await asyncio.to_thread(house.start)
        arcade = Arcade(house.port, home, house.process)  # type: ignore[arg-type]
        async with open_player(arcade, "last@example.org", "breakout") as player:
            player.keep_pictures = False
            await player.send("start")
            episode = UUID((await player.read_until("started"))["episode"])
            seen = (await player.read_until_frame(60)).frame
            stopping = asyncio.create_task(asyncio.to_thread(house.stop))
            notice = await player.read_until("notice")
            ended = await player.read_until("ended")
            assert await closing(player) == (1012, REASONS[CloseCode.RESTARTING])
        assert "restarting" in notice["text"]
        assert (ended["status"], ended["reason"]) == ("incomplete", "server-stopped")
        assert ended["n_steps"] >= seen
        assert await stopping < 10
        assert house.files(".open", ".sealed", ".new", "") == []
        [report] = await house.check({episode: ended["n_steps"]})
        assert (report.stored, report.lost, report.duplicated, report.problems) == (ended["n_steps"], 0, 0, [])
