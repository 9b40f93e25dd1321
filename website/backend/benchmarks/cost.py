"""Dollars per player-hour in the cloud, from measured figures (results/*.json) and dated list prices (prices.json).

    compute  = max(CPU per player / MAX_CORE_UTILISATION, memory) on Cloud Run, billed per instance, at least one
    database = the smallest Cloud SQL that has enough CPU for the rows; storage of the rows on SSD for a month
    objects  = writes, and storage of the recordings for a month; egress = frames sent, by tier

The measured CPU of Postgres is assigned to Cloud SQL, all other CPU to Cloud Run. All players play at the same time at
60 Hz, HOURS_PER_MONTH hours per month. Without players, only the instance that is always on is billed.
"""

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, Report, read_results

PRICES = Path(__file__).parent / "prices.json"
PLAYERS = (1, 100, 10_000)
HOURS_PER_MONTH = 60.0
"""Hours that each player plays in a month. They share the costs of what is always on."""
BILLED_HOURS_PER_MONTH = 730.0
MAX_CORE_UTILISATION = 0.6
"""Share of a core that may be used, so that ticks stay on time."""
CORES_PER_INSTANCE = 4
"""vCPUs of one Cloud Run instance."""
INSTANCE_BASE_GIB = 0.5
"""Memory of the server, the uploader and the certifier of an instance without players."""
HZ = 60
GIB = 2**30
COLUMNS = (
    "players",
    "instances",
    "compute $",
    "database $",
    "objects $",
    "egress $",
    "$ a player-hour",
    "largest part",
)


def run(folder: Path = RESULTS) -> Report:
    """Compute the table from the newest results."""
    prices = json.loads(PRICES.read_text())
    report = Report("cost", COLUMNS)
    needs = measure_needs(folder)
    report.facts = {
        "prices as of": f"{prices['as_of']}, {prices['region']}, {prices['currency']}",
        "hours a month each": HOURS_PER_MONTH,
        "measured": needs,
    }
    for players in PLAYERS:
        n_instances, parts = price_hour(players, needs, prices)
        largest = max(parts, key=lambda name: parts[name])
        report.add(players, n_instances, *parts.values(), sum(parts.values()), largest)
    return report


def measure_needs(folder: Path) -> dict[str, float]:
    """Return what a player needs, by the other benchmarks. Raises FileNotFoundError if a result is missing."""
    players = max(read_results("players", folder)["rows"], key=lambda row: int(row["players"]))
    frames, uploader = read_results("frames", folder)["facts"], read_results("uploader", folder)["facts"]
    return {
        "cores a player, server": (players["CPU a player %"] - players["postgres %"]) / 100,
        "cores a player, database": players["postgres %"] / 100,
        "GiB a player": players["largest game's own MB (USS)"] / 1024,
        "wire B a frame": frames["Atari, mean of wire B"],
        "kept B a frame": frames["Atari, mean of kept B"],
        "row B a transition": uploader["Postgres B a transition, indexes included"],
        "objects a transition": uploader["objects for 1,000 transitions"] / 1000,
    }


def price_hour(players: int, needs: dict[str, float], prices: dict[str, Any]) -> tuple[int, dict[str, float]]:
    """Return the instances while all players play, and the dollars of one player-hour by part."""
    hours = players * HOURS_PER_MONTH
    n_instances = max(
        1, math.ceil(players * needs["cores a player, server"] / (CORES_PER_INSTANCE * MAX_CORE_UTILISATION))
    )
    memory = INSTANCE_BASE_GIB + players / n_instances * needs["GiB a player"]
    hourly = 3600 * (
        CORES_PER_INSTANCE * prices["run_vcpu_second"] + max(2, math.ceil(memory)) * prices["run_gib_second"]
    )
    # One instance is always on; the others only while people play.
    compute = (hourly * BILLED_HOURS_PER_MONTH + hourly * (n_instances - 1) * HOURS_PER_MONTH) / hours
    sql_cores = max(1, math.ceil(players * needs["cores a player, database"] / MAX_CORE_UTILISATION))
    steps = HZ * 3600
    rows_gib = hours * steps * needs["row B a transition"] / GIB
    sql_hourly = sql_cores * prices["sql_vcpu_hour"] + 4 * sql_cores * prices["sql_gib_hour"]
    database = (sql_hourly * BILLED_HOURS_PER_MONTH + (10 + rows_gib) * prices["sql_ssd_gib_month"]) / hours
    kept_gib = steps * needs["kept B a frame"] / GIB
    objects = (
        steps * needs["objects a transition"] * prices["storage_write_per_1000"] / 1000
        + kept_gib * prices["storage_gib_month"]
    )
    sent_gib = hours * steps * needs["wire B a frame"] / GIB
    egress = price_tiers(sent_gib, prices["egress_gib_tiers"]) / hours
    return n_instances, {"compute": compute, "database": database, "objects": objects, "egress": egress}


def price_tiers(amount: float, tiers: list[tuple[float | None, float]]) -> float:
    """Return the dollars for `amount`, where each price applies up to its limit. The last tier has no limit."""
    total, priced = 0.0, 0.0
    for limit, price in tiers:
        upper = amount if limit is None else min(amount, limit)
        total += max(0.0, upper - priced) * price
        priced = max(priced, upper)
    return total
