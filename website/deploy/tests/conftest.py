"""A stage for each test, with the clients that --clients names."""

import copy
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import REAL_FIREBASE, find_sdk, keep_warm, link_programs
from fake.cloud import Cloud
from fake.server import Server
from stage import Stage, make_repository


def pytest_configure(config: pytest.Config) -> None:
    """Name our mark."""
    config.addinivalue_line("markers", "real: runs with real clients too; the others only with stand-ins")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With real clients, which take their time, run what is marked so."""
    if config.getoption("--clients") == "real":
        items[:] = [item for item in items if item.get_closest_marker("real")]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--clients=real` runs the same tests with this machine's gcloud and firebase."""
    parser.addoption("--clients", choices=["standin", "real"], default="standin")


Given = tuple[Path, Path, dict[str, str]]


@pytest.fixture(scope="session")
def clients(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """A repository to copy, a folder of programs, and the variables that they need."""
    repository = tmp_path_factory.mktemp("repository") / "repository"
    make_repository(repository)
    programs = tmp_path_factory.mktemp("programs") / "bin"
    real, sdk = request.config.getoption("--clients") == "real", find_sdk()
    if real and sdk is None:
        pytest.skip("there is no gcloud on this machine: the same ran with its stand-in")
    link_programs(programs, firebase=REAL_FIREBASE if real and REAL_FIREBASE.exists() else None)
    with ExitStack() as stack:
        standins = stack.enter_context(keep_warm(programs.parent, Path(sys.executable), "standins"))
        gcloud = stack.enter_context(keep_warm(programs.parent, sdk[1], sdk[0])) if real and sdk else standins
        yield (
            repository,
            programs,
            {
                "WARM_GCLOUD": str(gcloud),
                "WARM_FIREBASE": str(standins),
                "WARM_PYTHON3": str(standins),
            },
        )


@pytest.fixture
def stage(tmp_path: Path, clients: Given) -> Iterator[Stage]:
    """The scripts before an empty cloud."""
    cloud = Cloud()
    with Server(cloud) as server:
        yield Stage(tmp_path, cloud, server, *clients)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, clients: Given) -> dict[str, Cloud]:
    """The two projects as `bootstrap` leaves them."""
    ready = {}
    for kind in ("production", "preview"):
        cloud = Cloud()
        with Server(cloud) as server:
            done = Stage(tmp_path_factory.mktemp(kind), cloud, server, *clients).bootstrap(kind)
        assert done.code == 0, done.output
        ready[kind] = cloud
    return ready


@pytest.fixture
def production(stage: Stage, prepared: dict[str, Cloud]) -> Stage:
    """The scripts before a production project that is ready."""
    stage.cloud.take_over(copy.deepcopy(prepared["production"].state()))
    return stage


@pytest.fixture
def preview(stage: Stage, prepared: dict[str, Cloud]) -> Stage:
    """The scripts before a preview project that is ready."""
    stage.cloud.take_over(copy.deepcopy(prepared["preview"].state()))
    return stage
