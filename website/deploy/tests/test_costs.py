"""The cost tables are calculated for the deployment that the scripts create, by one model."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import cost, cost_model
from benchmarks.cost_model import Deployment
from clients import HERE
from harness import DeployHarness, settings_of
from release.costs import CONNECTIONS_PER_SERVER, idle_cost_rows, player_hour_rows, scale_rows
from skill_arcade.settings import Settings

DEPLOY = HERE.parent
PRICES, NEEDS = cost_model.read_prices(), cost_model.read_needs()


def test_deployment_matches_the_scripts() -> None:
    release = (DEPLOY / "release" / "production.py").read_text()
    deployment = Deployment()
    assert f'size_flags(cpu={deployment.cpus}, memory="{deployment.gib}Gi", games=MAX_GAMES, ' in release
    assert f"MAX_GAMES = {deployment.game_slots}\n" in release
    assert f'"--cpu=1", "--memory={deployment.job_gib}Gi", f"--tasks=' in release
    sizes = re.findall(r"cpus = (\d+), memory_mib = (\d+)", (DEPLOY / "infrastructure" / "main.tf").read_text())
    assert {int(mib) / 1024 / int(cpus) for cpus, mib in sizes} == {deployment.sql_gib_per_cpu}


def test_connections_of_a_server_match_the_settings() -> None:
    settings = Settings.model_validate({"database_pool_size": 4, "uploader_num_workers": 4, "max_instances": 1})
    # Twice as many while a release replaces another.
    assert settings.database_connections == 2 * CONNECTIONS_PER_SERVER


def test_player_hour_that_is_kept_longer_costs_more() -> None:
    rows = dict(player_hour_rows(PRICES, Deployment(), NEEDS))
    month, year = rows["**kept for 1 month**"], rows["**kept for 12 months**"]
    assert year - month == pytest.approx(11 * rows["**each month that it is kept**"])
    assert sum(dollars for _, dollars in idle_cost_rows(PRICES, Deployment())) > 100


def test_player_hour_on_servers_that_are_half_filled_costs_twice_the_compute() -> None:
    full, half = (dict(player_hour_rows(PRICES, Deployment(mean_fill=fill), NEEDS)) for fill in (1.0, 0.5))
    assert half["compute"] == pytest.approx(2 * full["compute"])
    assert half["rows, stored for a month"] == full["rows, stored for a month"]


@pytest.fixture
def measurable(production: DeployHarness) -> DeployHarness:
    """Production, with the cost model beside the scripts."""
    model = Path("website", "backend", "benchmarks")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(DEPLOY.parents[1] / model, production.root / model, ignore=ignored)
    return production


def test_measured_fill_counts_each_minute_of_each_server(measurable: DeployHarness) -> None:
    """One server was full for an hour, another had one last player for three."""
    measurable.cloud.behaviours["points"] = {"games": [[24] * 60, [1] * 180]}
    done = measurable.run("costs", "--measured-days", "7", **settings_of("production"))
    assert done.code == 0, done.output
    fill = (24 * 60 + 180) / 240 / 24
    assert f"6.8 games on a server, 4 server-hours, so a mean fill of {fill:.2f} of 24 players" in done.output
    compute = dict(player_hour_rows(PRICES, Deployment(mean_fill=fill), NEEDS))["compute"]
    assert f"| compute | {compute:.4f} |" in done.output


@pytest.mark.parametrize(
    ("points", "problem"), [({}, "no fill is measured"), ({"games": [[0, 0]]}, "nobody has played")]
)
def test_measured_fill_without_play_is_refused(
    measurable: DeployHarness, points: dict[str, list[list[int]]], problem: str
) -> None:
    measurable.cloud.behaviours["points"] = points
    done = measurable.run("costs", "--measured-days", "7", **settings_of("production"))
    assert done.code == 1
    assert problem in done.output


def test_both_tables_agree_on_what_many_players_cost() -> None:
    """With many players what is always on has no weight, so both tables give the same dollars of an hour."""
    hours, kept = 730.0, 3.0
    once, monthly = cost_model.price_player_hour(PRICES, Deployment(), NEEDS)
    month = cost_model.price_month(24_000, hours, kept, PRICES, Deployment(), NEEDS)
    an_hour = {name: dollars / (24_000 * hours) for name, dollars in month.items()}
    assert an_hour["compute"] == pytest.approx(once["compute"], rel=0.01)
    assert an_hour["certifier"] == pytest.approx(once["certifier"])
    assert an_hour["database"] == pytest.approx(once["CPU of the database"] + kept * monthly["rows"], rel=0.01)
    assert an_hour["objects"] == pytest.approx(once["objects written"] + kept * monthly["objects"])


def test_benchmark_has_no_model_of_its_own() -> None:
    module = Path(str(sys.modules[cost.__name__].__file__)).read_text()
    assert not set(json.loads((cost_model.FOLDER / "prices.json").read_text())["basis"]) & set(
        re.findall(r"\w+", module)
    )


def test_transition_to_nearline_takes_longer_than_a_year_to_pay() -> None:
    """As long as this holds, the bucket has no rule that moves objects to a colder class."""
    assert cost_model.nearline_months(PRICES, NEEDS) > 12
    assert "SetStorageClass" not in (DEPLOY / "infrastructure" / "storage.tf").read_text()


def test_scale_of_ten_thousand_players_is_calculated() -> None:
    rows = dict(scale_rows(Deployment(), NEEDS))
    assert rows["servers, each 60 % full"] == ["5", "42", "417"]
    assert rows["rows per second"][-1] == "600,000"
