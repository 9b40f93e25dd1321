"""A study on a real server: it survives `kill -9` in every stage, and a withdrawal leaves no identifier anywhere."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.database.tables import Table
from tests.support.arcade import Arcade, Player, ticket_subprotocols
from tests.support.consent import BIRTH_YEAR
from tests.support.rounds import play, request
from tests.support.server import ServerUnderTest
from tests.support.studies import export_everything, make_study, open_in_database
from tests.web.conftest import LAKE

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PERSON, RITA = "person-4711", "rita@example.org"
GAMES = LAKE.replace("FrozenLake-v1", "FrozenLake-v1, kwargs: {is_slippery: false}").replace(
    "controls: [{name: left, label: Left, keys: [ArrowLeft]}]\nactions: [{press: [left], action: 0}]",
    "controls: [{name: down, label: Down, keys: [ArrowDown]}, {name: right, label: Right, keys: [ArrowRight]}]\n"
    "actions: [{press: [down], action: 1}, {press: [right], action: 2}]",
)
INTO_THE_HOLE = ("down", "right")


@pytest.fixture
def server(home: Path) -> Iterator[ServerUnderTest]:
    """A server with one game."""
    (home / "games").mkdir()
    (home / "games" / "frozen-lake.yaml").write_text(GAMES)
    tested = ServerUnderTest(home, {"GAMES_FOLDER": str(home / "games"), "LOG_LEVEL": "INFO"})
    tested.start()
    yield tested
    tested.stop()


class Participant:
    """A participant at Prolific, who comes again after each accident."""

    def __init__(self, server: ServerUnderTest) -> None:
        self.server, self.user_id = server, ""
        self.page: dict[str, Any] = {}
        self.headers: dict[str, str] = {}

    async def join(self) -> None:
        # As the browser does, with the id in the address of the page.
        await self._request("GET", f"/study/ice?PROLIFIC_PID={PERSON}", is_json=False)
        body = {"study": "ice", "query": {"PROLIFIC_PID": PERSON}, "resume": None}
        joined = await self._request("POST", "/studies/participants", json=body)
        self.headers = {"authorization": f"Bearer {joined['token']}"}
        self.user_id, self.page = joined["user_id"], joined["page"]

    async def answer(self, data: dict[str, Any]) -> None:
        """Answer until everything is stored, as the page does."""
        body = {"stage": self.page["stage"]["name"], "data": data}
        async with asyncio.timeout(60):
            while (page := await self._request("POST", "/studies/me/answers", json=body))["is_saving"]:
                await asyncio.sleep(0.2)
        self.page = page

    @asynccontextmanager
    async def open_game(self, game: str = "frozen-lake") -> Any:
        ticket = (await self._request("POST", "/studies/me/tickets"))["ticket"]
        address = f"ws://127.0.0.1:{self.server.port}/ws/{game}"
        async with connect(address, subprotocols=ticket_subprotocols(ticket), compression=None) as connection:
            player = Player(connection)
            await player.hello()
            yield player

    async def play(self) -> None:
        async with self.open_game() as player:
            await player.send("start")
            await player.read_until("started")
            for control in INTO_THE_HOLE:
                await player.tap(control)
            await player.read_until("ended")

    async def _request(self, method: str, path: str, *, is_json: bool = True, **fields: Any) -> Any:
        async with httpx.AsyncClient(base_url=self.server.url, headers=self.headers, timeout=60) as client:
            answer = await client.request(method, path, **fields)
            if is_json:
                return answer.raise_for_status().json()
            return None

    async def withdraw(self) -> None:
        await self._request("POST", "/studies/me/withdrawal")

    async def restart_server(self) -> None:
        """Kill the server, start another one, and come back by the recruiter's address."""
        await asyncio.to_thread(self.server.kill, self.server.server)
        await asyncio.to_thread(self.server.start)
        before = (self.page["stage"], self.page["number"], self.user_id)
        await self.join()
        assert (self.page["stage"], self.page["number"], self.user_id) == before


def read_settings(home: Path) -> Settings:
    return Settings(_env_file=None, skill_arcade_home=home)


