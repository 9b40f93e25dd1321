"""Fixtures: a harness for each test, with the clients that the option --clients selects."""

import copy
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients import REAL_FIREBASE, find_sdk, link_clients, start_fork_server
from fake_cloud.cloud import FakeCloud
from fake_cloud.containers import Containers
from fake_cloud.server import FakeServer, PublicServer
from harness import PREVIEW, PRODUCTION, DeployHarness, make_repository
from terraform.toolbox import PYTHON, install_tools, start_providers

pytest_plugins = ["pytest_skips"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "real: the test runs with real clients too; all others run with fake clients only"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With real clients, which are slow, select only the tests that are marked so."""
    if config.getoption("--clients") == "real":
        items[:] = [item for item in items if item.get_closest_marker("real")]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--clients=real`, which runs tests with this machine's gcloud and firebase."""
    parser.addoption("--clients", choices=["fake", "real"], default="fake")


Clients = tuple[Path, Path, dict[str, str]]


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Terraform's providers with the real schema. The value is that of TF_REATTACH_PROVIDERS."""
    install_tools()
    with start_providers(tmp_path_factory.mktemp("providers")) as attached:
        yield attached


@pytest.fixture(scope="session")
def clients(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, providers: str
) -> Iterator[Clients]:
    """A repository to copy, a folder with the clients, and the variables that they need."""
    repository = tmp_path_factory.mktemp("repository") / "repository"
    make_repository(repository)
    programs = tmp_path_factory.mktemp("programs") / "bin"
    real, sdk = request.config.getoption("--clients") == "real", find_sdk()
    if real and sdk is None:
        pytest.skip("gcloud is not installed; the same tests run with a fake client")
    link_clients(programs, firebase=REAL_FIREBASE if real and REAL_FIREBASE.exists() else None)
    with ExitStack() as stack:
        fakes = stack.enter_context(start_fork_server(programs.parent, Path(sys.executable), "fakes"))
        gcloud = stack.enter_context(start_fork_server(programs.parent, sdk[1], sdk[0])) if real and sdk else fakes
        yield (
            repository,
            programs,
            {
                "FORK_SERVER_GCLOUD": str(gcloud),
                "FORK_SERVER_FIREBASE": str(fakes),
                "FORK_SERVER_PYTHON3": str(fakes),
                "TERRAFORM_PYTHON": str(PYTHON),
                "TF_REATTACH_PROVIDERS": providers,
            },
        )


@pytest.fixture
def harness(tmp_path: Path, clients: Clients) -> Iterator[DeployHarness]:
    """The scripts with an empty cloud."""
    cloud = FakeCloud()
    with FakeServer(cloud) as server:
        yield DeployHarness(tmp_path, cloud, server, *clients)


@pytest.fixture
def running(harness: DeployHarness, tmp_path: Path) -> Iterator[Containers]:
    """Real servers behind the fake cloud of `harness`, which the real smoke test of its releases plays on."""
    with Containers(harness.cloud) as containers, PublicServer(harness.cloud, tmp_path) as public:
        harness.use_real_smoke_test(public.port, public.authority)
        yield containers


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, clients: Clients) -> dict[str, FakeCloud]:
    """The cloud after `bootstrap`, for production and for previews."""
    ready = {}
    for kind in ("production", "preview"):
        cloud = FakeCloud()
        with FakeServer(cloud) as server:
            done = DeployHarness(tmp_path_factory.mktemp(kind), cloud, server, *clients).bootstrap(kind)
        assert done.code == 0, done.output
        ready[kind] = cloud
    return ready


@pytest.fixture
def production(harness: DeployHarness, prepared: dict[str, FakeCloud]) -> DeployHarness:
    """The scripts with a production project after `bootstrap`."""
    harness.cloud.load_state(copy.deepcopy(prepared["production"].state()))
    add_site(harness.cloud, PRODUCTION)
    return harness


@pytest.fixture
def preview(harness: DeployHarness, prepared: dict[str, FakeCloud]) -> DeployHarness:
    """The scripts with a preview project after `bootstrap`."""
    harness.cloud.load_state(copy.deepcopy(prepared["preview"].state()))
    add_site(harness.cloud, PREVIEW)
    return harness


def add_site(cloud: FakeCloud, name: str) -> None:
    """Add the Hosting site, which a project does not have until somebody creates it."""
    cloud.resources["sites"][name] = {"defaultUrl": f"https://{name}.web.app", "type": "DEFAULT_SITE"}
    cloud.resources["channels"]["live"] = {"retainedReleaseCount": 10}
