"""The cost tables are calculated for the deployment that the scripts create."""

from clients import HERE
from release.costs import DeploymentSize, idle_cost_rows, player_hour_rows, read_prices, scale_rows
from skill_arcade.settings import Settings

DEPLOY = HERE.parent


def test_deployment_size_matches_the_scripts() -> None:
    release, database = ((DEPLOY / "lib" / name).read_text() for name in ("release.sh", "bootstrap/database.sh"))
    size = DeploymentSize()
    assert f"--cpu={size.cpus} --memory={size.gib}Gi --concurrency={size.players} " in release
    assert f"MAX_GAMES={size.players}\n" in release
    memory = f"--memory={int(size.sql_gib * 1024)}MiB"
    assert f"--cpu={size.sql_cpus} {memory} --storage-size={size.sql_disk_gb}GB" in database


def test_deployment_size_connections_match_the_settings() -> None:
    settings = Settings.model_validate({"database_pool_size": 4, "uploader_num_workers": 4, "max_instances": 1})
    # Twice as many while a release replaces another.
    assert settings.database_connections == 2 * DeploymentSize().connections_per_server


def test_player_hour_cost_with_more_players_is_lower() -> None:
    prices, size = read_prices(), DeploymentSize()
    alone, many = (
        sum(cost for _, cost in player_hour_rows(prices, DeploymentSize(players=players))) for players in (1, 40)
    )
    assert many < alone / 5
    assert sum(cost for _, cost in idle_cost_rows(prices, size)) > 100


def test_scale_of_ten_thousand_players_is_calculated() -> None:
    rows = dict(scale_rows(DeploymentSize()))
    assert rows["servers, each 60 % full"] == ["5", "42", "417"]
    assert rows["rows per second"][-1] == "600,000"