async def open_study(home: Path, content: dict[str, Any]) -> None:
    engine = create_engine(await asyncio.to_thread(database_url, read_settings(home)))
    await open_in_database(engine, content)
    await engine.dispose()


async def read_tables(home: Path) -> dict[str, list[Any]]:
    engine = create_engine(await asyncio.to_thread(database_url, read_settings(home)))
    async with engine.connect() as connection:
        tables = {
            table.name: list(await connection.execute(sa.select(table))) for table in Table.metadata.sorted_tables
        }
    await engine.dispose()
    return tables


def find_in_files(home: Path, text: str) -> list[str]:
    """Return the files of the arcade that contain a text: journal, objects, logs, but not Postgres's own."""
    files = (path for path in home.rglob("*") if path.is_file() and "postgres" not in path.parts)
    return [str(path.relative_to(home)) for path in files if text.encode() in path.read_bytes()]


def find_texts(files: dict[str, bytes], text: str) -> list[str]:
    """Return the names of exported files that contain a text."""
    return sorted(name for name, content in files.items() if text.encode() in content)


def count_exported(out: Path) -> int:
    """Return the number of episodes in an export."""
    tables = [pq.read_table(path) for path in out.rglob("*.parquet")]
    return sum(table.num_rows for table in tables if "study" in table.column_names)


async def test_participant_survives_killed_server_in_every_stage_and_withdrawal_leaves_nothing(
    server: ServerUnderTest, tmp_path: Path
) -> None:
    await open_study(server.home, make_study(recruiter={"kind": "prolific"}))
    person = Participant(server)
    await person.join()
    await person.restart_server()
    await person.answer({"document": person.page["stage"]["sha256"], "scopes": ["research"], "birth_year": BIRTH_YEAR})
    await person.restart_server()
    await person.answer({"round_trip_ms": 5, "has_keyboard": True})
    await person.restart_server()
    await person.answer({"key": "left"})
    async with person.open_game() as player:  # killed in the middle of a game
        await player.send("start")
        await player.read_until("started")
        await player.tap(INTO_THE_HOLE[0])
        await player.read_until_frame(1)
        await asyncio.to_thread(server.kill, server.server)
    await asyncio.to_thread(server.start)
    await person.join()
    assert (person.page["stage"]["name"], person.page["stage"]["trial"]) == ("warm-up", 0)
    await server.wait_until_uploaded()
    await person.play()  # killed before its recording is stored
    await asyncio.to_thread(server.kill, server.server)
    await asyncio.to_thread(server.start)
    await person.join()
    await person.answer({})
    for trial in range(2):
        assert (person.page["stage"]["name"], person.page["stage"]["trial"]) == ("play", trial)
        await person.restart_server()
        await person.play()
        await person.answer({})
    await person.restart_server()
    await person.answer({"fun": 5, "check-1": 1, "check-2": 2})
    await person.restart_server()
    await person.answer({})
    assert person.page["completion"]["url"] == "https://app.prolific.com/submissions/complete?cc=COMPLETE"
    assert server.files(".open", ".sealed") == []

    tables = await read_tables(server.home)
    episodes = tables["episode"]
    trials = sorted(
        (row.provenance["study"]["stage"], row.provenance["study"]["trial"], row.provenance["study"]["attempt"])
        for row in tables["episode"]
    )
    assert trials == [("play", 0, 0), ("play", 1, 0), ("warm-up", 0, 0), ("warm-up", 0, 1)]
    assert [row.seed for row in tables["episode"] if row.provenance["study"]["stage"] == "play"] == [11, 12]
    assert {row.consent_id for row in tables["episode"]} == {tables["consent"][0].id}
    assert find_in_files(server.home, PERSON) == []

    before = await export_everything(server.home, tmp_path / "before")
    assert find_texts(before, person.user_id) == ["data/answers.csv", "data/participants.csv", "data/trials.csv"]
    assert count_exported(tmp_path / "before") == 4

    await person.withdraw()
    async with asyncio.timeout(60):
        while (tables := await read_tables(server.home))["erasure"][0].time_erased is None:
            await asyncio.sleep(0.2)
    remaining = {name: rows for name, rows in tables.items() if name != "erasure"}
    assert PERSON not in str(tables)
    assert person.user_id not in str(remaining)
    assert find_in_files(server.home, PERSON) == []
    after = await export_everything(server.home, tmp_path / "after")
    for text in (PERSON, person.user_id, *(str(row.id) for row in episodes)):
        assert find_texts(after, text) == []
    assert count_exported(tmp_path / "after") == 0


