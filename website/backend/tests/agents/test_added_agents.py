"""Agents that are added: Python classes, weights in ONNX, and the view of Atari agents, each against its source."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import ale_py
import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

import skill_arcade.dataset as sa
from skill_arcade.agents.added import describe_target, hash_file, load_agent, read_env_spec
from skill_arcade.agents.atari import AtariViewPolicy
from skill_arcade.agents.onnx import OnnxPolicy
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.catalogue import load_catalogue
from tests.support.tiny_onnx import write_linear_model

HAS_ONNX = importlib.util.find_spec("onnxruntime") is not None
needs_onnx = [
    pytest.mark.skipif(not HAS_ONNX, reason="onnxruntime is not installed"),
    pytest.mark.may_skip(reason="onnxruntime is an extra of 78 MB that the environment of the tests need not have"),
]
WEIGHTS = np.array([[0, 0], [0, 0], [-1, 1], [-0.5, 0.5]], np.float32)
"""Pushes CartPole's cart to the side to which the pole falls."""
CLASS = """\
class Follower:
    def __init__(self, n_actions):
        self.n_actions = n_actions

    def start(self, seed):
        self.seed = seed

    def choose(self, observation, info):
        return int(observation[2] > 0)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the entry point of a class in the current folder."""
    name = f"follower_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    (tmp_path / f"{name}.py").write_text(CLASS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"{name}:Follower"


def describe(target: str, **changes: Any) -> Any:
    facts: dict[str, Any] = {"games": ("cart-pole",), "observation": "environment", "licence": "MIT"}
    return describe_target(target, **facts | changes)


def as_card(facts: Any) -> dict[str, Any]:
    """Return a version as the API describes it."""
    names = ("sha256", "format", "entry_point", "observation", "action_map")
    return {name: getattr(facts, name) for name in names} | {"number": 1, "games": list(facts.games)}


def play_cart_pole(policy: Any, seed: int = 1) -> int:
    """Return the number of steps for which a policy balances the pole."""
    with gymnasium.make("CartPole-v1") as env:
        observation, info = env.reset(seed=seed)
        policy.start(seed)
        for n_steps in range(1, 501):
            observation, _, terminated, truncated, info = env.step(policy.choose(observation, info))
            if terminated or truncated:
                return n_steps
    pytest.fail("CartPole did not end")


def test_class_is_described_by_the_digest_of_its_source_and_plays(module: str, tmp_path: Path) -> None:
    facts = describe(module)
    assert (facts.format, facts.entry_point) == ("entry-point", module)
    assert facts.sha256 == hash_file(tmp_path / f"{module.partition(':')[0]}.py")
    agent = load_agent("follower", "", as_card(facts), None)
    game = load_catalogue().games["cart-pole"]
    assert agent.plays(game)
    assert not agent.plays(load_catalogue().games["pong"])
    policy: Any = agent.make(game, 2)
    assert policy.n_actions == 2
    assert play_cart_pole(policy) > 20


def test_changed_source_is_another_version(module: str, tmp_path: Path) -> None:
    card = as_card(describe(module))
    (tmp_path / f"{module.partition(':')[0]}.py").write_text(CLASS + "\n# changed\n")
    with pytest.raises(InvalidRequest, match="differs from that of version 1 of follower"):
        load_agent("follower", "", card, None)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("nonsense", "neither a file that ends in .onnx nor an entry point"),
        ("no_such_module:Class", "cannot be imported"),
        ("skill_arcade.agents.simple:Missing", "cannot be imported"),
        ("collections:OrderedDict", "has no method start and no method choose"),
    ],
)
def test_target_that_is_no_policy_is_refused_in_words(target: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        describe(target)


def test_action_map_of_a_class_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="An action map is for weights"):
        describe("skill_arcade.agents.simple:RandomPolicy", action_map=(0, 1))


def test_environment_specification_is_read_by_gymnasium_or_refused() -> None:
    spec = gymnasium.make("CartPole-v1").spec
    assert spec is not None
    assert read_env_spec(spec.to_json())["id"] == "CartPole-v1"
    for text in ("no JSON", json.dumps({"id": "CartPole-v1", "unknown": 1}), "[]", "3"):
        with pytest.raises(InvalidRequest, match="environment specification is not"):
            read_env_spec(text)


@pytest.mark.skipif(HAS_ONNX, reason="onnxruntime is installed")
@pytest.mark.may_skip(reason="where onnxruntime is installed, the tests below run instead")
def test_missing_onnxruntime_is_named_with_the_command(tmp_path: Path) -> None:
    write_linear_model(tmp_path / "cart.onnx", WEIGHTS)
    with pytest.raises(InvalidRequest, match=r"cart.onnx needs onnxruntime.*pip install 'skill-arcade\[agents\]'"):
        describe(str(tmp_path / "cart.onnx"))


