"""Releases with several services for games: each has an address of its own, and all are released and rolled back."""

import copy
from typing import Any

import pytest

from fake_cloud.run import apply_service
from harness import DeployHarness

NAMES = ("arcade", "arcade-2", "arcade-3")


def host(name: str) -> str:
    """Return the host of a service, by Cloud Run's documented form of it."""
    return f"{name}-123456789012.europe-west1.run.app"


ORIGINS = ",".join(f"wss://{host(name)}" for name in NAMES)


@pytest.fixture
def three(production: DeployHarness) -> DeployHarness:
    """A production project with two further services, as Terraform creates them."""
    template = production.cloud.resources["services"]["arcade"]["spec"]["template"]
    for name in NAMES[1:]:
        body: dict[str, Any] = {"metadata": {"name": name, "generation": 0, "resourceVersion": "1"}}
        body["spec"] = {"template": copy.deepcopy(template)}
        apply_service(production.cloud, body)
        production.cloud.add("services", name, body)
    production.environment["GAME_SERVICES"] = "3"
    return production


def serving(harness: DeployHarness) -> dict[str, str]:
    """Return the revision that has all traffic of each service."""
    found = {}
    for name in NAMES:
        entries = harness.cloud.resources["services"][name]["status"]["traffic"]
        (found[name],) = [entry["revisionName"] for entry in entries if entry.get("percent") == 100]
    return found


def settings(harness: DeployHarness, revision: str) -> dict[str, str]:
    """Return the variables of a revision."""
    container = harness.cloud.resources["revisions"][revision]["spec"]["containers"][0]
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def test_each_service_gets_the_release_with_its_own_address(three: DeployHarness) -> None:
    before = serving(three)
    done = three.deploy()
    assert done.code == 0, done.output
    after = serving(three)
    assert all(after[name] != before[name] for name in NAMES)
    images = set()
    for name, revision in after.items():
        found, metadata = settings(three, revision), three.cloud.resources["revisions"][revision]["metadata"]
        assert (found["SOCKET_ORIGIN"], found["SOCKET_ORIGINS"]) == (f"wss://{host(name)}", ORIGINS)
        assert found["TRUSTED_HOSTS"].split(",") == [host(name), f"candidate---{host(name)}"]
        assert (metadata["annotations"]["autoscaling.knative.dev/maxScale"], found["MAX_INSTANCES"]) == ("1", "3")
        minimum = three.cloud.resources["services"][name]["metadata"]["annotations"].get("run.googleapis.com/minScale")
        assert int(minimum or 0) == (name == "arcade")
        images.add(three.cloud.resources["revisions"][revision]["spec"]["containers"][0]["image"])
    assert len(images) == 1
    smoke_tests = three.cloud.behaviours["smoke_tests"]
    assert [f"https://candidate---{host(name)}" for name in NAMES] == [
        url for url in smoke_tests if "candidate---" in url
    ]


def test_failure_of_a_later_service_rolls_all_back(three: DeployHarness) -> None:
    assert three.deploy().code == 0
    before = serving(three)
    three.commit("website/backend/app.py", "2")
    three.cloud.behaviours["smoke fails"] = "candidate---arcade-3"
    done = three.deploy()
    assert done.code != 0
    assert serving(three) == before, done.output


def test_rollback_moves_all_services_one_release_back(three: DeployHarness) -> None:
    assert three.deploy().code == 0
    first = serving(three)
    three.commit("website/backend/app.py", "2")
    assert three.deploy().code == 0
    second = serving(three)
    assert all(second[name] != first[name] for name in NAMES)
    done = three.rollback("--only", "backend")
    assert done.code == 0, done.output
    assert serving(three) == first


def test_rollback_during_release_leaves_all_services_at_one_release(three: DeployHarness) -> None:
    """The rollback comes while the last service's candidate is tested: it has to move the second service only."""
    assert three.deploy().code == 0
    first = serving(three)
    three.commit("website/backend/app.py", "2")
    assert three.deploy().code == 0
    three.commit("website/backend/app.py", "3")
    ready = three.cloud.pause_at("POST smoke /try.*candidate---arcade-3")
    release = three.start_deploy()
    ready.wait()
    done = three.rollback("--only", "backend", "--revision", first["arcade"])
    assert done.code == 0, done.output
    ready.resume()
    assert release.wait() == 1
    assert serving(three) == first


def test_release_after_more_services_were_created_has_nothing_to_roll_them_back_to(three: DeployHarness) -> None:
    three.environment["GAME_SERVICES"] = "2"
    assert three.deploy().code == 0
    three.environment["GAME_SERVICES"] = "3"
    assert three.deploy().code == 0  # the settings of all services have changed
    newest = serving(three)
    done = three.rollback("--only", "backend")
    assert done.code == 0, done.output
    assert "service arcade-3 has no such release" in done.output
    after = serving(three)
    assert [after[name] == newest[name] for name in NAMES] == [False, False, True]


@pytest.mark.parametrize("number", ["0", "21", "many", "1.5"])
def test_wrong_number_of_services_is_refused_before_anything_changes(three: DeployHarness, number: str) -> None:
    done = three.deploy(GAME_SERVICES=number)
    assert (done.code != 0, done.changes) == (True, [])
    assert "GAME_SERVICES must be a number from 1 to 20" in done.output