PLAYED_FRAMES = 300
DELAYS = {"at-once": (0, 0), "late-input": (100, 0), "late-picture": (0, 80), "both": (200, 50)}
TOLERANCE_US = 2000


async def join_until_the_games(server: ServerUnderTest) -> Participant:
    """Join the study, and answer consent, screening and instructions."""
    person = Participant(server)
    await person.join()
    document = person.page["stage"]["sha256"]
    await person.answer({"document": document, "scopes": ["research"], "birth_year": BIRTH_YEAR})
    await person.answer({"round_trip_ms": 5, "has_keyboard": True})
    await person.answer({"key": "left"})
    return person


async def test_I4_F8_R25_imposed_delays_are_right_to_2_ms_by_the_recorded_times(home: Path) -> None:
    content = make_study(recruiter={"kind": "prolific"}, arms={"all": {}})
    content["stages"][3:5] = [
        {"kind": "games", "name": name, "game": "breakout", "amount": {"frames": PLAYED_FRAMES}}
        | {"input_delay_ms": input_ms, "frame_delay_ms": frame_ms}
        for name, (input_ms, frame_ms) in DELAYS.items()
    ]
    server = ServerUnderTest(home)
    server.start()
    sent_us: dict[str, list[float]] = {}
    try:
        await open_study(home, content)
        person = await join_until_the_games(server)
        for name in DELAYS:
            async with person.open_game("breakout") as player:
                await press_until_the_end(player)
                sent_us[name] = [
                    at * 1e6 - packet.server_us for packet, at in zip(player.packets, player.arrival_times, strict=True)
                ]
            await person.answer({})
        await server.wait_until_uploaded()
        tables = await read_tables(home)
    finally:
        server.stop()
    for name, (input_ms, frame_ms) in DELAYS.items():
        [episode] = [row for row in tables["episode"] if row.provenance["study"]["stage"] == name]
        study = episode.provenance["study"]
        assert (study["input_delay_ms"], study["frame_delay_ms"]) == (input_ms, frame_ms)
        assert episode.n_steps == PLAYED_FRAMES
        steps = sorted((row for row in tables["transition"] if row.episode_id == episode.id), key=lambda row: row.step)
        check_input_delay(steps, input_ms * 1000)
        added_us = median(sent_us[name]) - median(sent_us["at-once"])
        assert abs(added_us - frame_ms * 1000) <= TOLERANCE_US


TRIAL = {"kind": "games", "game": "breakout", "amount": {"trials": 1}, "max_trial_frames": 40}


async def test_F9_R30_imposed_sound_and_ghost_are_in_the_record(home: Path) -> None:
    content = make_study(arms={"all": {}})
    content["stages"][3:5] = [
        TRIAL | {"name": "silent", "sound": False},
        TRIAL | {"name": "loud", "sound": True},
        TRIAL | {"name": "raced", "ghost": True, "amount": {"trials": 2}, "seed_list": [7]},
    ]
    server = ServerUnderTest(home)
    server.start()
    welcomes: list[tuple[str, dict[str, Any], int]] = []
    try:
        await open_study(home, content)
        person = await join_until_the_games(server)
        for name in ("silent", "loud", "raced", "raced"):
            async with person.open_game("breakout") as player:
                await player.send("start")
                await player.read_until("ended")
                welcome = next(one for one in player.messages if one["type"] == "welcome")
                welcomes.append((name, welcome, player.n_sounds))
            await person.answer({})
        await server.wait_until_uploaded()
        tables = await read_tables(home)
        conditions = await read_conditions(home)
    finally:
        server.stop()
    first, last = (row.provenance for row in tables["episode"] if row.provenance["study"]["stage"] == "raced")
    raced = next(row.id for row in tables["episode"] if row.provenance == first)
    assert [(name, welcome["sound_hz"] is None, n_sounds > 0) for name, welcome, n_sounds in welcomes] == [
        *(("silent", True, False), ("loud", False, True)),
        *(("raced", False, False), ("raced", False, False)),
    ]
    assert [welcome["ghost"] for *_, welcome, _ in welcomes[:3]] == [None] * 3
    assert welcomes[3][1]["ghost"] == last["ghost"] == {"episode": str(raced), "seed": "same"}
    assert "ghost" not in first
    assert conditions == [
        *(("loud", True, False, False), ("raced", None, True, False)),
        *(("raced", None, True, False), ("silent", False, False, False)),
    ]


