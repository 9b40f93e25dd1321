"""Agents on the server: they sign in by a token, play as one of their versions, and are never counted as people."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.boards.judge import judge_queue
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import hash_manifest
from skill_arcade.play.assignment import GameAssignment, PlayConsent, PlayingAgent
from skill_arcade.play.session.provenance import describe_server
from skill_arcade.research.charts import CHARTS
from skill_arcade.settings import Settings
from skill_arcade.storage.database.agents import add_version, issue_token, revoke_tokens
from skill_arcade.storage.database.boards import add_player, enqueue_user
from skill_arcade.storage.database.episode_measures import list_unmeasured, measure_episodes
from skill_arcade.storage.database.views import VIEWS
from skill_arcade.web.app import create_app
from skill_arcade.web.game_moves import fits
from tests.support.agents import add_agent, add_agent_episode, make_facts
from tests.support.board_data import add_episode, add_user
from tests.support.consent import write_consent
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
RITA = "rita@example.org"
BOARD = "/leaderboards/frozen-lake"


async def sign_in_agent(arcade: Visitor, user_id: str) -> dict[str, str]:
    """Make a token of an agent, sign in with it, and return the request headers."""
    async with arcade.state.engine.begin() as connection:
        token = await issue_token(connection, user_id)
    answer = await arcade.http.post("/auth/agents", json={"token": token})
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def ask_ticket(arcade: Visitor, headers: dict[str, str], version: int, game: str = "pong") -> tuple[int, str]:
    body = {"game_id": game, "agent_version": version}
    answer = await arcade.http.post("/play/tickets", json=body, headers=headers)
    return answer.status_code, answer.json().get("message", "")


@pytest.fixture
def closed(settings: Settings) -> Settings:
    """Settings of an arcade in which programs may not play by saying that they are programs."""
    return settings.model_copy(update={"program_play": False})


async def test_O33_agent_signs_in_by_token_where_programs_may_not(closed: Settings) -> None:
    async with open_arcade(closed) as arcade:
        async with arcade.state.engine.begin() as connection:
            user_id, version_id = await add_agent(connection)
        headers = await sign_in_agent(arcade, user_id)
        me = (await arcade.http.get("/auth/me", headers=headers)).json()
        assert (me["user_id"], me["roles"]) == (user_id, [])
        assert (await ask_ticket(arcade, headers, 1))[0] == 200
        consent = await arcade.state.consents.check_play(user_id)
        assert not consent.is_program
        joined = await arcade.state.agents.join(consent, user_id, 1, "pong")
        assert (joined.is_program, joined.is_watchable) == (True, True)
        assert joined.agent is not None
        assert (joined.agent.version_id, joined.agent.name, joined.agent.version) == (version_id, "deep-red", 1)


async def test_O33_revoked_token_and_its_sessions_are_rejected(arcade: Visitor) -> None:
    async with arcade.state.engine.begin() as connection:
        user_id, _ = await add_agent(connection)
        token = await issue_token(connection, user_id)
    headers = await sign_in_agent(arcade, user_id)
    async with arcade.state.engine.begin() as connection:
        assert await revoke_tokens(connection, user_id) == 2
    answer = await arcade.http.post("/auth/agents", json={"token": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "NotSignedIn")
    assert "agents token NAME" in answer.json()["message"]
    arcade.state.users._cache.clear()  # it expires after a minute
    assert (await arcade.http.get("/auth/me", headers=headers)).status_code == 401


async def test_O33_version_of_another_agent_or_game_and_of_a_person_is_refused(arcade: Visitor) -> None:
    async with arcade.state.engine.begin() as connection:
        one, _ = await add_agent(connection)
        await add_agent(connection, sha256="cd" * 32)
        other, _ = await add_agent(connection, "deep-green", games=("frozen-lake",))
    headers = await sign_in_agent(arcade, other)
    assert await ask_ticket(arcade, headers, 2) == (
        422,
        "The agent deep-green has no version 2. Add it: `skill-arcade agents add`.",
    )
    assert await ask_ticket(arcade, headers, 1) == (
        422,
        "Version 1 of deep-green does not play pong. It plays: frozen-lake.",
    )
    assert (await ask_ticket(arcade, headers, 1, "frozen-lake-8x8"))[0] == 200  # a former id
    assert (await ask_ticket(arcade, await sign_in_agent(arcade, one), 2))[0] == 200
    person = await arcade.sign_in()
    status, message = await ask_ticket(arcade, person, 1)
    assert (status, "not that of an agent" in message) == (403, True)


async def test_person_cannot_name_a_version_where_programs_may_not_play(closed: Settings) -> None:
    async with open_arcade(closed) as arcade:
        async with arcade.state.engine.begin() as connection:
            await add_agent(connection)
        headers = await arcade.sign_in("deep-red@programs.example.org", consents=False)  # e-mail verifies nothing
        status, message = await ask_ticket(arcade, headers, 1)
        assert (status, "token of the agent" in message) == (403, True)


VERSION: dict[str, Any] = {
    "sha256": "ef" * 32,
    "format": "onnx",
    "entry_point": None,
    "observation": "atari",
    "games": ["pong"],
    "env_spec": None,
    "action_map": [0, 2, 3],
    "training": {"frames": 10_000_000, "code": "https://example.org"},
    "licence": "MIT",
}
VERSIONS, TOKENS = "/players/agents/deep-red/versions", "/players/agents/deep-red/tokens"


async def own(arcade: Visitor) -> tuple[dict[str, str], str]:
    """Add an agent with an owner. Return the owner's request headers, and the user id of the agent."""
    owner = await arcade.sign_in("owner@example.org")
    async with arcade.state.engine.begin() as connection:
        user_id, _ = await add_version(
            connection, "deep-red", make_facts(), summary="Plays.", owner="owner@example.org"
        )
    return owner, user_id


