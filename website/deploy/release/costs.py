"""`website/deploy/costs`: calculates the tables of costs and scale in docs/deploy.md from a dated list of prices."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from release.errors import run_main

HOUR, MONTH_HOURS = 3600, 730
GIB, GB = 2**30, 10**9
PRICES = Path(__file__).resolve().parents[2] / "backend" / "benchmarks" / "prices.json"
# Label of each price, and its key in that file.
PRICE_KEYS = {
    "one CPU of a server, per second": "run_vcpu_second",
    "one GiB of a server, per second": "run_gib_second",
    "1,000 objects written": "storage_write_per_1000",
    "one GiB of objects, per month": "storage_gib_month",
    "one GiB of traffic to players": "egress_gib_tiers",
    "one CPU of Postgres, per hour": "sql_vcpu_hour",
    "one GiB of memory of Postgres, per hour": "sql_gib_hour",
    "one GiB of disk of Postgres, per month": "sql_ssd_gib_month",
    "shared Postgres of the previews, per month": "sql_small_month",
}


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, without discounts and free tiers, of a Tier 1 region."""

    date: str
    cpu_second: float
    gib_second: float
    write: float
    object_gb_month: float
    egress_gib: float
    sql_cpu_hour: float
    sql_gib_hour: float
    sql_disk_gb_month: float
    sql_small_month: float


def read_prices() -> Prices:
    """Read the list of prices, which the benchmarks use too. Network traffic counts at its first, highest price."""
    data = json.loads(PRICES.read_text())
    return Prices(
        date=data["as_of"],
        cpu_second=data["run_vcpu_second"],
        gib_second=data["run_gib_second"],
        write=data["storage_write_per_1000"] / 1000,
        object_gb_month=data["storage_gib_month"] * GB / GIB,
        egress_gib=data["egress_gib_tiers"][0][1],
        sql_cpu_hour=data["sql_vcpu_hour"],
        sql_gib_hour=data["sql_gib_hour"],
        sql_disk_gb_month=data["sql_ssd_gib_month"] * GB / GIB,
        sql_small_month=data["sql_small_month"],
    )


@dataclass(frozen=True)
class DeploymentSize:
    """Size of a deployment (as in lib/release.sh) and load of a player (measured, see backend/benchmarks/README.md)."""

    cpus: int = 2
    gib: int = 3
    players: int = 40
    busy: float = 0.6
    frames_second: int = 60
    # Means of twelve Atari games. A row counts with its indexes.
    frame_bytes: int = 200
    row_bytes: int = 214
    segment_seconds: float = 5.0
    sql_cpus: int = 1
    sql_gib: float = 3.75
    sql_disk_gb: int = 20
    connections_per_server: int = 12


def basis_rows() -> list[tuple[str, str, str]]:
    """Return each price with its source."""
    data = json.loads(PRICES.read_text())
    rows = []
    for name, key in PRICE_KEYS.items():
        price = data[key][0][1] if isinstance(data[key], list) else data[key]
        rows.append((name, f"{price:.6f}".rstrip("0").rstrip("."), data["basis"][key]))
    return rows


def instance_month(prices: Prices, deployment: DeploymentSize) -> float:
    """Return the monthly cost of one server that always runs."""
    return MONTH_HOURS * HOUR * (deployment.cpus * prices.cpu_second + deployment.gib * prices.gib_second)


def database_month(prices: Prices, deployment: DeploymentSize) -> float:
    """Return the monthly cost of the Postgres instance with its initial disk."""
    running = MONTH_HOURS * (deployment.sql_cpus * prices.sql_cpu_hour + deployment.sql_gib * prices.sql_gib_hour)
    return running + deployment.sql_disk_gb * prices.sql_disk_gb_month


def idle_cost_rows(prices: Prices, deployment: DeploymentSize) -> list[tuple[str, float]]:
    """Return the monthly costs without players."""
    return [
        ("one server, always running", instance_month(prices, deployment)),
        ("Postgres of production, 1 CPU, 3.75 GiB, 20 GB", database_month(prices, deployment)),
        ("Postgres of the previews, shared CPU", prices.sql_small_month + 10 * prices.sql_disk_gb_month),
        ("images, secrets, logs", 2.0),
    ]


def player_hour_rows(prices: Prices, deployment: DeploymentSize) -> list[tuple[str, float]]:
    """Return the costs of one player for one hour of a game at 60 frames per second, stored for a month."""
    frames = deployment.frames_second * HOUR
    segments = HOUR / deployment.segment_seconds
    server = HOUR * (deployment.cpus * prices.cpu_second + deployment.gib * prices.gib_second)
    return [
        ("compute", server / (deployment.players * deployment.busy)),
        ("frames to the player", frames * deployment.frame_bytes / GIB * prices.egress_gib),
        ("objects written", segments * prices.write),
        ("objects, stored for a month", frames * deployment.frame_bytes / GB * prices.object_gb_month),
        ("rows, stored for a month", frames * deployment.row_bytes / GB * prices.sql_disk_gb_month),
    ]


def scale_rows(deployment: DeploymentSize) -> list[tuple[str, list[str]]]:
    """Return the load on each part with 100, 1,000 and 10,000 concurrent players."""
    sizes = (100, 1_000, 10_000)
    instances = [-(-size // round(deployment.players * deployment.busy)) for size in sizes]
    rows = [size * deployment.frames_second for size in sizes]
    day = [count * 2 * HOUR * deployment.row_bytes / GB for count in rows]
    return [
        ("concurrent players", [f"{size:,}" for size in sizes]),
        ("servers, each 60 % full", [f"{count:,}" for count in instances]),
        (
            f"database connections, {deployment.connections_per_server} per server",
            [f"{count * deployment.connections_per_server:,}" for count in instances],
        ),
        ("rows per second", [f"{count:,}" for count in rows]),
        ("rows written to disk per second", [f"{count * deployment.row_bytes / 1e6:,.1f} MB" for count in rows]),
        ("objects written per second", [f"{size / deployment.segment_seconds:,.0f}" for size in sizes]),
        ("outgoing frames", [f"{count * deployment.frame_bytes * 8 / 1e6:,.0f} Mbit/s" for count in rows]),
        ("rows per day with two such hours", [f"{size:,.0f} GB" for size in day]),
    ]


def format_tables() -> str:
    """Return all tables in Markdown."""
    prices, deployment = read_prices(), DeploymentSize()
    rest, hour = idle_cost_rows(prices, deployment), player_hour_rows(prices, deployment)
    lines = [f"| fixed costs per month (list prices of {prices.date}) | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.0f} |" for name, cost in rest]
    lines += [f"| **total** | **{sum(cost for _, cost in rest):.0f}** |", ""]
    lines += ["| costs per player-hour at 60 frames/s | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.4f} |" for name, cost in hour]
    lines += [f"| **total** | **{sum(cost for _, cost in hour):.4f}** |", ""]
    scale = scale_rows(deployment)
    lines += [f"| {scale[0][0]} | {' | '.join(scale[0][1])} |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in scale[1:]]
    lines += ["", "| price | USD | source |", "|---|---:|---|"]
    lines += [f"| {name} | {price} | {basis} |" for name, price, basis in basis_rows()]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the tables."""
    description = "Prints the tables of docs/deploy.md: the costs, and the load of many players on each part."
    argparse.ArgumentParser(prog="website/deploy/costs", description=description).parse_args(arguments)
    print(format_tables())


if __name__ == "__main__":
    run_main(main)
