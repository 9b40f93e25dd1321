"""What every benchmark shares: tables with units, JSON beside them, and the facts of the machine."""

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
    """Processor, cores, system, versions, and how busy it all is before the run begins."""
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
    """Runnable tasks, mean over the last minute: above the number of cores, somebody waits."""
    return round(os.getloadavg()[0], 1)


@dataclass(slots=True)
class Report:
    """One benchmark's outcome: rows under columns whose names carry the unit, and what it took."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=describe_machine)

    def add(self, *row: Any) -> None:
        """Add a row: a value for each column."""
        if len(row) != len(self.columns):
            raise ValueError(f"{len(row)} values for {len(self.columns)} columns")
        self.rows.append(row)

    def markdown(self) -> str:
        """The table, what was found beside it, and where it was made."""
        cells = [self.columns, *(tuple(map(show, row)) for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
        notes = [f"- {name}: {show(value)}" for name, value in {**self.facts, **self.machine}.items()]
        return "\n".join([*lines, "", *notes])

    def save(self, folder: Path = RESULTS) -> Path:
        """Write JSON; the path."""
        self.machine["load average at the end"] = load_average()
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        told = {"name": self.name, "machine": self.machine, "facts": self.facts, "rows": rows}
        path.write_text(json.dumps(told, indent=1) + "\n")
        return path


def read_results(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """The last saved JSON of a benchmark. Raises FileNotFoundError with what to do."""
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"no results of '{name}' yet: run `python -m benchmarks {name}` first")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie; NaN of none."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else float("nan")


def show(value: Any) -> str:
    """A value as a person reads it: three figures that count."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(part)}" for name, part in value.items())
    return str(value)
