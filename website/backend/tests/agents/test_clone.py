"""The cloned agent that is there from the start: its card belongs to its weights, and says what they reach."""

import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skill_arcade.agents.catalogue as agents
from skill_arcade.agents.catalogue import AGENTS, WEIGHTS_FOLDER, describe_version, find_agent
from skill_arcade.agents.onnx import OnnxPolicy
from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import load_catalogue
from tests.agents.test_policies import play
from tests.support.session_harness import SessionHarness

CLONES = [agent for agent in AGENTS if agent.format == "onnx"]
GAMES = load_catalogue().games
MAX_BYTES = 100_000
needs_onnx = [
    pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed"),
    pytest.mark.may_skip(reason="onnxruntime is an extra of 78 MB that the environment of the tests need not have"),
]


def test_catalogue_has_a_clone_and_no_weights_of_others() -> None:
    assert [agent.name for agent in CLONES] == ["cart-pole-clone"]
    assert {path.stem for path in WEIGHTS_FOLDER.iterdir()} == {agent.name for agent in CLONES}


@pytest.mark.parametrize("clone", CLONES, ids=lambda agent: agent.name)
def test_card_belongs_to_its_weights_and_names_an_agent_as_their_teacher(clone: Any) -> None:
    card, facts = clone.training, describe_version(clone)
    assert card["sha256"] == clone.sha256 == facts.sha256
    assert (facts.format, facts.licence, dict(facts.training)) == ("onnx", "MIT", dict(card))
    assert (WEIGHTS_FOLDER / f"{clone.name}.onnx").stat().st_size < MAX_BYTES
    teacher, _, digest = card["recorded_play"].removeprefix("agent ").partition(", SHA-256 ")
    assert digest == find_agent(teacher, GAMES[card["game"]]).sha256, "train it again: its teacher has changed"
    assert card["untrained_return"] < card["return"] <= card["recorded_return"]


def test_agent_without_onnxruntime_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "find_spec", lambda _name: None)
    with pytest.raises(
        InvalidRequest, match=r"cart-pole-clone needs onnxruntime.*pip install 'skill-arcade\[agents\]'"
    ):
        find_agent("cart-pole-clone", GAMES["cart-pole"])
    assert find_agent("cart-pole-balancer", GAMES["cart-pole"]).missing_package is None


@pytest.mark.parametrize("clone", [pytest.param(agent, id=agent.name, marks=needs_onnx) for agent in CLONES])
def test_clone_reaches_the_return_of_its_card(clone: Any) -> None:
    """By as many standard errors as chance explains, because other processors round otherwise."""
    card = clone.training
    first, _, last = card["return_seeds"].partition(" to ")
    returns = [play(clone.name, GAMES[card["game"]], seed, 500)[0] for seed in range(int(first), int(last) + 1)]
    assert len(returns) == card["return_episodes"]
    error = card["return_deviation"] / math.sqrt(len(returns))
    assert abs(float(np.mean(returns)) - card["return"]) <= 3 * error
    metadata = OnnxPolicy(WEIGHTS_FOLDER / f"{clone.name}.onnx").metadata
    assert metadata == {name: str(value) for name, value in card.items() if name != "sha256"}
    assert json.loads((WEIGHTS_FOLDER / f"{clone.name}.json").read_text()) == dict(card)


@pytest.mark.parametrize("clone", [pytest.param(agent, id=agent.name, marks=needs_onnx) for agent in CLONES])
def test_clone_plays_until_a_person_takes_over(tmp_path: Path, clone: Any) -> None:
    harness = SessionHarness(tmp_path, clone.training["game"], seed=1, agent=clone)
    harness.send("start")
    harness.ticks(200)
    harness.press("left")
    harness.ticks(2)
    assert harness.n_steps == 202
    assert [text["actor"] for text in harness.texts if text["type"] == "actor"] == ["agent", "human"]