class TestOnnx:
    """Weights in ONNX, run by onnxruntime."""

    pytestmark = needs_onnx

    def test_model_balances_as_its_matrix_does(self, tmp_path: Path) -> None:
        file = tmp_path / "cart.onnx"
        write_linear_model(file, WEIGHTS, metadata={"trained_frames": "1000"})
        policy = OnnxPolicy(file)
        assert policy.n_outputs == 2
        assert play_cart_pole(policy) > 100
        for observation in np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32):
            assert policy.choose(observation, {}) == int(np.argmax(observation @ WEIGHTS))
        facts = describe(str(file), training={"code": "https://example.org"})
        assert (facts.format, facts.sha256, facts.entry_point) == ("onnx", hash_file(file), None)
        assert facts.training == {"trained_frames": "1000", "code": "https://example.org"}
        agent = load_agent("cart", "", as_card(facts), file)
        assert play_cart_pole(agent.make(load_catalogue().games["cart-pole"], 2)) > 100

    def test_action_map_gives_the_actions_of_the_game(self, tmp_path: Path) -> None:
        file = tmp_path / "cart.onnx"
        write_linear_model(file, WEIGHTS)
        policy = OnnxPolicy(file, (5, 9))
        assert policy.choose(np.array([0, 0, 1, 1], np.float32), {}) == 9
        with pytest.raises(InvalidRequest, match="has 2 actions, and the action map 3"):
            describe(str(file), action_map=(0, 1, 2))

    def test_observation_of_another_shape_is_refused_in_words(self, tmp_path: Path) -> None:
        file = tmp_path / "cart.onnx"
        write_linear_model(file, WEIGHTS)
        with pytest.raises(InvalidRequest, match=r"the input obs has the shape \[1, 4\].*\[1, 3\]"):
            OnnxPolicy(file).choose(np.zeros(3, np.float32), {})
        with pytest.raises(InvalidRequest, match="has the inputs obs, and the observation the keys image"):
            OnnxPolicy(file).choose({"image": np.zeros(4)}, {})
        assert OnnxPolicy(file).choose({"obs": np.array([0, 0, 1, 1]), "mission": "x"}, {}) == 1

    def test_other_weights_and_files_that_are_no_models_are_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "cart.onnx"
        write_linear_model(file, WEIGHTS)
        card = as_card(describe(str(file)))
        write_linear_model(file, -WEIGHTS)
        with pytest.raises(InvalidRequest, match="other weights than version 1 of cart"):
            load_agent("cart", "", card, file)
        with pytest.raises(NotFound, match="Give their file with --file"):
            load_agent("cart", "", card, tmp_path / "missing.onnx")
        file.write_bytes(b"nonsense")
        with pytest.raises(InvalidRequest, match="not a model that onnxruntime can run"):
            describe(str(file))

    def test_model_of_atari_views_plays_pictures(self, tmp_path: Path) -> None:
        file = tmp_path / "atari.onnx"
        weights = np.random.default_rng(1).normal(size=(4 * 84 * 84, 4)).astype(np.float32)
        write_linear_model(file, weights, shape=(4, 84, 84))
        facts = describe(str(file), games=("breakout",), observation="atari")
        agent = load_agent("deep", "", as_card(facts), file)
        assert agent.observes == "picture"
        policy = agent.make(load_catalogue().games["breakout"], 4)
        policy.start(1)
        picture = np.random.default_rng(2).integers(0, 255, (210, 160, 3), np.uint8)
        views = sa.agent_view([picture])[0]
        expected = int(np.argmax(views.reshape(1, -1).astype(np.float32) @ weights))
        assert policy.choose(picture, {"arcade": {"frame": 0}}) == expected


class RecordingPolicy:
    """Keeps the views that it gets, and acts by a list."""

    def __init__(self, actions: NDArray[np.int64]) -> None:
        self.views: list[NDArray[np.uint8]] = []
        self._actions = iter(actions)

    def start(self, seed: int) -> None:
        self.views.clear()

    def choose(self, observation: NDArray[np.uint8], info: dict[str, Any]) -> int:
        self.views.append(observation)
        return int(next(self._actions))


def test_atari_view_equals_that_of_recorded_frames_and_holds_each_action_for_four() -> None:
    """`agent_view` equals Gymnasium's wrappers bit by bit (tests/dataset/test_agent_view.py)."""
    gymnasium.register_envs(ale_py)
    inner = RecordingPolicy(np.random.default_rng(3).integers(0, 4, 400))
    policy = AtariViewPolicy(inner)
    policy.start(3)
    with gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0) as env:
        frame, _ = env.reset(seed=3)
        frames, is_over = [frame], False
        actions: list[int] = []
        while not is_over and len(actions) < 400:
            actions.append(policy.choose(frame, {"arcade": {"frame": len(actions)}}))
            frame, _, is_over, _, _ = env.step(actions[-1])
            frames.append(frame)
    expected = sa.agent_view(frames)
    assert len(inner.views) > 50
    np.testing.assert_array_equal(np.stack(inner.views), expected[: len(inner.views)])
    assert all(len(set(actions[start : start + 4])) == 1 for start in range(0, len(actions), 4))


def test_atari_view_without_waiting_chooses_for_the_newest_frame() -> None:
    inner = RecordingPolicy(np.arange(10))
    policy = AtariViewPolicy(inner)
    policy.start(1)
    picture = np.zeros((210, 160, 3), np.uint8)
    chosen = [policy.choose(picture, {"arcade": {"frame": frame}}) for frame in (0, 1, 6, 7, 11)]
    assert chosen == [0, 0, 1, 1, 2]
