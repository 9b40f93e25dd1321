"""The package `skill-arcade-client` of `website/client`: built, unpacked, and used with nothing else that is ours."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import gymnasium
import pytest

from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade

FOLDER = Path(__file__).parents[3] / "client"
PACKAGES = {"gymnasium", "numpy", "websockets", "cloudpickle", "typing_extensions", "farama_notifications"}
"""The packages that the client needs, with those that they need themselves."""
SCRIPT = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top != "skill_arcade" and top not in {PACKAGES!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from skill_arcade.client import ArcadeEnv
env = ArcadeEnv(sys.argv[1], "cart-pole", name="unpacked")
env.reset(seed=1)
n_steps = 1
while not env.step(1)[2]:
    n_steps += 1
env.close()
print(sys.modules["skill_arcade"].__file__, n_steps)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, None, CERTIFIER="false") as running:
        yield running


def test_package_needs_three_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        needed = message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    assert sorted(one.partition(">=")[0] for one in needed if "extra ==" not in one) == [
        *("gymnasium", "numpy", "websockets"),
    ]


def test_package_alone_plays_an_episode(wheel: Path, arcade: Arcade, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, arcade.url],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    env = gymnasium.make("CartPole-v1")
    env.reset(seed=1)
    n_steps = next(step for step in itertools.count(1) if env.step(1)[2])
    assert done.stdout.split() == [str(tmp_path / "skill_arcade" / "__init__.py"), str(n_steps)]
