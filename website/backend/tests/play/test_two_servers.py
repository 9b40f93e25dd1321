"""Two servers on one database, with a journal each: lost servers (R23, R24), and one game of a player (O25)."""

import asyncio
import json
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from uuid import UUID, uuid4

import httpx
import psutil
import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.connections.game_connection import HAND_OVER_REASON
from skill_arcade.play.session.session import STEPS_LOST_NOTICE
from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.journal_files import list_files
from skill_arcade.recording.purge import read_header
from skill_arcade.web.play_socket import MOVING_NOTICE
from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import Player, issue_ticket, now_ms, open_player, sign_in, ticket_subprotocols
from tests.support.database import fresh_database, opened_engine
from tests.support.lockstep_page import PERIOD_MS, LockstepPage
from tests.support.server import ServerUnderTest
from tests.support.server_pair import ServerPair, kill_machine, running_pair
from tests.support.uploads import read_rows

pytestmark = pytest.mark.anyio
LOST_SECONDS = 3
GAME = "breakout"
N_VISITS, VISITS_SECONDS = 10, 4.0
SEED = int(os.environ.get("FAULTS_SEED", "20261129"))
Pair = ServerPair


@pytest.fixture(scope="module")
def shared_url(postgres: URL) -> Iterator[URL]:
    """URL of the database that both servers use."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def started_pair(shared_url: URL) -> Iterator[Pair]:
    """Two servers, with clocks 5 s apart."""
    with running_pair(shared_url, SERVER_LOST_SECONDS=str(LOST_SECONDS), RESUME_SECONDS="5") as pair:
        yield pair


@pytest.fixture
def pair(started_pair: Pair) -> Pair:
    """Both servers, running."""
    for server in started_pair:
        if server.running.poll() is not None:
            server.start()
    return started_pair


@pytest.fixture
async def engine(shared_url: URL, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the shared database."""
    async with opened_engine(shared_url) as engine:
        yield engine


def new_email() -> str:
    """Return the address of a player who has never played."""
    return f"{uuid4().hex}@example.org"


async def start_playing(player: Player) -> UUID:
    """Start an episode and play a second. Return its id."""
    await player.send("start", mode="streamed")
    episode = UUID((await player.read_until("started"))["episode"])
    await player.read_until_frame(60)
    return episode


