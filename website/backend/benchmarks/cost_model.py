"""The one model of what the cloud costs: list prices (prices.json), measured needs (results/*.json), the deployment.

`website/deploy/costs` and the benchmark `cost` print tables of it. It imports the standard library only, because the
first runs without an environment.

    compute    slots of game servers, by what the autoscaler fills of them; one server is always on
    database   CPU and memory for the measured rows, always on; a disk that holds all rows that are kept
    certifier  CPU of the job that re-runs every episode
    objects    writes, and the storage of all recordings that are kept
    egress     frames sent, by tier
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
HOUR, MONTH_HOURS, HZ = 3600, 730, 60
GIB, GB = 2**30, 10**9


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, without discounts and free tiers, of a Tier 1 region."""

    date: str
    cpu_second: float
    gib_second: float
    write: float
    object_gib_month: float
    nearline_gib_month: float
    nearline_write: float
    nearline_read_gib: float
    egress_gib_tiers: list[tuple[float | None, float]]
    sql_cpu_hour: float
    sql_gib_hour: float
    sql_disk_gib_month: float
    sql_backup_gib_month: float
    sql_small_month: float


@dataclass(frozen=True)
class Needs:
    """What one player needs at 60 frames per second, as measured by the other benchmarks."""

    server_cores: float
    database_cores: float
    certifier_cores: float
    wire_bytes: float
    kept_bytes: float
    row_bytes: float
    objects_per_step: float


@dataclass(frozen=True)
class Deployment:
    """What the deployment scripts create (release/production.py, infrastructure/main.tf), and how it is filled."""

    cpus: int = 2
    gib: int = 3
    game_slots: int = 40
    target_fill: float = 0.6
    """Share of its CPU at which Cloud Run adds a server, so the share of the slots that is taken while players come."""
    mean_fill: float = 1.0
    """Mean share of the target that is taken over a day. Servers that empty run on for their last player."""
    job_gib: int = 4
    sql_gib_per_cpu: float = 3.75
    sql_max_load: float = 0.6
    sql_disk_writes: int = 3
    """Bytes written to disk for each byte of a row: the row, its log record, and pages in the log."""
    sql_backups: float = 1.0
    """Size of all backups and logs in sizes of the database."""

    @property
    def players_per_server(self) -> float:
        """Mean number of players of a server."""
        return self.game_slots * self.target_fill * self.mean_fill


def read_prices() -> Prices:
    """Read the list of prices."""
    data = json.loads((FOLDER / "prices.json").read_text())
    return Prices(
        date=data["as_of"],
        cpu_second=data["run_vcpu_second"],
        gib_second=data["run_gib_second"],
        write=data["storage_write_per_1000"] / 1000,
        object_gib_month=data["storage_gib_month"],
        nearline_gib_month=data["nearline_gib_month"],
        nearline_write=data["nearline_write_per_1000"] / 1000,
        nearline_read_gib=data["nearline_read_gib"],
        egress_gib_tiers=[(limit, price) for limit, price in data["egress_gib_tiers"]],
        sql_cpu_hour=data["sql_vcpu_hour"],
        sql_gib_hour=data["sql_gib_hour"],
        sql_disk_gib_month=data["sql_ssd_gib_month"],
        sql_backup_gib_month=data["sql_backup_gib_month"],
        sql_small_month=data["sql_small_month"],
    )


