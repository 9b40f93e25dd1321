"""`restore-drill` clones the database, checks the clone in a job, and always deletes it."""

import signal
import subprocess
import sys

import pytest

from fake_cloud.requests import Fault
from harness import PRODUCTION, DeployHarness, settings_of

MOMENT = "2026-11-22T03:00:00Z"


@pytest.fixture
def released(production: DeployHarness) -> DeployHarness:
    """Production after a release."""
    assert production.deploy().code == 0
    return production


def drill(harness: DeployHarness, *more: str) -> tuple[int, str, list[str]]:
    done = harness.run("restore-drill", "--point-in-time", MOMENT, *more, **settings_of("production"))
    return done.code, done.output, done.changes


def test_restore_drill_checks_a_clone_and_deletes_it(released: DeployHarness) -> None:
    code, output, changes = drill(released)
    assert code == 0, output
    assert list(released.cloud.resources["instances"]) == ["arcade"]
    (clone,) = [call for call in released.cloud.calls if call.path.endswith("/instances/arcade/clone")]
    name = clone.body["cloneContext"]["destinationInstanceName"]
    assert clone.body["cloneContext"]["pointInTime"] == MOMENT
    template = released.cloud.resources["jobs"]["arcade-restore-check"]["spec"]["template"]["spec"]["template"]["spec"]
    (container,) = template["containers"]
    assert container["args"] == [
        "check-restored",
        f"{PRODUCTION}:europe-west1:{name}",
        f"--until={MOMENT.removesuffix('Z')}",
    ]
    environment = {item["name"]: item["value"] for item in container["env"]}
    assert environment["GCP_SQL_CONNECTION_NAME"] == f"{PRODUCTION}:europe-west1:arcade"
    assert template["serviceAccountName"] == f"arcade-run@{PRODUCTION}.iam.gserviceaccount.com"
    assert not [
        line
        for line in changes
        if "/instances/arcade" in line and not line.endswith("/arcade/clone") and "/instances/arcade-drill-" not in line
    ]


def test_restore_drill_failed_check_deletes_the_clone_and_fails(released: DeployHarness) -> None:
    released.cloud.behaviours["migration fails"] = True
    code, output, _ = drill(released)
    assert code == 1
    assert "arcade-restore-check" in output
    assert list(released.cloud.resources["instances"]) == ["arcade"]


def test_restore_drill_failed_clone_fails(released: DeployHarness) -> None:
    released.cloud.behaviours["clone fails"] = True
    code, output, _ = drill(released)
    assert (code, list(released.cloud.resources["instances"])) == (1, ["arcade"])
    assert "no space" in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_restore_drill_interrupted_deletes_the_clone(released: DeployHarness, number: signal.Signals) -> None:
    reached = released.cloud.pause_at("POST run .*/jobs/arcade-restore-check:run")
    process = subprocess.Popen(
        # The fake python3 of the scripts passes no signals on.
        [sys.executable, "-m", "release.restore_drill", "--point-in-time", MOMENT],
        env=released.environment
        | settings_of("production")
        | {"PYTHONPATH": str(released.root / "website" / "deploy")},
        cwd=released.folder,
        stdin=subprocess.DEVNULL,
    )
    reached.wait()
    assert len(released.cloud.resources["instances"]) == 2
    process.send_signal(number)
    reached.resume()
    assert process.wait(60) == 1
    assert list(released.cloud.resources["instances"]) == ["arcade"]


def test_restore_drill_deletes_what_a_killed_one_has_left(released: DeployHarness) -> None:
    released.cloud.resources["instances"]["arcade-drill-20260101-000000"] = {
        "name": "arcade-drill-20260101-000000",
        "settings": {"deletionProtectionEnabled": True},
    }
    assert drill(released)[0] == 0
    assert list(released.cloud.resources["instances"]) == ["arcade"]


def test_restore_drill_that_cannot_delete_says_so(released: DeployHarness) -> None:
    released.cloud.faults = [Fault("DELETE sql .*/instances/arcade-drill-")]
    code, output, _ = drill(released)
    assert code == 1
    assert "DELETE" in output


def test_restore_drill_dry_run_changes_nothing(released: DeployHarness) -> None:
    code, output, changes = drill(released, "--dry-run")
    assert (code, changes) == (0, []), output
    assert "/instances/arcade/clone" in output


def test_restore_drill_with_invalid_time_changes_nothing(released: DeployHarness) -> None:
    done = released.run("restore-drill", "--point-in-time", "yesterday", **settings_of("production"))
    assert (done.code, done.changes) == (1, [])