async def test_O36_researcher_plays_on_from_a_limited_trial_outside_of_the_study(home: Path) -> None:
    content = make_study(arms={"all": {}})
    content["stages"][3:5] = [TRIAL | {"name": "short", "input_delay_ms": 50}]
    server = ServerUnderTest(home, {"RESEARCHER_EMAILS": RITA, "MAX_ADDRESS_PERCENT": "100"})
    server.start()
    try:
        await open_study(home, content)
        person = await join_until_the_games(server)
        async with person.open_game("breakout") as player:
            await player.send("start")
            trial = (await player.read_until("ended"))["episode"]
        await server.wait_until_uploaded()
        arcade = Arcade(server.port, home, server.running)
        branch = {"episode": trial, "frame": 25}
        body = {"game_id": "breakout", "branch": branch}
        refused = await asyncio.to_thread(httpx.post, f"{server.url}/play/tickets", json=body, headers=person.headers)
        stranger = await request(arcade, "POST", "/play/tickets", "sam@example.org", body)
        round_ = await play(arcade, RITA, branch=branch)
        tables = await read_tables(home)
        conditions = await read_conditions(home)
    finally:
        server.stop()
    assert (refused.status_code, refused.json()["error"]) == (403, "ConsentRequired")
    assert stranger.status_code == 404
    episodes = {str(row.id): row for row in tables["episode"]}
    assert (episodes[trial].n_steps, episodes[trial].end_reason) == (TRIAL["max_trial_frames"], "truncated")
    child = episodes[round_]
    assert child.n_steps > TRIAL["max_trial_frames"]
    assert (child.seed, child.provenance["branch"]["parent"]) == (episodes[trial].seed, trial)
    assert "study" not in child.provenance
    [consent] = [one for one in tables["consent"] if one.id == child.consent_id]
    assert consent.user_id == child.user_id != episodes[trial].user_id
    assert [stage for stage, *_ in conditions] == ["short"]


async def read_conditions(home: Path) -> list[tuple[Any, ...]]:
    """Return stage and conditions of each trial, as the view has them."""
    engine = create_engine(await asyncio.to_thread(database_url, read_settings(home)))
    async with engine.connect() as connection:
        query = sa.text("SELECT stage, sound, ghost, lockstep FROM study_episode ORDER BY stage, trial")
        found = [tuple(row) for row in await connection.execute(query)]
    await engine.dispose()
    return found


async def press_until_the_end(player: Player) -> None:
    """Press and release controls at all phases of a tick until the episode ends."""
    await player.send("start")
    await player.read_until("started")
    rng, is_down = random.Random(1), False
    while not (player.packets and player.packets[-1].frame >= PLAYED_FRAMES - 20):
        await player.read_until_frame(len(player.packets) + rng.randint(2, 5))
        await asyncio.sleep(rng.random() / 60)
        is_down = not is_down
        await player.press("right", down=is_down)
    await player.read_until("ended")


def check_input_delay(steps: list[Any], delay_us: int) -> None:
    """Each input must act at the first tick that began when its delay was over.

    On a busy machine a tick is so late that the release of a key is due with its press; it then acts a tick later (I2).
    """
    first_steps = {row.input_received_us: row for row in reversed(steps) if row.input_received_us is not None}
    assert len(first_steps) > 30
    held_us = [row.server_us - received for received, row in first_steps.items()]
    assert min(held_us) >= delay_us
    acting = {row.step for row in first_steps.values()}
    alone = [(received, row) for received, row in first_steps.items() if row.step - 1 not in acting and row.step > 0]
    assert len(alone) > 20
    for received, row in alone:
        assert steps[row.step - 1].server_us <= received + delay_us + TOLERANCE_US
