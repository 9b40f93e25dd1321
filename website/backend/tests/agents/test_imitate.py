"""`examples/imitate.py` learns from recorded play, and the ONNX file plays the game."""

import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import URL

from skill_arcade.agents.onnx import OnnxPolicy
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue
from tests.readers.recordings import record_games
from tests.support.database import fresh_database

EXAMPLE = Path(__file__).parents[2] / "examples" / "imitate.py"
PACKAGES = ("torch", "onnx", "onnxruntime")
pytestmark = [
    pytest.mark.may_skip(reason="torch is 1 GB that the environment of the tests need not have"),
    pytest.mark.skipif(any(find_spec(name) is None for name in PACKAGES), reason="pip install torch onnx onnxruntime"),
]


@pytest.mark.parametrize(
    ("game", "name", "is_exported"),
    [("cart-pole", "observation", False), ("minigrid-door-key", "image", False), ("cart-pole", "observation", True)],
)
def test_imitate_writes_a_policy_that_plays(
    postgres: URL, tmp_path: Path, game: str, name: str, is_exported: bool
) -> None:
    with fresh_database(postgres) as url:
        record_games(url, tmp_path / "home", [game], steps=200, has_odd=False)
        address = url.render_as_string(hide_password=False)
        environment = {**os.environ, "SKILL_ARCADE_HOME": str(tmp_path / "home"), "DATABASE_URL": address}
        arguments: tuple[str, ...] = ("--epochs", "2", "--seeds", "2", "--max-steps", "50", "--curve", "curve.csv")
        arguments += ("--card", "card.json")
        if is_exported:
            export = [sys.executable, "-m", "skill_arcade", "export", "--format", "minari", str(tmp_path / "out")]
            subprocess.run(export, check=True, env=environment, capture_output=True)
            arguments += ("--minari", str(tmp_path / "out"), "--align", "seen")
        command = [sys.executable, str(EXAMPLE), game, *arguments]
        done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "steps to learn from" in done.stdout
    assert len((tmp_path / "curve.csv").read_text().splitlines()) == 3
    policy = OnnxPolicy(tmp_path / "clone.onnx")
    card = json.loads((tmp_path / "card.json").read_text())
    assert card.pop("sha256") == hashlib.sha256((tmp_path / "clone.onnx").read_bytes()).hexdigest()
    assert policy.metadata == {name: str(value) for name, value in card.items()}
    assert (card["recorded_play"], card["return_episodes"], card["return_seeds"]) == ("people", 2, "1000001 to 1000002")
    assert policy.metadata["game"] == game
    env = make_environment(load_catalogue().games[game].environment)
    result = env.reset(7)
    policy.start(7)
    assert name in policy._inputs
    for _ in range(10):
        action = policy.choose(result.observation, {})
        assert 0 <= action < env.n_actions
        if not result.terminated:
            result = env.step(action)
    env.close()
