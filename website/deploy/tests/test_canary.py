"""A release tries a tenth of the traffic first, and goes back if the new revision does worse."""

from typing import Any

import pytest

from fake_cloud.requests import Fault
from harness import DeployHarness
from release.canary import Behaviour, compare
from test_deploy import newest, traffic

LATE, STEPS = "late_steps_total", "steps_total"
GOOD = {STEPS: 200_000, LATE: 200, "request_count": 900, "request_count 5xx": 1}


@pytest.fixture
def released(production: DeployHarness) -> DeployHarness:
    """Production after a release, with a change to release."""
    assert production.deploy().code == 0
    production.commit("website/backend/app.py", "2")
    return production


def splits(harness: DeployHarness) -> list[list[int]]:
    """Return the percentages of each change of the traffic."""
    bodies = [
        call.body for call in harness.cloud.calls if call.method == "PUT" and call.path.endswith("/services/arcade")
    ]
    return [[entry["percent"] for entry in body["spec"]["traffic"] if entry.get("percent")] for body in bodies]


def test_canary_of_first_release_is_skipped(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    assert [90, 10] not in splits(production)


def test_canary_that_is_as_good_gets_all_traffic(released: DeployHarness) -> None:
    released.cloud.behaviours["metrics"] = {"live": GOOD, "candidate": GOOD}
    done = released.deploy()
    assert done.code == 0, done.output
    assert splits(released)[-2:] == [[90, 10], [100]]
    assert traffic(released) == {newest(released)["metadata"]["name"]: 100}
    assert "late=200/200000 errors=1/900" in done.output


@pytest.mark.parametrize("worse", [{LATE: 3000}, {"request_count 5xx": 40}])
def test_canary_that_is_worse_loses_the_traffic(released: DeployHarness, worse: dict[str, int]) -> None:
    before = traffic(released)
    released.cloud.behaviours["metrics"] = {"live": GOOD, "candidate": {**GOOD, **worse}}
    done = released.deploy()
    assert (done.code, traffic(released)) == (1, before), done.output
    assert splits(released)[-2:] == [[90, 10], [100]]
    assert "the canary is worse" in done.output


@pytest.mark.parametrize("metrics", [{}, {"live": GOOD}, {"live": GOOD, "candidate": {STEPS: 300, LATE: 300}}])
def test_canary_without_data_is_left_to_the_smoke_tests(released: DeployHarness, metrics: dict[str, Any]) -> None:
    released.cloud.behaviours["metrics"] = metrics
    done = released.deploy()
    assert done.code == 0, done.output
    assert "too few steps" in done.output


def test_canary_without_monitoring_loses_the_traffic(released: DeployHarness) -> None:
    """Nobody can tell whether it is worse."""
    before = traffic(released)
    released.cloud.faults = [Fault("GET monitoring ")]
    done = released.deploy()
    assert (done.code, traffic(released)) == (1, before), done.output


def test_canary_can_be_skipped(released: DeployHarness) -> None:
    assert released.deploy("--skip-canary").code == 0
    assert [90, 10] not in splits(released)
    released.commit("website/backend/app.py", "3")
    assert released.deploy(CANARY_MINUTES="0").code == 0
    assert [90, 10] not in splits(released)


def test_rollback_during_canary_wins(released: DeployHarness) -> None:
    before = traffic(released)
    ready = released.cloud.pause_at("GET monitoring ")
    release = released.start_deploy()
    ready.wait()
    assert sorted(traffic(released).values()) == [10, 90]
    done = released.rollback("--only", "backend")
    assert (done.code, traffic(released)) == (0, before), done.output
    ready.resume()
    assert release.wait() == 1
    assert traffic(released) == before


def test_canary_compares_with_the_live_revision() -> None:
    busy = Behaviour(10_000, 300, 100, 4)
    assert compare(busy, Behaviour(10_000, 340, 100, 4)) == ""
    assert "late" in compare(busy, Behaviour(10_000, 360, 100, 4))
    assert "5xx" in compare(busy, Behaviour(10_000, 300, 100, 6))
    assert "late" in compare(Behaviour(0, 0, 0, 0), Behaviour(4000, 100, 0, 0))