async def read_close_code(player: Player) -> int:
    """Read until the server closes the socket. Return the close code."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(20):
            while True:
                await player.read()
    code = player.socket.close_code
    assert code is not None
    return code


async def wait_for(engine: AsyncEngine, query: str, expected: list[tuple[object, ...]]) -> None:
    """Wait until a query returns these rows."""
    found: list[tuple[object, ...]] = []
    try:
        async with asyncio.timeout(60):
            while (found := await read_rows(engine, query)) != expected:
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"{found} instead of {expected}")


async def read_metric(server: ServerUnderTest, name: str) -> float:
    """Return a metric of a server."""
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{server.url}/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"skill_arcade_{name}{{")).rpartition(" ")[2])


async def wait_until_sealed_are_uploaded(server: ServerUnderTest) -> None:
    """Wait until the uploader has nothing to do, so that it is not in the middle of a transaction."""
    async with asyncio.timeout(60):
        while server.files(SEALED):
            await asyncio.sleep(0.05)


async def play_until_killed(server: ServerUnderTest) -> dict[UUID, int]:
    """Play, kill the server while part of the episode is not uploaded, and return the steps seen."""
    async with open_player(server, new_email(), GAME) as player:
        episode = await start_playing(player)
        await asyncio.sleep(1.0)
        server.uploader().suspend()
        last = await player.read_until_frame(150)
        kill_machine(server)
    return {episode: last.frame}


async def continue_playing(player: Player, episode: UUID, n_frames: int = 60) -> int:
    """Continue a paused episode for some frames. Return the first new frame."""
    assert UUID((await player.read_until("started"))["episode"]) == episode
    first = (await player.read_until_frame(0)).frame
    await player.send("resume")
    await player.read_until_frame(first + n_frames)
    return first


async def leave_and_certify(player: Player, engine: AsyncEngine, episode: UUID) -> None:
    """End the episode, and wait until all of its steps are certified."""
    await player.send("leave")
    n_steps = (await player.read_until("ended"))["n_steps"]
    query = (
        "SELECT c.result::text, c.reason, e.n_steps, c.n_steps FROM certificate c "
        f"JOIN episode e ON e.id = c.episode_id WHERE e.id = '{episode}'"
    )
    await wait_for(engine, query, [("certified", "", n_steps, n_steps)])


async def test_O26_game_moves_to_the_server_of_the_newest_connection(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
        async with open_player(two, email, GAME) as second:
            assert await read_close_code(first) == CloseCode.TAKEN_OVER
            # The page that was closed must not have been shown the end of its episode as a result.
            assert [message for message in first.messages if message["type"] == "ended"] == []
            moved_at = await continue_playing(second, episode)
            assert moved_at >= first.packets[-1].frame
            async with open_player(one, email, GAME) as third:
                assert await read_close_code(second) == CloseCode.TAKEN_OVER
                again_at = await continue_playing(third, episode)
                assert again_at >= second.packets[-1].frame
                assert await read_metric(one, "games") + await read_metric(two, "games") == 1
                await leave_and_certify(third, engine, episode)
    query = (
        f"SELECT kind FROM event WHERE episode_id = '{episode}' AND kind IN ('handed-over', 'moved') ORDER BY number"
    )
    assert await read_rows(engine, query) == [("handed-over",), ("moved",)] * 2
    (report,) = [report for report in await two.check({episode: again_at + 60}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_O30_server_that_stops_hands_its_games_over(pair: Pair, engine: AsyncEngine) -> None:
    stopped, other = pair
    email = new_email()
    async with open_player(stopped, email, GAME) as first:
        episode = await start_playing(first)
        stopping = asyncio.create_task(asyncio.to_thread(stopped.stop))
        assert await read_close_code(first) == CloseCode.RESTARTING
        assert first.messages[-1] == {"type": "notice", "text": HAND_OVER_REASON}
    async with open_player(other, email, GAME) as second:
        assert await continue_playing(second, episode) >= first.packets[-1].frame
        await leave_and_certify(second, engine, episode)
    await stopping
    query = f"SELECT kind FROM event WHERE episode_id = '{episode}' AND kind IN ('handed-over', 'moved', 'rewound')"
    assert await read_rows(engine, f"{query} ORDER BY number") == [("handed-over",), ("moved",)]
    seen = {episode: first.packets[-1].frame}
    (report,) = [report for report in await other.check(seen) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_O30_game_of_a_stopped_server_that_nobody_continues_is_over(pair: Pair, engine: AsyncEngine) -> None:
    stopped, _ = pair
    async with open_player(stopped, new_email(), GAME) as player:
        episode = await start_playing(player)
        await asyncio.to_thread(stopped.stop)
    query = f"SELECT status::text, end_reason, time_ended > time_created FROM episode WHERE id = '{episode}'"
    await wait_for(engine, query, [("incomplete", "server-stopped", True)])


async def test_O25_reconnect_to_the_same_server_continues_the_episode(pair: Pair) -> None:
    one, _ = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
    async with open_player(one, email, GAME) as second:
        assert UUID((await second.read_until("started"))["episode"]) == episode


async def test_O25_random_servers_leave_one_game(pair: Pair, engine: AsyncEngine) -> None:
    rng, email = random.Random(SEED), new_email()
    games_before = [await read_metric(server, "games") for server in pair]

    async def visit(server: ServerUnderTest, delay: float) -> None:
        await asyncio.sleep(delay)
        with suppress(ConnectionClosed):
            async with open_player(server, email, GAME) as player:
                phase = next(message for message in player.messages if message["type"] == "welcome")["phase"]
                if phase == "paused":
                    await player.send("resume")
                elif phase in ("ready", "ended"):
                    await player.send("start", mode="streamed")
                await player.read_until_frame(10_000)

    await sign_in(pair[0].url, email)
    visits = [asyncio.create_task(visit(rng.choice(pair), rng.uniform(0, VISITS_SECONDS))) for _ in range(N_VISITS)]
    try:
        await asyncio.sleep(VISITS_SECONDS + LOST_SECONDS)
        async with asyncio.timeout(30):
            while sum(not task.done() for task in visits) > 1:
                await asyncio.sleep(0.1)
        assert [task.exception() for task in visits if task.done() and task.exception() is not None] == []
        (left,) = [task for task in visits if not task.done()]
        await asyncio.sleep(LOST_SECONDS)
        assert not left.done()
        games = [await read_metric(server, "games") for server in pair]
        assert sum(games) - sum(games_before) <= 1
        running = 'SELECT count(*) FROM episode e JOIN "user" u ON u.id = e.user_id WHERE time_ended IS NULL'
        await wait_for(engine, f"{running} AND email = '{email}'", [(1,)])
    finally:
        for task in visits:
            task.cancel()
        await asyncio.wait(visits)


async def test_O25_erasure_on_another_server_ends_the_game(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as player:
        episode = await start_playing(player)
        token = await sign_in(two.url, email, consents=False)
        async with httpx.AsyncClient(base_url=two.url, timeout=60) as client:
            headers = {"authorization": f"Bearer {token}"}
            (await client.post("/me/erasure", json={"word": "erase"}, headers=headers)).raise_for_status()
        assert await read_close_code(player) == CloseCode.NORMAL
    await one.wait_until_uploaded()
    await wait_for(engine, f"SELECT count(*) FROM episode WHERE id = '{episode}'", [(0,)])
    await wait_for(engine, f"SELECT count(*) FROM \"user\" WHERE email = '{email}'", [(0,)])


async def play_lockstep(player: Player, page: LockstepPage, n_steps: int) -> None:
    """Play steps in real time, ten messages per second, and wait until the server has confirmed them."""
    end = page.n_steps + n_steps
    while page.n_steps < end:
        await asyncio.sleep(0.1)
        page.step(int((now_ms() - page.now_ms) / PERIOD_MS))
        await player.socket.send(json.dumps(page.ticks()))
    async with asyncio.timeout(20):
        while (ticked := await player.read_until("ticked"))["n_steps"] < page.n_steps:
            pass
    assert ticked["digest"] == page.digest


async def test_O26_lockstep_game_moves_while_its_page_goes_on(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email, game = new_email(), load_catalogue().games[GAME]
    async with open_player(one, email, GAME) as first:
        await first.send("start", mode="lockstep")
        started, started_ms = await first.read_until("started"), now_ms()
        episode = UUID(started["episode"])
        header = read_header(list_files(one.journal / str(episode))[0])
        assert header is not None
        page = LockstepPage(game, header.seed)
        page.now_ms = started_ms
        page.press("fire")
        await play_lockstep(first, page, 60)
    async with open_player(two, email, GAME) as second:
        assert next(message for message in second.messages if message["type"] == "welcome")["phase"] == "playing"
        moved = await second.read_until("started")
        assert (moved["episode"], moved["lockstep"]["n_steps"]) == (str(episode), page.n_steps)
        assert moved["lockstep"]["digest"] == page.digest
        await play_lockstep(second, page, 30)
        page.press("fire", down=False)
        await play_lockstep(second, page, 30)
        assert second.packets == []
        await leave_and_certify(second, engine, episode)


async def test_R27_frozen_server_adds_nothing_when_it_wakes_up(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
        await wait_for(engine, f"SELECT count(*) FROM episode WHERE id = '{episode}' AND n_steps >= 30", [(1,)])
        uploader = one.uploader()
        family = [uploader, *(process for process in one.server.children(recursive=True) if process != uploader)]
        family.append(one.server)
        for process in reversed(family):
            if process == uploader:
                await wait_until_sealed_are_uploaded(one)
            process.suspend()
        ((stored,),) = await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{episode}'")
        try:
            async with open_player(two, email, GAME) as second:
                notices = [message["text"] for message in second.messages if message["type"] == "notice"]
                assert notices == [MOVING_NOTICE]
                moved_at = await continue_playing(second, episode)
                assert moved_at == stored
                assert STEPS_LOST_NOTICE in [message.get("text") for message in second.messages]
                for process in family:
                    process.resume()
                woken_at = time.monotonic()
                assert await read_close_code(first) == CloseCode.TAKEN_OVER
                assert time.monotonic() - woken_at < 5
                await second.read_until_frame(second.packets[-1].frame + 60)
                await second.send("pause")  # nothing is read meanwhile
                await second.read_until("paused")
                await one.wait_until_uploaded()
                await leave_and_certify(second, engine, episode)
        finally:
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.resume()
    (moved,) = await read_rows(engine, f"SELECT step FROM event WHERE episode_id = '{episode}' AND kind = 'rewound'")
    assert moved == (moved_at,)
    (report,) = [report for report in await two.check({}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_O26_game_moves_without_a_notification(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
        listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        assert await read_rows(engine, listening) == [(True,), (True,)]
        async with open_player(two, email, GAME) as second:
            assert await read_close_code(first) == CloseCode.TAKEN_OVER
            assert await continue_playing(second, episode) >= first.packets[-1].frame


async def test_O29_connection_to_another_game_ends_the_episode_on_the_other_server(
    pair: Pair, engine: AsyncEngine
) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
        async with open_player(two, email, "freeway") as second:
            assert await read_close_code(first) == CloseCode.TAKEN_OVER
            assert await start_playing(second) != episode
    await wait_for(engine, f"SELECT end_reason FROM episode WHERE id = '{episode}'", [("taken-over",)])


async def test_O25_ticket_works_once_on_all_servers(pair: Pair) -> None:
    one, two = pair
    ticket = await issue_ticket(one.url, await sign_in(one.url, new_email()), GAME)
    codes = []
    for server in (one, two):
        address = f"ws://127.0.0.1:{server.port}/ws/{GAME}"
        async with connect(address, subprotocols=ticket_subprotocols(ticket), open_timeout=60) as socket:
            player = Player(socket)
            try:
                await player.hello()
            except ConnectionClosed:
                codes.append(socket.close_code)
            else:
                codes.append(0)
    assert codes == [0, CloseCode.BAD_TICKET]


async def test_R23_server_that_is_lost_with_its_disk_leaves_no_open_episode(pair: Pair, engine: AsyncEngine) -> None:
    lost, other = pair
    ended_before = await read_metric(other, "lost_episodes_total")
    (episode,) = await play_until_killed(lost)
    started_at = time.monotonic()
    shutil.rmtree(lost.journal)
    await wait_for(engine, f"SELECT end_reason FROM episode WHERE id = '{episode}'", [("server-lost",)])
    assert time.monotonic() - started_at < 4 * LOST_SECONDS
    await wait_for(
        engine, f"SELECT result::text, reason FROM certificate WHERE episode_id = '{episode}'", [("certified", "")]
    )
    reports = await other.check({})
    report = next(report for report in reports if report.episode == episode)
    assert (report.is_lost, report.lost, report.problems) == (True, 0, [])
    assert report.stored >= 60
    assert await read_metric(other, "lost_episodes_total") > ended_before
    assert await read_metric(other, "silent_servers") >= 1
    assert await read_metric(other, "servers") == 1


async def test_R28_game_of_a_killed_server_goes_on_from_its_last_stored_step(pair: Pair, engine: AsyncEngine) -> None:
    one, two = pair
    email = new_email()
    async with open_player(one, email, GAME) as first:
        episode = await start_playing(first)
        await wait_for(engine, f"SELECT count(*) FROM episode WHERE id = '{episode}' AND n_steps >= 30", [(1,)])
        kill_machine(one)
    await asyncio.sleep(1.0)  # for a commit that was already sent
    ((stored,),) = await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{episode}'")
    async with open_player(two, email, GAME) as second:
        assert await continue_playing(second, episode) == stored
        await second.send("pause")  # nothing is read meanwhile
        await second.read_until("paused")
        await asyncio.to_thread(one.start)
        await one.wait_until_uploaded()
        await second.send("resume")
        await second.read_until_frame(second.packets[-1].frame + 60)
        await leave_and_certify(second, engine, episode)
    (report,) = [report for report in await two.check({}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_R24_server_that_returns_with_its_disk_completes_the_episode(pair: Pair, engine: AsyncEngine) -> None:
    lost, other = pair
    seen = await play_until_killed(lost)
    (episode,) = seen
    await wait_for(
        engine, f"SELECT result::text, reason FROM certificate WHERE episode_id = '{episode}'", [("certified", "")]
    )
    ((partial,),) = await read_rows(engine, f"SELECT n_steps FROM certificate WHERE episode_id = '{episode}'")
    await asyncio.to_thread(lost.start)
    await lost.wait_until_uploaded()
    ((n_steps,),) = await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{episode}'")
    assert n_steps >= max(seen.values()) > partial
    query = (
        "SELECT c.result::text, c.n_steps, c.reason, e.end_reason FROM certificate c "
        f"JOIN episode e ON e.id = c.episode_id WHERE e.id = '{episode}'"
    )
    await wait_for(engine, query, [("certified", n_steps, "", "crashed")])
    reports = await other.check(seen)
    report = next(report for report in reports if report.episode == episode)
    assert (report.is_lost, report.lost, report.duplicated, report.problems) == (False, 0, 0, [])
