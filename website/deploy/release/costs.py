"""What it costs, from one dated table of prices: `website/deploy/costs` prints the tables of docs/deploy.md."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from release.trouble import run_main

HOUR, MONTH_HOURS = 3600, 730
GIB, GB = 2**30, 10**9
PRICES = Path(__file__).resolve().parents[2] / "backend" / "benchmarks" / "prices.json"
# What each price is called in that file.
NAMED = {
    "one CPU of a server, a second": "run_vcpu_second",
    "one GiB of a server, a second": "run_gib_second",
    "1,000 objects written": "storage_write_per_1000",
    "one GiB of objects, a month": "storage_gib_month",
    "one GiB to players": "egress_gib_tiers",
    "one CPU of Postgres, an hour": "sql_vcpu_hour",
    "one GiB of Postgres's memory, an hour": "sql_gib_hour",
    "one GiB of its disk, a month": "sql_ssd_gib_month",
    "the previews' shared Postgres, a month": "sql_small_month",
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
    """Read the one table of prices, which the benchmarks use too. Of the traffic's prices the first, highest one."""
    told = json.loads(PRICES.read_text())
    return Prices(
        date=told["as_of"],
        cpu_second=told["run_vcpu_second"],
        gib_second=told["run_gib_second"],
        write=told["storage_write_per_1000"] / 1000,
        object_gb_month=told["storage_gib_month"] * GB / GIB,
        egress_gib=told["egress_gib_tiers"][0][1],
        sql_cpu_hour=told["sql_vcpu_hour"],
        sql_gib_hour=told["sql_gib_hour"],
        sql_disk_gb_month=told["sql_ssd_gib_month"] * GB / GIB,
        sql_small_month=told["sql_small_month"],
    )


@dataclass(frozen=True)
class Shape:
    """How it runs (the sizes of lib/release.sh) and what a player makes of it (measured; see README)."""

    cpus: int = 2
    gib: int = 3
    players: int = 40
    busy: float = 0.6
    frames_second: int = 60
    # Means of twelve Atari games, and a row with its indexes: backend/benchmarks/README.md.
    frame_bytes: int = 200
    row_bytes: int = 214
    segment_seconds: float = 5.0
    sql_cpus: int = 1
    sql_gib: float = 3.75
    sql_disk_gb: int = 20
    pool: int = 12


def basis_rows() -> list[tuple[str, str, str]]:
    """Each price, and whether somebody looked it up or took it for granted."""
    told = json.loads(PRICES.read_text())
    rows = []
    for name, key in NAMED.items():
        price = told[key][0][1] if isinstance(told[key], list) else told[key]
        rows.append((name, f"{price:.6f}".rstrip("0").rstrip("."), told["basis"][key]))
    return rows


def instance_month(prices: Prices, shape: Shape) -> float:
    """One server that is always there."""
    return MONTH_HOURS * HOUR * (shape.cpus * prices.cpu_second + shape.gib * prices.gib_second)


def database_month(prices: Prices, shape: Shape) -> float:
    """The instance of Postgres with its first disk."""
    running = MONTH_HOURS * (shape.sql_cpus * prices.sql_cpu_hour + shape.sql_gib * prices.sql_gib_hour)
    return running + shape.sql_disk_gb * prices.sql_disk_gb_month


def rest_rows(prices: Prices, shape: Shape) -> list[tuple[str, float]]:
    """What a month costs with nobody playing."""
    return [
        ("one server, always there", instance_month(prices, shape)),
        ("production's Postgres, 1 CPU, 3.75 GiB, 20 GB", database_month(prices, shape)),
        ("the previews' Postgres, shared CPU", prices.sql_small_month + 10 * prices.sql_disk_gb_month),
        ("images, secrets, logs", 2.0),
    ]


def hour_rows(prices: Prices, shape: Shape) -> list[tuple[str, float]]:
    """What one player costs in an hour of a game at 60 frames a second, kept for a month."""
    frames = shape.frames_second * HOUR
    segments = HOUR / shape.segment_seconds
    server = HOUR * (shape.cpus * prices.cpu_second + shape.gib * prices.gib_second)
    return [
        ("compute", server / (shape.players * shape.busy)),
        ("frames to the player", frames * shape.frame_bytes / GIB * prices.egress_gib),
        ("objects written", segments * prices.write),
        ("objects kept a month", frames * shape.frame_bytes / GB * prices.object_gb_month),
        ("rows kept a month", frames * shape.row_bytes / GB * prices.sql_disk_gb_month),
    ]


def scale_rows(shape: Shape) -> list[tuple[str, list[str]]]:
    """What 100, 1,000 and 10,000 players at once ask of each part."""
    sizes = (100, 1_000, 10_000)
    instances = [-(-size // round(shape.players * shape.busy)) for size in sizes]
    rows = [size * shape.frames_second for size in sizes]
    day = [count * 2 * HOUR * shape.row_bytes / GB for count in rows]
    return [
        ("players at once", [f"{size:,}" for size in sizes]),
        ("servers, each 60 % full", [f"{count:,}" for count in instances]),
        (f"database connections, {shape.pool} a server", [f"{count * shape.pool:,}" for count in instances]),
        ("rows a second", [f"{count:,}" for count in rows]),
        ("rows written to disk a second", [f"{count * shape.row_bytes / 1e6:,.1f} MB" for count in rows]),
        ("objects written a second", [f"{size / shape.segment_seconds:,.0f}" for size in sizes]),
        ("frames out", [f"{count * shape.frame_bytes * 8 / 1e6:,.0f} Mbit/s" for count in rows]),
        ("rows of a day with two such hours", [f"{size:,.0f} GB" for size in day]),
    ]


def draw_tables() -> str:
    """The tables in Markdown."""
    prices, shape = read_prices(), Shape()
    rest, hour = rest_rows(prices, shape), hour_rows(prices, shape)
    lines = [f"| at rest, a month (list prices of {prices.date}) | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.0f} |" for name, cost in rest]
    lines += [f"| **together** | **{sum(cost for _, cost in rest):.0f}** |", ""]
    lines += ["| a player-hour at 60 frames/s | USD |", "|---|---:|"]
    lines += [f"| {name} | {cost:.4f} |" for name, cost in hour]
    lines += [f"| **together** | **{sum(cost for _, cost in hour):.4f}** |", ""]
    scale = scale_rows(shape)
    lines += [f"| {scale[0][0]} | {' | '.join(scale[0][1])} |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {' | '.join(values)} |" for name, values in scale[1:]]
    lines += ["", "| price | USD | where it comes from |", "|---|---:|---|"]
    lines += [f"| {name} | {price} | {basis} |" for name, price, basis in basis_rows()]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the tables."""
    description = "Prints the tables of docs/deploy.md: what it costs, and what many players ask of each part."
    argparse.ArgumentParser(prog="website/deploy/costs", description=description).parse_args(arguments)
    print(draw_tables())


if __name__ == "__main__":
    run_main(main)
