"""What it costs, from one dated table of prices: `website/deploy/costs` prints the tables of docs/deploy.md."""

import argparse
from dataclasses import dataclass

from release.trouble import run_main

HOUR, MONTH_HOURS = 3600, 730
GIB, GB = 2**30, 10**9


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, without discounts and free tiers, of a Tier 1 region; sources in docs/deploy.md."""

    date: str = "2026-11-22"
    cpu_second: float = 0.000018
    gib_second: float = 0.000002
    write: float = 5e-6
    read: float = 4e-7
    object_gb_month: float = 0.020
    egress_gib: float = 0.12
    sql_cpu_hour: float = 0.0413
    sql_gib_hour: float = 0.007
    sql_disk_gb_month: float = 0.17
    sql_small_month: float = 8.0


@dataclass(frozen=True)
class Shape:
    """How it runs (the sizes of lib/release.sh) and what a player makes of it (measured; see README)."""

    cpus: int = 2
    gib: int = 3
    players: int = 40
    busy: float = 0.6
    frames_second: int = 60
    frame_bytes: int = 250
    row_bytes: int = 240
    segment_seconds: float = 5.0
    sql_cpus: int = 1
    sql_gib: float = 3.75
    sql_disk_gb: int = 20
    rows_second: int = 91_000
    pool: int = 12


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
        ("of what one Postgres took here (91,000/s)", [f"{count / shape.rows_second:.0%}" for count in rows]),
        ("objects written a second", [f"{size / shape.segment_seconds:,.0f}" for size in sizes]),
        ("frames out", [f"{count * shape.frame_bytes * 8 / 1e6:,.0f} Mbit/s" for count in rows]),
        ("rows of a day with two such hours", [f"{size:,.0f} GB" for size in day]),
    ]


def draw_tables() -> str:
    """The three tables in Markdown."""
    prices, shape = Prices(), Shape()
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
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print the tables."""
    description = "Prints the tables of docs/deploy.md: what it costs, and what many players ask of each part."
    argparse.ArgumentParser(prog="website/deploy/costs", description=description).parse_args(arguments)
    print(draw_tables())


if __name__ == "__main__":
    run_main(main)
