"""Dollars for a player-hour in the cloud, from measured figures (results/*.json) and dated list prices (prices.json).

    compute  = max(CPU a player / FILL, memory) on Cloud Run, instance-based; at least one instance
    database = Cloud SQL that carries the rows' CPU, at least the smallest; a month of rows on SSD
    objects  = writes, and a month of what was recorded; egress = frames sent, by tier

The Postgres share of the measured CPU is Cloud SQL's, all else is Cloud Run's. Everybody plays at 60 Hz, at the same
time, HOURS_A_MONTH hours a month; a server without players is not paid for beyond the one that is always on.
"""

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, Report, read_results

PRICES = Path(__file__).parent / "prices.json"
PLAYERS = (1, 100, 10_000)
HOURS_A_MONTH = 60.0
"""How long each of them plays in a month. What is always on is shared by these hours."""
MONTH_HOURS = 730.0
FILL = 0.6
"""How full a core may be: what is left keeps the ticks in time."""
CORES = 4
"""vCPUs of one Cloud Run instance."""
INSTANCE_BASE_GIB = 0.5
"""Server, delivery and certifier of an instance, before any player."""
HZ = 60
GIB = 2**30
COLUMNS = ("players", "instances", "compute $", "database $", "objects $", "egress $", "$ a player-hour", "most of it")


def run(folder: Path = RESULTS) -> Report:
    """Work out the table from the newest results."""
    prices = json.loads(PRICES.read_text())
    report = Report("cost", COLUMNS)
    measured = measure_needs(folder)
    report.facts = {
        "prices as of": f"{prices['as_of']}, {prices['region']}, {prices['currency']}",
        "hours a month each": HOURS_A_MONTH,
        "measured": measured,
    }
    for players in PLAYERS:
        n_instances, parts = price_hour(players, measured, prices)
        most = max(parts, key=lambda name: parts[name])
        report.add(players, n_instances, *parts.values(), sum(parts.values()), most)
    return report


def measure_needs(folder: Path) -> dict[str, float]:
    """What a player needs, from the three other benchmarks. Raises FileNotFoundError when one has not been run."""
    players = max(read_results("players", folder)["rows"], key=lambda row: int(row["players"]))
    frames, delivery = read_results("frames", folder)["facts"], read_results("delivery", folder)["facts"]
    return {
        "cores a player, server": (players["CPU a player %"] - players["postgres %"]) / 100,
        "cores a player, database": players["postgres %"] / 100,
        "GiB a player": players["largest game's own MB (USS)"] / 1024,
        "wire B a frame": frames["Atari, mean of wire B"],
        "kept B a frame": frames["Atari, mean of kept B"],
        "row B a transition": delivery["Postgres B a transition, indexes included"],
        "objects a transition": delivery["objects for 1,000 transitions"] / 1000,
    }


def price_hour(players: int, needs: dict[str, float], prices: dict[str, Any]) -> tuple[int, dict[str, float]]:
    """Instances while all play, and dollars for one player's hour, by part."""
    hours = players * HOURS_A_MONTH
    n_instances = max(1, math.ceil(players * needs["cores a player, server"] / (CORES * FILL)))
    memory = INSTANCE_BASE_GIB + players / n_instances * needs["GiB a player"]
    hourly = 3600 * (CORES * prices["run_vcpu_second"] + max(2, math.ceil(memory)) * prices["run_gib_second"])
    # One instance is always on; the others only while people play.
    compute = (hourly * MONTH_HOURS + hourly * (n_instances - 1) * HOURS_A_MONTH) / hours
    sql_cores = max(1, math.ceil(players * needs["cores a player, database"] / FILL))
    steps = HZ * 3600
    rows_gib = hours * steps * needs["row B a transition"] / GIB
    sql_hourly = sql_cores * prices["sql_vcpu_hour"] + 4 * sql_cores * prices["sql_gib_hour"]
    database = (sql_hourly * MONTH_HOURS + (10 + rows_gib) * prices["sql_ssd_gib_month"]) / hours
    kept_gib = steps * needs["kept B a frame"] / GIB
    objects = (
        steps * needs["objects a transition"] * prices["storage_write_per_1000"] / 1000
        + kept_gib * prices["storage_gib_month"]
    )
    sent_gib = hours * steps * needs["wire B a frame"] / GIB
    egress = price_tiers(sent_gib, prices["egress_gib_tiers"]) / hours
    return n_instances, {"compute": compute, "database": database, "objects": objects, "egress": egress}


def price_tiers(amount: float, tiers: list[tuple[float | None, float]]) -> float:
    """Dollars for `amount` where each price holds up to a limit; the last has none."""
    total, below = 0.0, 0.0
    for limit, price in tiers:
        upper = amount if limit is None else min(amount, limit)
        total += max(0.0, upper - below) * price
        below = max(below, upper)
    return total