async def test_owner_and_agent_add_versions_and_the_same_facts_add_none(arcade: Visitor) -> None:
    owner, user_id = await own(arcade)
    agent = await sign_in_agent(arcade, user_id)
    numbers = []
    for headers, body in ((owner, VERSION), (agent, VERSION), (agent, VERSION | {"sha256": "01" * 32})):
        answer = await arcade.http.post(VERSIONS, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        numbers.append(answer.json()["number"])
    assert numbers == [2, 2, 3]
    versions = (await arcade.http.get("/players/agents/deep-red", headers=owner)).json()["versions"]
    assert [one["number"] for one in versions] == [3, 2, 1]
    assert {key: versions[1][key] for key in VERSION} == VERSION
    assert (await ask_ticket(arcade, agent, 3))[0] == 200
    assert (await ask_ticket(arcade, agent, 3, "frozen-lake"))[0] == 422


async def test_only_the_owner_adds_versions_and_makes_and_revokes_tokens(arcade: Visitor) -> None:
    owner, user_id = await own(arcade)
    async with arcade.state.engine.begin() as connection:
        other, _ = await add_agent(connection, "deep-green")
    program = {"X-Skill-Arcade-Synthetic": "true"}
    body = {"email": "deep-red@programs.example.org"}
    signed_in = await arcade.http.post("/auth/login", json=body, headers=program)  # by name, without a token
    by_name = {"authorization": f"Bearer {signed_in.json()['token']}"}
    strangers = [await arcade.sign_in(), await sign_in_agent(arcade, other), by_name]
    for headers in strangers:
        for answer in (
            await arcade.http.post(VERSIONS, json=VERSION, headers=headers),
            await arcade.http.post(TOKENS, headers=headers),
            await arcade.http.delete(TOKENS, headers=headers),
        ):
            assert (answer.status_code, answer.json()["error"]) == (403, "NotAllowed"), answer.text
            assert "--owner" in answer.json()["message"]
    built_in = await arcade.http.post("/players/agents/random/versions", json=VERSION, headers=owner)
    assert built_in.status_code == 403
    assert (await arcade.http.post("/players/agents/none/tokens", headers=owner)).status_code == 404
    made = await arcade.http.post(TOKENS, headers=owner)
    assert (await arcade.http.post("/auth/agents", json=made.json())).status_code == 200
    assert (await arcade.http.delete(TOKENS, headers=owner)).json() == {"revoked": 1}
    assert (await arcade.http.post("/auth/agents", json=made.json())).status_code == 401
    agent = await sign_in_agent(arcade, user_id)
    assert (await arcade.http.post(TOKENS, headers=agent)).status_code == 403  # a token makes no others


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"games": ["no-such-game"]}, "No game has an id like no-such-game"),
        ({"games": []}, "games"),
        ({"format": "scripted"}, "format"),
        ({"format": "entry-point"}, "entry_point must be null for weights"),
        ({"format": "entry-point", "entry_point": "module:Class"}, "action_map must be null"),
        ({"entry_point": "module"}, "entry_point"),
        ({"sha256": "ab"}, "sha256"),
        ({"training": {"text": "a\x00b"}}, "no NUL"),
        ({"training": {"text": "a" * 30_000}}, "at most 20000 characters"),
        ({"env_spec": {"id": "CartPole-v1", "unknown": 1}}, "not one that Gymnasium reads"),
        ({"owner": "me"}, "owner"),
    ],
)
async def test_version_that_is_not_valid_is_refused_in_words(
    arcade: Visitor, change: dict[str, Any], text: str
) -> None:
    owner, _ = await own(arcade)
    answer = await arcade.http.post(VERSIONS, json=VERSION | change, headers=owner)
    assert answer.status_code == 422, answer.text
    assert text in answer.json()["message"]


