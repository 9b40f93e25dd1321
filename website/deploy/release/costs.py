"""`website/deploy/costs`: calculates the tables of costs and scale in docs/deploy.md from a dated list of prices."""

import argparse
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cost_model
from benchmarks.cost_model import GB, GIB, HOUR, HZ, MONTH_HOURS, Deployment, Needs, Prices
from release.errors import UserFacingError, run_main
from release.fill import measure_fill
from release.google import Google
from release.project import read_project

INFRASTRUCTURE = Path(__file__).resolve().parents[1] / "infrastructure" / "main.tf"
SEGMENT_SECONDS, CONNECTIONS_PER_SERVER = 5.0, 12
DISK_MB_SECOND_GB = 0.48
"""Throughput of Cloud SQL's disk per GB of its size (Google's documentation of persistent SSD disks)."""
RETENTION_MONTHS = (1, 12, 36)
# Label of each price, and its key in the list of prices.
PRICE_KEYS = {
    "one CPU of a server or job, per second": "run_vcpu_second",
    "one GiB of a server or job, per second": "run_gib_second",
    "1,000 objects written": "storage_write_per_1000",
    "one GiB of objects, per month": "storage_gib_month",
    "one GiB of objects in Nearline, per month": "nearline_gib_month",
    "1,000 transitions to Nearline": "nearline_write_per_1000",
    "one GiB read from Nearline": "nearline_read_gib",
    "one GiB of traffic to players": "egress_gib_tiers",
    "one CPU of Postgres, per hour": "sql_vcpu_hour",
    "one GiB of memory of Postgres, per hour": "sql_gib_hour",
    "one GiB of disk of Postgres, per month": "sql_ssd_gib_month",
    "one GiB of backups of Postgres, per month": "sql_backup_gib_month",
    "shared Postgres of the previews, per month": "sql_small_month",
}


@dataclass(frozen=True)
class DatabaseSize:
    """A size of the database in infrastructure/main.tf."""

    cpus: int
    memory_mib: int
    disk_gb: int
    disk_limit_gb: int
    connections: int
    servers: int


def read_sizes() -> dict[str, DatabaseSize]:
    """Return the sizes of the database that can be chosen."""
    rows = re.findall(r"^ +(\w+) += \{ (cpus = .*) \}$", INFRASTRUCTURE.read_text(), re.MULTILINE)
    return {
        name: DatabaseSize(**{key: int(value) for key, value in re.findall(r"(\w+) = (\d+)", values)})
        for name, values in rows
    }


def size_rows(prices: Prices, deployment: Deployment, needs: Needs) -> list[list[str]]:
    """Return, for each size of the database, what it is, how many players it serves, and its price."""
    rows = []
    row_mb_second = HZ * needs.row_bytes / 1e6
    for name, size in read_sizes().items():
        by_servers = size.servers * round(deployment.players_per_server)
        by_disk = size.disk_gb * DISK_MB_SECOND_GB / (row_mb_second * deployment.sql_disk_writes)
        by_cpu = size.cpus * deployment.sql_max_load / needs.database_cores
        hours = (size.disk_limit_gb - size.disk_gb / 10) * GB / (needs.row_bytes * HZ * HOUR)
        rows.append(
            [
                f"`{name}`",
                f"{size.cpus} CPU, {size.memory_mib / 1024:g} GiB, {size.disk_gb} GB",
                f"{size.connections}, {size.servers}",
                f"**{min(by_servers, by_disk, by_cpu):,.0f}**",
                f"{by_servers:,} / {by_disk:,.0f} / {by_cpu:,.0f}",
                f"{size.disk_limit_gb:,} GB, {hours:,.0f}",
                f"{size_month(prices, deployment, size):.0f}",
            ]
        )
    return rows


def size_month(prices: Prices, deployment: Deployment, size: DatabaseSize) -> float:
    """Return the price of a month of a size of the database, with its first disk."""
    running = MONTH_HOURS * cost_model.price_database_hour(prices, size.cpus, size.memory_mib / 1024)
    return running + cost_model.price_rows_month(prices, deployment, size.disk_gb * GB / GIB)


def basis_rows() -> list[tuple[str, str, str]]:
    """Return each price with its source."""
    data = json.loads((cost_model.FOLDER / "prices.json").read_text())
    rows = []
    for name, key in PRICE_KEYS.items():
        price = data[key][0][1] if isinstance(data[key], list) else data[key]
        rows.append((name, f"{price:.6f}".rstrip("0").rstrip("."), data["basis"][key]))
    return rows


def idle_cost_rows(prices: Prices, deployment: Deployment) -> list[tuple[str, float]]:
    """Return the monthly costs without players."""
    size = read_sizes()["standard"]
    database = f"{size.cpus} CPUs, {size.memory_mib / 1024:g} GiB, {size.disk_gb} GB"
    small = prices.sql_small_month + cost_model.price_rows_month(prices, deployment, 10 * GB / GIB)
    return [
        ("one server, always running", MONTH_HOURS * cost_model.price_server_hour(prices, deployment)),
        (f"Postgres of production, {database}, with backups", size_month(prices, deployment, size)),
        ("Postgres of the previews, shared CPU", small),
        ("images, secrets, logs", 2.0),
    ]


