"""Dollars per player-hour in the cloud, from the model in `benchmarks.cost_model`.

All players play at the same time at 60 Hz, HOURS_PER_MONTH hours per month, and everything of RETENTION_MONTHS is kept.
Without players, only the server and the database that are always on are billed.
"""

from dataclasses import asdict
from pathlib import Path

from benchmarks import cost_model
from benchmarks.report import RESULTS, Report

PLAYERS = (1, 100, 10_000)
HOURS_PER_MONTH = 60.0
"""Hours that each player plays in a month. They share the costs of what is always on."""
RETENTION_MONTHS = 12.0
"""Months of recordings and rows that are stored."""
COLUMNS = (
    "players",
    "instances",
    "compute $",
    "database $",
    "certifier $",
    "objects $",
    "egress $",
    "$ a player-hour",
    "largest part",
)


def run(folder: Path = RESULTS) -> Report:
    """Compute the table from the newest results."""
    prices, deployment, needs = cost_model.read_prices(), cost_model.Deployment(), cost_model.read_needs(folder)
    report = Report("cost", COLUMNS)
    report.facts = {
        "prices as of": prices.date,
        "hours a month each": HOURS_PER_MONTH,
        "months that are kept": RETENTION_MONTHS,
        "measured": asdict(needs),
    }
    for players in PLAYERS:
        hours = players * HOURS_PER_MONTH
        month = cost_model.price_month(players, HOURS_PER_MONTH, RETENTION_MONTHS, prices, deployment, needs)
        parts = {name: dollars / hours for name, dollars in month.items()}
        largest = max(parts, key=lambda name: parts[name])
        n_servers = cost_model.count_servers(players, deployment)
        report.add(players, n_servers, *parts.values(), sum(parts.values()), largest)
    return report