def nest(times: int) -> str:
    return f'{{"a": {"[" * times}{"]" * times}}}'


@pytest.mark.parametrize(
    ("facts", "status"),
    [('{"a": "\\ud800"}', 422), ('{"a": NaN}', 422), ('{"a": 1e999}', 422), (nest(800), 422), (nest(19), 201)],
    ids=["surrogate", "nan", "infinite", "deep", "shallow"],
)
async def test_facts_that_the_database_cannot_store_are_refused(arcade: Visitor, facts: str, status: int) -> None:
    owner, _ = await own(arcade)
    content = json.dumps(VERSION | {"training": "FACTS"}).replace('"FACTS"', facts)
    headers = owner | {"content-type": "application/json"}
    answer = await arcade.http.post(VERSIONS, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert (await arcade.http.get("/players/agents/deep-red", headers=owner)).status_code == 200


async def test_agent_has_a_quota_of_its_own(arcade: Visitor) -> None:
    async with arcade.state.engine.begin() as connection:
        user_id, _ = await add_agent(connection)
    headers = await sign_in_agent(arcade, user_id)
    for _ in range(40):
        arcade.state.agents._tickets.take(user_id)
    assert (await ask_ticket(arcade, headers, 1))[0] == 429
    assert arcade.state.tickets.take(user_id) == 0.0


async def test_built_in_agents_are_there_once(settings: Settings) -> None:
    lists = []
    for _ in range(2):
        async with open_arcade(settings) as arcade:
            headers = await arcade.sign_in()
            assert (await arcade.http.get("/players/agents")).status_code == 401
            lists.append((await arcade.http.get("/players/agents", headers=headers)).json())
    assert lists[0] == lists[1]
    by_name = {agent["name"]: agent for agent in lists[0]}
    assert by_name["pong-follower"]["game_id"] == "pong"
    assert (by_name["random"]["n_games"], by_name["random"]["version"], by_name["random"]["format"]) == (
        2,
        1,
        "scripted",
    )


async def test_replay_of_agent_is_open_to_everyone_signed_in_and_of_another_program_is_not(arcade: Visitor) -> None:
    async with arcade.state.engine.begin() as connection:
        agent = await add_agent(connection)
        opened = await add_agent_episode(connection, agent, 1.0)
        daily = await add_agent_episode(connection, agent, 1.0, provenance={"daily": "2026-11-29"})
        await add_user(connection, "robot", is_synthetic=True)
        program = await add_episode(connection, "robot", 1.0, game="frozen-lake", provenance={"program": {}})
        person = await add_episode(connection, "bob", 1.0, game="frozen-lake")
    headers = await arcade.sign_in()

    async def ask(episode: UUID, **headers: str) -> int:
        return (await arcade.http.get(f"/episodes/{episode}/replay", headers=headers)).status_code

    assert [await ask(episode, **headers) for episode in (opened, daily, program, person)] == [200, 404, 404, 404]
    assert await ask(opened) == 401
    replay = (await arcade.http.get(f"/episodes/{opened}/replay", headers=headers)).json()
    assert replay["access"] == "agent"
    notes = await arcade.http.get(f"/episodes/{opened}/notes", headers=headers)
    assert notes.status_code == 404
    ghost = {"game_id": "frozen-lake", "ghost": str(opened)}
    assert (await arcade.http.post("/play/tickets", json=ghost, headers=headers)).status_code == 200
    ghost["ghost"] = str(program)
    assert (await arcade.http.post("/play/tickets", json=ghost, headers=headers)).status_code == 404


async def add_people(connection: AsyncConnection, scores: dict[str, float], **more: Any) -> None:
    """Let people play who allow everything."""
    for name, score in scores.items():
        await add_user(connection, name)
        consent_id = UUID(await write_consent(connection, name))
        await add_episode(connection, name, score, consent_id=consent_id, **{"game": "frozen-lake", **more})


async def read_scores(arcade: Visitor, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await arcade.http.get("/players/agents/deep-red", headers=headers)
    assert answer.status_code == 200, answer.text
    scores: list[dict[str, Any]] = answer.json()["scores"]
    return scores


async def test_scores_are_beside_those_of_people_with_equal_settings_only(arcade: Visitor) -> None:
    headers = await arcade.sign_in()
    me = (await arcade.http.get("/auth/me", headers=headers)).json()["user_id"]
    async with arcade.state.engine.begin() as connection:
        agent = await add_agent(connection)
        newest = [await add_agent_episode(connection, agent, score, pace="stepped") for score in (1.0, 2.0, 6.0)]
        await add_agent_episode(connection, agent, 9.0, kwargs={"map_name": "8x8"})
        await add_agent_episode(connection, agent, 99.0, end_reason="left")
        await add_agent_episode(connection, agent, 99.0, provenance={"branch": {}})
        await add_people(connection, {"ann": 1.0, "bob": 3.0})
        await add_user(connection, "robot", is_synthetic=True)
        await add_episode(connection, "robot", 99.0, game="frozen-lake")
        await add_episode(connection, "shy", 99.0, game="frozen-lake")  # no consent on record
    other, lake = await read_scores(arcade, headers)
    assert (lake["pace"], lake["incomparable"], lake["people"], lake["you"]) == (
        "turn-based",
        "too-few-people",
        None,
        None,
    )
    assert lake["agent"] == {"episodes": 3, "players": 1, "median": 2.0, "best": 6.0}
    assert [replay["id"] for replay in lake["replays"]] == [str(id_) for id_ in reversed(newest)]
    assert (other["incomparable"], other["agent"]["median"]) == ("other-settings", 9.0)
    async with arcade.state.engine.begin() as connection:
        await add_people(connection, {"cat": 5.0})
        await add_episode(connection, me, 4.0, game="frozen-lake")
    _, lake = await read_scores(arcade, headers)
    assert lake["incomparable"] is None
    assert lake["people"] == {"episodes": 3, "players": 3, "median": 3.0, "best": 5.0}
    assert lake["you"] == {"episodes": 1, "players": 1, "median": 4.0, "best": 4.0}


@pytest.mark.parametrize("pace", ["stepped", "lockstep"])
async def test_scores_of_an_agent_with_more_time_than_people_are_not_compared(arcade: Visitor, pace: str) -> None:
    async with arcade.state.engine.begin() as connection:
        agent = await add_agent(connection)
        await add_agent_episode(connection, agent, 21.0, game="pong", pace=pace)
        await add_agent_episode(connection, agent, 3.0, game="pong", pace="realtime")
        await add_people(connection, {"ann": 1.0, "bob": 3.0, "cat": 5.0}, game="pong")
    realtime, other = await read_scores(arcade, await arcade.sign_in())
    assert (other["pace"], other["incomparable"], other["people"]) == (pace, pace, None)
    assert (realtime["pace"], realtime["incomparable"], realtime["people"]["median"]) == ("realtime", None, 3.0)


def test_R36_episode_moves_to_a_connection_of_the_same_version_only(tmp_path: Path) -> None:
    game = load_catalogue().games["pong"]

    def assign(version: int | None) -> GameAssignment:
        agent = None if version is None else PlayingAgent(version_id=UUID(int=version), name="a", version=1, sha256="b")
        return GameAssignment(
            user_id="a",
            game=game,
            manifest_hash=hash_manifest(game, {}),
            journal_folder=tmp_path,
            segment_seconds=5,
            resume_seconds=60,
            consent=PlayConsent(is_program=True, agent=agent),
        )

    provenance = {version: describe_server(assign(version)) for version in (1, 2, None)}
    assert provenance[1]["agent"] == {"version_id": str(UUID(int=1)), "name": "a", "version": 1, "sha256": "b"}
    for asked in (1, 2, None):
        moves = [recorded for recorded in provenance if fits(assign(asked), "pong", provenance[recorded])]
        assert moves == [asked]


# -- people only: every view, chart, board and route -----------------------------------------------------------------

SPECIAL = {
    "/players/agents",
    "/players/agents/{name}",
    "/research/measures",  # when the last episode was measured, whoever played it
    "/metrics",  # of the server, which does not count episodes by player
    "/health/ready",
    "/episodes/{episode_id}",
    "/episodes/{episode_id}/segments/{number}/{kind}",
    "/episodes/{episode_id}/replay",
    "/episodes/{episode_id}/replay/steps",
    "/episodes/{episode_id}/replay/events",
    "/episodes/{episode_id}/replay/info/{frame}",
    "/episodes/{episode_id}/replay/captions",
    "/episodes/{episode_id}/clips",
    "/episodes/{episode_id}/notes",
    "/episodes/{episode_id}/shares",
    "/episodes/{episode_id}/standing",  # of one episode
    "/exports",
    "/exports/progress",
    "/shared/{token}",
    "/shared/{token}/picture.png",
    "/lockstep/{digest}.wasm",
    "/research/datasets/{name}/{number}/comparison",  # of a ticket, a link, a file, or two versions
}
"""Routes that read one thing which the request names, or that are about agents."""


async def read_everything(arcade: Visitor, headers: dict[str, str]) -> dict[str, str]:
    """Return the answers of all routes that count or list episodes, and the rows of all views."""
    found = {}
    for path, methods in create_app(arcade.state.settings).openapi()["paths"].items():
        if "get" not in methods or path in SPECIAL:
            continue
        filled = path.replace("{game_id}", "frozen-lake").replace("{name}", "none").replace("{number}", "1")
        filled = filled.replace("{day}", "2026-11-29")
        charts = CHARTS if "{chart}" in filled else [""]
        for chart in charts:
            for query in ["", "?game=frozen-lake&metric=return&lines=published"] if chart else [""]:
                address = filled.replace("{chart}", chart) + query
                answer = await arcade.http.get(address, headers=headers)
                assert answer.status_code in (200, 400, 403, 404, 422, 503), (address, answer.status_code, answer.text)
                found[address] = answer.text
    for season in ("week", "all"):
        address = f"/leaderboards/frozen-lake?season={season}"
        found[address] = (await arcade.http.get(address, headers=headers)).text
    async with arcade.state.engine.begin() as connection:
        for view in VIEWS:
            rows = await connection.execute(text(f"SELECT * FROM {view}"))
            found[f"view {view}"] = "\n".join(sorted(map(str, rows)))
    return found


async def settle(arcade: Visitor) -> None:
    """Measure and judge all episodes."""
    async with arcade.state.engine.begin() as connection:
        for row in (await connection.execute(text("SELECT DISTINCT user_id FROM board_player"))).scalars():
            await enqueue_user(connection, row)
        await measure_episodes(connection, arcade.state.objects, await list_unmeasured(connection, 100))
    await judge_queue(arcade.state.engine)


async def test_agent_is_counted_by_no_view_chart_board_and_route(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"researcher_emails": [RITA]})) as arcade:
        headers = await arcade.sign_in(RITA)
        async with arcade.state.engine.begin() as connection:
            agent = await add_agent(connection)
            await add_people(connection, {"ann": 1.0, "bob": 3.0, "cat": 5.0})
            for user in ("ann", "bob", agent[0]):
                await add_player(connection, user, user[:10], user[:10], is_chosen=True)
        await settle(arcade)
        before = await read_everything(arcade, headers)
        async with arcade.state.engine.begin() as connection:
            await add_agent_episode(connection, agent, 1000.0, presses=5)
            await add_agent_episode(connection, agent, 2000.0, kwargs={"is_slippery": False})
            await add_agent_episode(connection, agent, 3000.0, game="pong", pace="stepped")
        await settle(arcade)
        after = await read_everything(arcade, headers)
        assert after.keys() == before.keys()
        assert {name for name in before if before[name] != after[name]} == set()
        async with arcade.state.engine.begin() as connection:
            await add_people(connection, {"dan": 7.0})
            await add_player(connection, "dan", "dan", "dan", is_chosen=True)
        await settle(arcade)
        with_dan = await read_everything(arcade, headers)
    changed = {name.partition("?")[0] for name in before if before[name] != with_dan[name]}
    # It is the same question about a person, so that the comparison can fail.
    assert {
        "view episode_summary",
        "view learning_curve",
        "view played_episode",
        "/research/charts/games",
        BOARD,
    } <= changed
