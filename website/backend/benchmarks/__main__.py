"""Run a benchmark: `uv run python -m benchmarks NAME`. It prints a table and writes results/NAME.json."""

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.report import RESULTS, Report

NAMES = (
    "players",
    "ticks",
    "servers",
    "frames",
    "uploader",
    "cost",
    "certify",
    "certifiers",
    "latency",
    "sound",
    "times",
    "minutes",
    "endurance",
    "controls",
    "replay",
    "boards",
    "spectators",
    "ghost",
    "laws",
    "programs",
    "paces",
    "dashboard",
    "drawing",
    "branches",
    "archive",
)


def main(
    name: Annotated[str, typer.Argument(help=", ".join(NAMES))],
    sizes: Annotated[
        str, typer.Option(help="players, servers: numbers of players, separated by commas.")
    ] = "1,8,16,32,48",
    servers: Annotated[int, typer.Option(min=1, max=4, help="servers: number of servers.")] = 3,
    seconds: Annotated[
        float,
        typer.Option(min=7, help="players, servers, times, latency, spectators, ghost: seconds of each measurement."),
    ] = 12.0,
    games: Annotated[str, typer.Option(help="certify: ids or families, separated by commas (default: all).")] = "",
    minutes: Annotated[float, typer.Option(min=0.1, help="endurance, replay: minutes of play.")] = 10.0,
    play: Annotated[float, typer.Option(min=1, help="certify: seconds of play of each game.")] = 30.0,
    delays: Annotated[
        str, typer.Option(help="latency: round-trip times in ms, separated by commas.")
    ] = "0,40,80,150,300",
    presses: Annotated[int, typer.Option(min=1, help="latency: key presses for each row.")] = 60,
    scripted: Annotated[int, typer.Option(min=0, help="latency: scripted players for the CPU; 0 leaves it out.")] = 16,
    episodes: Annotated[int, typer.Option(min=1000, help="boards: number of generated episodes.")] = 1_000_000,
    generated: Annotated[int, typer.Option(min=1000, help="dashboard, drawing: generated episodes.")] = 100_000,
    transitions: Annotated[int, typer.Option(min=4000, help="archive: number of generated transitions.")] = 20_000_000,
    aligned: Annotated[bool, typer.Option(help="players: each asks for a random phase, as displays do.")] = False,
    per_process: Annotated[int, typer.Option(min=1, help="ticks: games in one process.")] = 4,
    folder: Annotated[Path, typer.Option(help="Folder for the JSON file.")] = RESULTS,
) -> None:
    """Run one benchmark. Most take less than 2 min, latency 6 min, endurance 10 min, certify with all games 20 min."""
    if name not in NAMES:
        raise typer.BadParameter(f"unknown benchmark {name!r}, expected one of: {', '.join(NAMES)}")
    options: dict[str, dict[str, Any]] = {
        "players": {"sizes": tuple(map(int, sizes.split(","))), "seconds": seconds, "is_aligned": aligned},
        "ticks": {"games_per_process": per_process, "seconds": seconds},
        "servers": {
            "n_servers": servers,
            "sizes": tuple(map(int, sizes.split(","))),
            "seconds": seconds,
        },
        "latency": {
            "delays": tuple(map(int, delays.split(","))),
            "presses": presses,
            "seconds": seconds,
            "players": scripted,
        },
        "endurance": {"minutes": minutes, "every": min(60.0, 60 * minutes)},
        "replay": {"minutes": minutes},
        "boards": {"episodes": episodes},
        "dashboard": {"episodes": generated},
        "drawing": {"episodes": generated},
        "archive": {"transitions": transitions},
        "times": {"seconds": seconds},
        "spectators": {"seconds": seconds},
        "ghost": {"seconds": seconds},
        "certify": {"games": tuple(filter(None, games.split(","))), "play_seconds": play},
    }
    report: Report = importlib.import_module(f"benchmarks.{name}").run(**options.get(name, {}))
    path = report.save(folder)
    typer.echo(report.markdown())
    typer.echo(f"\nwritten: {path}", err=True)


if __name__ == "__main__":
    typer.run(main)
