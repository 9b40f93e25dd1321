"""Alerts, objectives and dashboard name metrics that exist, in bodies that Google accepts, and have a runbook."""

import json
import re
import subprocess
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import DEPLOY
from skill_arcade.play.connections.recording_capacity import Backlog
from skill_arcade.web.metric_export import METRIC_PREFIX, describe_series
from skill_arcade.web.metrics import Metric, read_metrics
from skill_arcade.web.state import AppState
from terraform.toolbox import HERE, INFRASTRUCTURE, PYTHON, Plan, Terraform

BACKEND = DEPLOY.parent / "backend" / "skill_arcade"
RUNBOOK = DEPLOY.parent / "docs" / "operations.md"
DASHBOARD = INFRASTRUCTURE / "dashboard.json"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Plan:
    """What Terraform would create for production."""
    return Terraform(tmp_path_factory.mktemp("monitoring"), providers).plan("production")


def server_metrics() -> list[Metric]:
    """Return every metric that a server writes."""
    # A recording disk that has uploaded something, and a server that has rejected a game.
    capacity = SimpleNamespace(
        backlog=Backlog(), uploader_status={"last_upload": 1.0}, stalled_seconds=0.0, free_bytes=1
    )
    sessions = SimpleNamespace(
        capacity=capacity,
        rejections=Counter(TooManyGames=1),
        counts=Counter(starts=1),
        n_games=0,
        late_us=0,
        count_steps=lambda: (1, 0),
    )
    heartbeat = SimpleNamespace(n_running=1, n_silent=0, n_ended_episodes=0)
    leases = SimpleNamespace(n_lost=0)
    moves = SimpleNamespace(n_moved=0, n_incomplete=0)
    lost_games = SimpleNamespace(n_recovered=0)
    state = SimpleNamespace(sessions=sessions, heartbeat=heartbeat, leases=leases, moves=moves, lost_games=lost_games)
    return read_metrics(cast(AppState, state))


def wrong_messages(*pairs: tuple[str, Any]) -> list[str]:
    """Return what Google's typed messages refuse."""
    checked = subprocess.run(
        [PYTHON, "-B", HERE / "check_messages.py"], input=json.dumps(pairs), capture_output=True, text=True, check=True
    )
    return checked.stdout.splitlines()


def test_metric_descriptors_are_those_of_the_server(plan: Plan) -> None:
    declared = {
        values["type"]: (values["metric_kind"], [label["key"] for label in values["labels"]])  # type: ignore[attr-defined]
        for values in plan.of_type("google_monitoring_metric_descriptor").values()
    }
    written = {
        f"{METRIC_PREFIX}{metric.name}": (
            "CUMULATIVE" if metric.kind == "counter" else "GAUGE",
            sorted({name for labels, _ in metric.samples for name in labels}),
        )
        for metric in server_metrics()
    }
    assert declared == written


def test_every_own_metric_that_is_named_exists(plan: Plan) -> None:
    text = json.dumps(plan.resources) + DASHBOARD.read_text()
    named = set(re.findall(r"custom\.googleapis\.com/skill_arcade/(\w+)", text))
    assert named <= {metric.name for metric in server_metrics()}
    logged = set(re.findall(r"logging\.googleapis\.com/user/(\w+)", text))
    assert logged == {values["name"] for values in plan.of_type("google_logging_metric").values()}


def test_log_metrics_search_for_text_that_the_server_logs(plan: Plan) -> None:
    source = "".join(file.read_text() for file in BACKEND.rglob("*.py"))
    metrics = plan.of_type("google_logging_metric")
    assert len(metrics) == 3
    for values in metrics.values():
        for text in re.findall(r'=~"([^"]+)"', str(values["filter"])):
            assert text in source, text


def policies(plan: Plan) -> list[dict[str, Any]]:
    """Return all alert policies. Those on burn rates get their names when the objectives exist."""
    return list(plan.of_type("google_monitoring_alert_policy").values())


def test_alert_policies_are_valid_messages(plan: Plan) -> None:
    fields = ("display_name", "combiner", "severity", "conditions", "documentation", "alert_strategy")
    bodies = [("AlertPolicy", {key: policy.get(key) for key in fields}) for policy in policies(plan)]
    assert len(bodies) >= 20
    # Unknown until applied, so they are not in the plan.
    for _, body in bodies:
        for condition in body["conditions"] or []:
            condition.pop("name", None)
    assert wrong_messages(*bodies) == []


def test_alert_policy_with_wrong_enum_or_field_is_refused(plan: Plan) -> None:
    policy = {"display_name": "x", "combiner": "SOMETIMES"}
    assert len(wrong_messages(("AlertPolicy", policy), ("AlertPolicy", {"combiner": "OR", "displayNam": "x"}))) == 2


def test_objectives_and_uptime_check_are_valid_messages(plan: Plan) -> None:
    objectives = [*plan.of_type("google_monitoring_slo").values()]
    bodies = []
    for values in objectives:
        goal = {"display_name": values["display_name"], "goal": values["goal"]}
        bodies.append(("ServiceLevelObjective", goal | {"service_level_indicator": describe_indicator(values)}))
    (check,) = plan.of_type("google_monitoring_uptime_check_config").values()
    (block,) = cast(list[dict[str, Any]], check["http_check"])
    http = {name: block[name] for name in ("path", "port", "use_ssl", "validate_ssl")}
    fields = ("display_name", "timeout", "period", "selected_regions", "monitored_resource")
    body = {key: check[key] for key in fields}
    assert wrong_messages(*bodies, ("UptimeCheckConfig", body | {"http_check": http})) == []
    assert {str(body["display_name"]): body["goal"] for _, body in bodies} == {
        "A game starts within 3 s": 0.99,
        "Steps are on time": 0.995,
        "Recordings are whole": 0.9999,
    }
    assert http["path"] == "/health/ready"


def describe_indicator(values: dict[str, Any]) -> dict[str, Any]:
    """Return an indicator in the form of the API, which nests it one level deeper than Terraform."""
    if values["request_based_sli"]:
        return {"request_based": values["request_based_sli"][0]}
    return {"windows_based": values["windows_based_sli"][0]}


def test_dashboard_is_a_valid_message() -> None:
    assert wrong_messages(("Dashboard", json.loads(DASHBOARD.read_text()))) == []


def test_exported_series_are_valid_messages_with_the_instance() -> None:
    body = describe_series(server_metrics(), "arcade-prod", 1.8e9)
    assert wrong_messages(("CreateTimeSeriesRequest", {"name": "projects/arcade-prod", **body})) == []
    assert {len(series["resource"]["labels"]["task_id"]) for series in body["timeSeries"]} == {12}


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)}


def test_every_alert_has_its_paragraph_in_the_runbook(plan: Plan) -> None:
    known = anchors(RUNBOOK.read_text())
    texts = [str(policy["documentation"][0]["content"]) for policy in policies(plan)]
    names = [re.search(r"operations\.md#([\w-]+)$", text) for text in texts]
    assert all(names)
    assert {found[1] for found in names if found} - known == set()


def test_every_alert_of_the_runbook_exists(plan: Plan) -> None:
    text = RUNBOOK.read_text()
    section = text[text.index("## Alerts") : text.index("## Logs")]
    titles = set(re.findall(r"^### (.+)$", section, re.M))
    names = {str(policy["display_name"]) for policy in policies(plan) if policy.get("display_name")}
    burns = {"An error budget burns", "The budget of the month is spent"}
    assert titles - burns == {name for name in names if ":" not in name}
