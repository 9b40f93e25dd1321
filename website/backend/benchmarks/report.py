"""Reports of all benchmarks: a table with units, JSON, and facts about the machine."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("ale-py", "gymnasium", "numpy", "uvloop", "uvicorn", "websockets", "asyncpg")
RESULTS = Path(__file__).parent / "results"


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, system, versions, and the load before the run."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in PACKAGES},
        "load average at the start": load_average(),
    }


def load_average() -> float:
    """Return the mean number of runnable tasks over the last minute. Above the number of cores, some of them wait."""
    return round(os.getloadavg()[0], 1)


@dataclass(slots=True)
class Report:
    """The result of a benchmark: rows, with units in the column names, and facts."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=describe_machine)

    def add(self, *row: Any) -> None:
        """Add a row with a value for each column."""
        if len(row) != len(self.columns):
            raise ValueError(f"{len(row)} values for {len(self.columns)} columns")
        self.rows.append(row)

    def markdown(self) -> str:
        """Return the table, followed by the facts."""
        cells = [self.columns, *(tuple(map(format_value, row)) for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
        notes = [f"- {name}: {format_value(value)}" for name, value in {**self.facts, **self.machine}.items()]
        return "\n".join([*lines, "", *notes])

    def save(self, folder: Path = RESULTS) -> Path:
        """Write the report as JSON, and return its path."""
        self.machine["load average at the end"] = load_average()
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        content = {"name": self.name, "machine": self.machine, "facts": self.facts, "rows": rows}
        path.write_text(json.dumps(content, indent=1) + "\n")
        return path


def read_results(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Return the saved JSON of a benchmark. Raises FileNotFoundError if it has not been run."""
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"results of '{name}' do not exist; run `python -m benchmarks {name}` first")
    results: dict[str, Any] = json.loads(path.read_text())
    return results


def quantile(values: Sequence[float], share: float) -> float:
    """Return the quantile `share` of the values, or NaN if there are none."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else float("nan")


def format_value(value: Any) -> str:
    """Format a value with three significant figures."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {format_value(part)}" for name, part in value.items())
    return str(value)
