"""The scripted agents, each against its game's own environment."""

from itertools import product
from typing import Any

import gymnasium
import pytest

from skill_arcade.agents.catalogue import AGENTS, find_agent
from skill_arcade.agents.hanoi import find_move
from skill_arcade.agents.policy import Policy
from skill_arcade.environments.factory import find_spec
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest

GAMES = load_catalogue().games
BABYAI = sorted(game for game in GAMES if game.startswith("babyai-") and game != "babyai-key-in-box")


def make_environment(game: Manifest) -> gymnasium.Env[Any, Any]:
    """Make the environment of a game as Gymnasium does."""
    return gymnasium.make(find_spec(game.environment.id), **game.environment.kwargs)


def play(agent: str, game: Manifest, seed: int, max_steps: int) -> tuple[float, dict[str, Any]]:
    """Play an episode, which must end; return the sum of the rewards and the last info."""
    with make_environment(game) as env:
        policy: Policy = find_agent(agent, game).make(game, int(env.action_space.n))  # type: ignore[attr-defined]
        policy.start(seed)
        observation, info = env.reset(seed=seed)
        total = 0.0
        for _ in range(max_steps):
            observation, reward, terminated, truncated, info = env.step(policy.choose(observation, info))
            total += float(reward)
            if terminated or truncated:
                return total, info
    pytest.fail(f"{agent} did not end {game.id} in {max_steps} steps")


@pytest.mark.parametrize("disks", ["3", "4", "7"])
def test_hanoi_takes_the_fewest_moves(disks: str) -> None:
    game = GAMES["tower-of-hanoi"].resolve_variant({"disks": disks})
    _, info = play("hanoi-optimal", game, 1, 2 ** (int(disks) + 1))
    assert (info["solved"], info["moves"], info["illegal_actions"]) == (True, 2 ** int(disks) - 1, 0)


def test_hanoi_solves_every_position_by_legal_moves() -> None:
    for start in product(range(3), repeat=4):
        poles = list(start)
        for _ in range(2**4 - 1):
            if poles == [2] * 4:
                break
            disk, goal = find_move(poles, 2)
            assert not {poles[disk], goal} & set(poles[:disk])  # no smaller disk lies on it, or where it goes
            poles[disk] = goal
        assert poles == [2] * 4, start


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tetris_clears_all_rows(seed: int) -> None:
    _, info = play("tetris-placement", GAMES["tetris"], seed, 20_000)
    assert (info["finished"], info["lines"]) == (True, 150)


def test_pong_follower_makes_the_first_points() -> None:
    game = GAMES["pong"]
    with make_environment(game) as env:
        policy = find_agent("pong-follower", game).make(game, 6)
        policy.start(1)
        observation, info = env.reset(seed=1)
        points: list[float] = []
        for _ in range(3000):
            observation, reward, *_, info = env.step(policy.choose(observation, info))
            points += [float(reward)] * (reward != 0)
            if len(points) == 3:
                break
    assert points == [1, 1, 1]


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_cart_pole_balancer_never_falls(seed: int) -> None:
    assert play("cart-pole-balancer", GAMES["cart-pole"], seed, 500)[0] == 500


def test_babyai_bot_writes_nothing_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """BabyAI prints when it rejects a level, which is in the middle of what `agents run --json` writes."""
    game = GAMES["babyai-go-to-red-ball"]
    policy = find_agent("babyai-bot", game).make(game, 7)
    for seed in range(1, 30):
        policy.start(seed)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rejected" in captured.err


@pytest.mark.parametrize("game", BABYAI)
def test_babyai_bot_solves_its_levels(game: str) -> None:
    scores = [play("babyai-bot", GAMES[game], seed, 2000)[0] for seed in (1, 2)]
    assert min(scores) > 0


def test_random_repeats_by_seed_and_differs_by_seed() -> None:
    game = GAMES["frozen-lake"]
    policy = find_agent("random", game).make(game, 4)

    def draw(seed: int) -> list[int]:
        policy.start(seed)
        return [policy.choose(None, {}) for _ in range(20)]

    assert draw(1) == draw(1) != draw(2)
    assert set(draw(1)) == {0, 1, 2, 3}


def test_every_game_has_an_agent_and_turn_based_ones_no_noop() -> None:
    players = {game: {agent.name for agent in AGENTS if agent.plays(manifest)} for game, manifest in GAMES.items()}
    assert all("random" in names for names in players.values())
    assert players["pong"] == {"random", "no-op", "pong-follower"}
    assert players["tower-of-hanoi"] == {"random", "hanoi-optimal"}


def test_unknown_agent_and_game_of_another_agent_are_refused_in_words() -> None:
    with pytest.raises(NotFound, match=r"no agent 'alphago'.*hanoi-optimal"):
        find_agent("alphago", GAMES["pong"])
    with pytest.raises(InvalidRequest, match=r"does not play pong.*pong-follower"):
        find_agent("hanoi-optimal", GAMES["pong"])