def player_hour_rows(prices: Prices, deployment: Deployment, needs: Needs) -> list[tuple[str, float]]:
    """Return the costs of one player for one hour, by part, and with the months for which it is kept."""
    once, monthly = cost_model.price_player_hour(prices, deployment, needs)
    rows = [*once.items(), ("**once**", sum(once.values()))]
    rows += [(f"{name}, stored for a month", dollars) for name, dollars in monthly.items()]
    rows.append(("**each month that it is kept**", sum(monthly.values())))
    for months in RETENTION_MONTHS:
        unit = "month" if months == 1 else "months"
        rows.append((f"**kept for {months} {unit}**", sum(once.values()) + months * sum(monthly.values())))
    return rows


def nearline_line(prices: Prices, needs: Needs) -> str:
    """Return a sentence about a colder storage class."""
    pays, read = cost_model.nearline_months(prices, needs), cost_model.nearline_read_months(prices)
    size = needs.kept_bytes / needs.objects_per_step / 1000
    return (
        f"Nearline: an object of {size:.0f} kB pays for its transition after {pays:.0f} months, and each "
        f"read costs {read:.0f} month{'' if round(read) == 1 else 's'} of the saving."
    )


def scale_rows(deployment: Deployment, needs: Needs) -> list[tuple[str, list[str]]]:
    """Return the load on each part with 100, 1,000 and 10,000 concurrent players."""
    sizes = (100, 1_000, 10_000)
    instances = [cost_model.count_servers(size, deployment) for size in sizes]
    rows = [size * HZ for size in sizes]
    day = [count * 2 * HOUR * needs.row_bytes / GB for count in rows]
    return [
        ("concurrent players", [f"{size:,}" for size in sizes]),
        ("servers, each 60 % full", [f"{count:,}" for count in instances]),
        ("cores of the certifier", [f"{size * needs.certifier_cores:,.0f}" for size in sizes]),
        (
            f"database connections, {CONNECTIONS_PER_SERVER} per server",
            [f"{count * CONNECTIONS_PER_SERVER:,}" for count in instances],
        ),
        ("cores of the database, 60 % busy", [f"{size * needs.database_cores / 0.6:,.1f}" for size in sizes]),
        ("rows per second", [f"{count:,}" for count in rows]),
        ("rows written to disk per second", [f"{count * needs.row_bytes / 1e6:,.1f} MB" for count in rows]),
        ("objects written per second", [f"{size / SEGMENT_SECONDS:,.0f}" for size in sizes]),
        ("outgoing frames", [f"{count * needs.wire_bytes * 8 / 1e6:,.0f} Mbit/s" for count in rows]),
        ("rows per day with two such hours", [f"{size:,.0f} GB" for size in day]),
    ]


def format_tables(mean_fill: float = 1.0) -> str:
    """Return all tables in Markdown."""
    prices, deployment, needs = cost_model.read_prices(), Deployment(mean_fill=mean_fill), cost_model.read_needs()
    rest, hour = idle_cost_rows(prices, deployment), player_hour_rows(prices, deployment, needs)
    lines = [f"| fixed costs per month (list prices of {prices.date}) | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.0f} |" for name, cost in rest]
    lines += [f"| **total** | **{sum(cost for _, cost in rest):.0f}** |", ""]
    lines += ["| costs per player-hour at 60 frames/s | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.4f} |" for name, cost in hour]
    lines += [""]
    head = ["size", "database", "connections, servers", "players at once", "by servers / disk / CPU"]
    head += ["limit of the disk, player-hours in it", "USD a month"]
    lines += [f"| {' | '.join(head)} |", "|---|---|---|---:|---:|---:|---:|"]
    lines += [f"| {' | '.join(row)} |" for row in size_rows(prices, deployment, needs)] + [""]
    scale = scale_rows(deployment, needs)
    lines += [f"| {scale[0][0]} | {' | '.join(scale[0][1])} |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in scale[1:]]
    lines += ["", textwrap.fill(nearline_line(prices, needs), 100)]
    lines += ["", "| price | USD | source |", "|---|---:|---|"]
    lines += [f"| {name} | {price} | {basis} |" for name, price, basis in basis_rows()]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the tables."""
    description = "Prints the tables of docs/deploy.md: the costs, and the load of many players on each part."
    parser = argparse.ArgumentParser(prog="website/deploy/costs", description=description)
    fill = parser.add_mutually_exclusive_group()
    fill.add_argument(
        "--mean-fill", type=float, default=1.0, help="mean share of 24 players that a running server has; default: 1"
    )
    fill.add_argument(
        "--measured-days",
        type=float,
        metavar="DAYS",
        help="measure this share in Cloud Monitoring, over the last days; requires GCP_PROJECT_ID, GCP_PROJECT_NUMBER",
    )
    options = parser.parse_args(arguments)
    if options.measured_days is not None:
        options.mean_fill = print_measured_fill(options.measured_days)
    print(format_tables(options.mean_fill))


def print_measured_fill(days: float) -> float:
    """Measure the mean fill of the last days and print it. Raises `UserFacingError` if there is none."""
    if days <= 0:
        raise UserFacingError(f"--measured-days must be positive, not {days:g}")
    measured = measure_fill(Google(read_project(), dry_run=False), days)
    target = Deployment().players_per_server
    print(
        f"Measured over {days:g} days: {measured.mean_games:.1f} games on a server, {measured.server_hours:,.0f} "
        f"server-hours, so a mean fill of {measured.mean_games / target:.2f} of {target:.0f} players.\n"
    )
    if not measured.mean_games:
        raise UserFacingError("nobody has played in this time, so an hour of play has no price")
    return measured.mean_games / target


if __name__ == "__main__":
    run_main(main)
