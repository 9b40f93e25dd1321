"""Run a benchmark: `uv run python -m benchmarks NAME`. Prints its table and writes results/NAME.json beside it."""

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.report import RESULTS, Report

NAMES = (
    "players",
    "frames",
    "delivery",
    "cost",
    "certify",
    "latency",
    "sound",
    "times",
    "minutes",
    "endurance",
    "controls",
)


def main(
    name: Annotated[str, typer.Argument(help=", ".join(NAMES))],
    sizes: Annotated[str, typer.Option(help="players: how many, divided by commas.")] = "1,8,16,32,48",
    seconds: Annotated[float, typer.Option(min=7, help="players, times: how long each number is measured.")] = 12.0,
    games: Annotated[str, typer.Option(help="certify: ids or families, divided by commas; none: all.")] = "",
    minutes: Annotated[float, typer.Option(min=0.1, help="endurance: how long is played.")] = 10.0,
    play: Annotated[float, typer.Option(min=1, help="certify: seconds of play of each game.")] = 30.0,
    delays: Annotated[str, typer.Option(help="latency: round trips in ms, divided by commas.")] = "0,40,80,150,300",
    presses: Annotated[int, typer.Option(min=1, help="latency: of a key, for each row.")] = 60,
    scripted: Annotated[int, typer.Option(min=0, help="latency: players without a browser; 0: no CPU.")] = 16,
    folder: Annotated[Path, typer.Option(help="Where the JSON goes.")] = RESULTS,
) -> None:
    """Measure one thing, in under two minutes (latency: six; endurance: ten; certify, all games: twenty)."""
    if name not in NAMES:
        raise typer.BadParameter(f"there is no benchmark {name!r}; there are: {', '.join(NAMES)}")
    options: dict[str, dict[str, Any]] = {
        "players": {"sizes": tuple(map(int, sizes.split(","))), "seconds": seconds},
        "latency": {
            "delays": tuple(map(int, delays.split(","))),
            "presses": presses,
            "seconds": seconds,
            "players": scripted,
        },
        "endurance": {"minutes": minutes, "every": min(60.0, 60 * minutes)},
        "times": {"seconds": seconds},
        "certify": {"games": tuple(filter(None, games.split(","))), "play_seconds": play},
    }
    report: Report = importlib.import_module(f"benchmarks.{name}").run(**options.get(name, {}))
    path = report.save(folder)
    typer.echo(report.markdown())
    typer.echo(f"\nwritten: {path}", err=True)


if __name__ == "__main__":
    typer.run(main)