def read_needs(folder: Path = FOLDER / "results") -> Needs:
    """Read the newest results of the other benchmarks. Raises FileNotFoundError if one is missing."""

    def read(name: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        return result

    players = max(read("players")["rows"], key=lambda row: int(row["players"]))
    frames, uploader = read("frames")["facts"], read("uploader")["facts"]
    return Needs(
        server_cores=(players["CPU a player %"] - players["postgres %"] - players["certifier %"]) / 100,
        database_cores=players["postgres %"] / 100,
        certifier_cores=players["certifier %"] / 100,
        wire_bytes=frames["Atari, mean of wire B"],
        kept_bytes=frames["Atari, mean of kept B"],
        row_bytes=uploader["Postgres B a transition, indexes included"],
        objects_per_step=uploader["objects for 1,000 transitions"] / 1000,
    )


def price_server_hour(prices: Prices, deployment: Deployment) -> float:
    """Return the price of an hour of one game server."""
    return HOUR * (deployment.cpus * prices.cpu_second + deployment.gib * prices.gib_second)


def price_database_hour(prices: Prices, cpus: float, gib: float) -> float:
    """Return the price of an hour of Postgres, without its disk."""
    return cpus * prices.sql_cpu_hour + gib * prices.sql_gib_hour


def price_rows_month(prices: Prices, deployment: Deployment, gib: float) -> float:
    """Return the price of keeping rows of this size, and their backups, for a month."""
    return gib * (prices.sql_disk_gib_month + deployment.sql_backups * prices.sql_backup_gib_month)


def price_certifier_hour(prices: Prices, deployment: Deployment, needs: Needs) -> float:
    """Return the price of re-running an hour of one player."""
    return HOUR * needs.certifier_cores * (prices.cpu_second + deployment.job_gib * prices.gib_second)


def row_gib(needs: Needs) -> float:
    """Return the GiB of rows of an hour of one player."""
    return HZ * HOUR * needs.row_bytes / GIB


def object_gib(needs: Needs) -> float:
    """Return the GiB of recordings of an hour of one player."""
    return HZ * HOUR * needs.kept_bytes / GIB


def price_player_hour(
    prices: Prices, deployment: Deployment, needs: Needs
) -> tuple[dict[str, float], dict[str, float]]:
    """Return what one more hour of one player costs once, and in each month for which it is kept, by part."""
    database = price_database_hour(prices, 1, deployment.sql_gib_per_cpu) / deployment.sql_max_load
    once = {
        "compute": price_server_hour(prices, deployment) / deployment.players_per_server,
        "CPU of the database": needs.database_cores * database,
        "certifier": price_certifier_hour(prices, deployment, needs),
        "frames to the player": HZ * HOUR * needs.wire_bytes / GIB * prices.egress_gib_tiers[0][1],
        "objects written": HZ * HOUR * needs.objects_per_step * prices.write,
    }
    monthly = {
        "rows": price_rows_month(prices, deployment, row_gib(needs)),
        "objects": object_gib(needs) * prices.object_gib_month,
    }
    return once, monthly


def count_servers(players: int, deployment: Deployment) -> int:
    """Return the game servers for players who play at the same time."""
    return max(1, math.ceil(players / deployment.players_per_server))


def price_month(
    players: int, hours: float, kept_months: float, prices: Prices, deployment: Deployment, needs: Needs
) -> dict[str, float]:
    """Return the dollars of a month by part. All play at the same time, each `hours` a month, for `kept_months`.

    The recordings of all these months are kept, so the last month is priced.
    """
    played = players * hours
    server = price_server_hour(prices, deployment)
    cpus = max(1, math.ceil(players * needs.database_cores / deployment.sql_max_load))
    database = price_database_hour(prices, cpus, cpus * deployment.sql_gib_per_cpu) * MONTH_HOURS
    rows_gib, objects_gib = (kept_months * played * size for size in (row_gib(needs), object_gib(needs)))
    writes = played * HZ * HOUR * needs.objects_per_step * prices.write
    sent_gib = played * HZ * HOUR * needs.wire_bytes / GIB
    return {
        "compute": server * (MONTH_HOURS + (count_servers(players, deployment) - 1) * hours),
        "database": database + price_rows_month(prices, deployment, 10 + rows_gib),
        "certifier": played * price_certifier_hour(prices, deployment, needs),
        "objects": writes + objects_gib * prices.object_gib_month,
        "egress": price_tiers(sent_gib, prices.egress_gib_tiers),
    }


def price_tiers(amount: float, tiers: list[tuple[float | None, float]]) -> float:
    """Return the dollars for `amount`, where each price applies up to its limit. The last tier has no limit."""
    total, priced = 0.0, 0.0
    for limit, price in tiers:
        upper = amount if limit is None else min(amount, limit)
        total += max(0.0, upper - priced) * price
        priced = max(priced, upper)
    return total


def nearline_months(prices: Prices, needs: Needs) -> float:
    """Return after how many months the transition of one object to Nearline pays, if nobody reads it again."""
    gib = needs.kept_bytes / needs.objects_per_step / GIB
    return prices.nearline_write / (gib * (prices.object_gib_month - prices.nearline_gib_month))


def nearline_read_months(prices: Prices) -> float:
    """Return the months of savings that one read of an object in Nearline costs."""
    return prices.nearline_read_gib / (prices.object_gib_month - prices.nearline_gib_month)
