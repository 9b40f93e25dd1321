"""A person takes over from an agent on a running server (rules O38 and R41)."""

from collections.abc import Iterator
from importlib.util import find_spec
from uuid import UUID

import numpy as np
import pytest

import skill_arcade.dataset as sa
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.storage.database.episode_measures import UNMEASURED
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade, wait_until_uploaded
from tests.support.rounds import playing, request

FOLLOWER = {"game": "pong", "agent": "pong-follower"}


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


@pytest.mark.anyio
async def test_R41_round_with_an_agent_is_certified_and_in_no_statistics(arcade: Arcade) -> None:
    async with playing(arcade, "ada@example.org", **FOLLOWER) as player:
        assert (await player.hello())["lockstep"] is None
        await player.send("start")
        episode: str = (await player.read_until("started"))["episode"]
        assert (await player.read_until("actor"))["actor"] == "agent"
        await player.read_until_frame(60)
        await player.press("right")
        assert (await player.read_until("actor"))["actor"] == "human"
        await player.send("input", control="right", down=False, frame=None, device="keyboard", code="ArrowUp")
        assert (await player.read_until("actor"))["actor"] == "agent"
        await player.read_until_frame(player.packets[-1].frame + 30)
        await player.send("leave")
        await player.read_until("ended")
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        round_ = data.episode(UUID(episode))
        takeover = round_.takeover
        assert takeover is not None
        assert takeover.agent == "pong-follower"
        assert len(takeover.switches) == 2
        assert (takeover.human_actions[takeover.is_intervention] == round_.actions[takeover.is_intervention]).all()
        of_agent = ~takeover.is_intervention
        assert (takeover.agent_actions[of_agent] == round_.actions[of_agent]).all()
        assert rerun_episode(round_).result is CertificateResult.certified
        assert episode not in map(str, data.query(f"SELECT e.id {UNMEASURED}")["id"].to_pylist())
        assert not data.query("SELECT * FROM learning_curve").num_rows
        assert data.query("SELECT with_agent FROM episode_summary").to_pylist() == [{"with_agent": True}]
    listed = (await request(arcade, "GET", "/me/episodes", "ada@example.org")).json()
    assert [one["with_agent"] for one in listed] == [True]


@pytest.mark.anyio
async def test_O41_turn_based_round_with_an_agent_is_certified_and_in_no_statistics(arcade: Arcade) -> None:
    async with playing(arcade, "gus@example.org", game="tower-of-hanoi", agent="hanoi-optimal") as player:
        await player.hello()
        await player.send("agent", interval_ms=100)
        await player.send("start")
        episode: str = (await player.read_until("started"))["episode"]
        assert (await player.read_until("actor"))["actor"] == "agent"
        await player.read_until_frame(2)
        await player.press("pole-1")
        assert (await player.read_until("actor"))["actor"] == "human"
        await player.send("input", control="pole-1", down=False, frame=None, device="mouse", code="button")
        assert (await player.read_until("actor"))["actor"] == "agent"
        assert (await player.read_until("ended"))["status"] == "won"
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        round_ = data.episode(UUID(episode))
        takeover = round_.takeover
        assert takeover is not None
        assert takeover.switches.size == 2
        person = takeover.is_intervention
        assert person.sum() == 1
        assert set(takeover.human_actions[person]) == {0}
        assert (takeover.agent_actions[~person] == round_.actions[~person]).all()
        assert not np.isfinite(round_.times["late_us"]).any()
        assert rerun_episode(round_).result is CertificateResult.certified
        assert episode not in map(str, data.query(f"SELECT e.id {UNMEASURED}")["id"].to_pylist())


@pytest.mark.anyio
async def test_O41_shared_round_is_certified_from_the_actions_that_were_taken(arcade: Arcade) -> None:
    async with playing(arcade, "hal@example.org", **FOLLOWER) as player:
        await player.hello()
        await player.send("agent", interval_ms=None, mode="together")
        await player.send("start")
        episode: str = (await player.read_until("started"))["episode"]
        assert (await player.read_until("actor"))["actor"] == "agent"
        await player.read_until_frame(90)
        await player.press("fire")
        assert (await player.read_until("actor"))["actor"] == "shared"
        await player.read_until_frame(player.packets[-1].frame + 60)
        await player.send("input", control="fire", down=False, frame=None, device="keyboard", code="Space")
        assert (await player.read_until("actor"))["actor"] == "agent"
        await player.send("leave")
        await player.read_until("ended")
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        round_ = data.episode(UUID(episode))
        takeover = round_.takeover
        assert takeover is not None
        assert takeover.is_shared is not None
        shared = takeover.is_shared
        assert set(takeover.human_actions[shared]) == {1}
        combined = {0: 1, 1: 1, 2: 4, 3: 5, 4: 4, 5: 5}  # of Pong: each with fire
        assert [combined[action] for action in takeover.agent_actions[shared]] == round_.actions[shared].tolist()
        assert (takeover.agent_actions[~shared] == round_.actions[~shared]).all()
        assert rerun_episode(round_).result is CertificateResult.certified


@pytest.mark.anyio
async def test_O38_reconnect_goes_on_with_the_agent_and_another_ticket_ends_it(arcade: Arcade) -> None:
    async with playing(arcade, "eve@example.org", **FOLLOWER) as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.read_until_frame(5)
    async with playing(arcade, "eve@example.org", **FOLLOWER) as player:
        assert (await player.hello())["phase"] == "paused"
        assert (await player.read_until("started"))["episode"] == episode
        assert (await player.read_until("actor"))["agent"] == "pong-follower"
    async with playing(arcade, "eve@example.org", game="pong") as player:
        assert (await player.hello())["phase"] == "ready"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"game_id": "pong", "agent": "nobody"}, 404, "The agents are:"),
        ({"game_id": "breakout", "agent": "pong-follower"}, 422, "does not play"),
        ({"game_id": "tower-of-hanoi", "agent": "no-op"}, 422, "does not play"),
        ({"game_id": "pong", "agent": "random", "ghost": "00000000-0000-0000-0000-000000000000"}, 422, "no ghost"),
    ],
)
async def test_O38_ticket_is_refused_in_words(arcade: Arcade, body: dict[str, str], status: int, reason: str) -> None:
    answer = await request(arcade, "POST", "/play/tickets", "cai@example.org", body)
    assert answer.status_code == status
    assert reason in answer.text


@pytest.mark.anyio
async def test_games_list_the_agents_that_can_be_taken_over(arcade: Arcade) -> None:
    games = {game["id"]: game for game in (await request(arcade, "GET", "/games", "cai@example.org")).json()}
    assert "pong-follower" in [agent["name"] for agent in games["pong"]["agents"]]
    assert [agent["name"] for agent in games["tower-of-hanoi"]["agents"]] == ["random", "hanoi-optimal"]
    assert [agent["name"] for agent in games["babyai-boss"]["agents"]] == ["random", "babyai-bot"]
    assert all(game["agents"] for game in games.values())
    is_playable = find_spec("onnxruntime") is not None
    assert ("cart-pole-clone" in [agent["name"] for agent in games["cart-pole"]["agents"]]) is is_playable
    body = {"game_id": "cart-pole", "agent": "cart-pole-clone"}
    answer = await request(arcade, "POST", "/play/tickets", "cai@example.org", body)
    assert (answer.status_code, "needs onnxruntime" in answer.text) == ((200, False) if is_playable else (422, True))
