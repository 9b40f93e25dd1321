"""The pages say what the scripts do."""

import re

from clients import HERE
from release.costs import Shape, draw_tables, hour_rows, read_prices, rest_rows, scale_rows
from skill_arcade.settings import Settings
from workflows import WORKFLOWS

DOCS = HERE.parents[1] / "docs"
DEPLOY = HERE.parent


def test_the_page_has_the_tables_that_the_prices_give() -> None:
    assert draw_tables() in (DOCS / "deploy.md").read_text()


def test_the_shape_is_the_one_that_is_deployed() -> None:
    release, database = ((DEPLOY / "lib" / name).read_text() for name in ("release.sh", "bootstrap/database.sh"))
    shape = Shape()
    assert f"--cpu={shape.cpus} --memory={shape.gib}Gi --concurrency={shape.players} " in release
    assert f"GAMES={shape.players}\n" in release
    assert (
        f"--cpu={shape.sql_cpus} --memory={int(shape.sql_gib * 1024)}MiB --storage-size={shape.sql_disk_gb}GB"
        in database
    )


def test_the_servers_connections_are_the_server_s_own_count() -> None:
    told = Settings.model_validate({"database_pool_size": 4, "uploader_num_workers": 4, "max_instances": 1})
    assert told.database_connections == 2 * Shape().pool


def test_what_is_cheaper_costs_less() -> None:
    prices, shape = read_prices(), Shape()
    alone, many = (sum(cost for _, cost in hour_rows(prices, Shape(players=players))) for players in (1, 40))
    assert many < alone / 5
    assert sum(cost for _, cost in rest_rows(prices, shape)) > 100


def test_ten_thousand_players_are_told_honestly() -> None:
    rows = dict(scale_rows(Shape()))
    assert rows["servers, each 60 % full"] == ["5", "42", "417"]
    assert rows["rows a second"][-1] == "600,000"


def test_every_option_that_the_page_shows_is_one() -> None:
    text = (DOCS / "deploy.md").read_text() + (DOCS / "operations.md").read_text()
    for script, line in re.findall(r"website/deploy/(bootstrap|rollback|deploy|preview) ((?:[^`\n]|\\\n)*)", text):
        known = (DEPLOY / script).read_text()
        assert [option for option in re.findall(r"--[a-z-]+", line) if option not in known] == []


def test_every_variable_that_the_pages_name_is_one() -> None:
    text = (DOCS / "deploy.md").read_text() + (DOCS / "operations.md").read_text()
    known = "".join(file.read_text() for file in [*WORKFLOWS.glob("*.yaml"), *DEPLOY.glob("lib/**/*.sh")])
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", text))
    assert {name for name in named if name not in known} == set()


def test_every_metric_that_is_alerted_on_is_one() -> None:
    text = (DOCS / "operations.md").read_text()
    metrics = (DEPLOY.parent / "backend" / "skill_arcade" / "web" / "metrics.py").read_text()
    named = set(re.findall(r"skill_arcade_(\w+)", text)) - {""}
    assert len(named) > 5
    assert {name for name in named if f'"{name}"' not in metrics} == set()
