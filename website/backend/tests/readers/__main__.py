"""Loads exports of every game with every library, and trains with some: `python -m tests.readers --games all`.

Each library is installed in an environment of its own in the cache. The result is `website/docs/exports.md`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import skill_arcade.dataset as sa
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import ENDED_SQL, export_parts, finish_export, list_left_out, open_plan
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.settings import Settings
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.readers.preferences import write_preferences
from tests.readers.recordings import REPRESENTATIVE_GAMES, record_games
from tests.readers.source import write_sources
from tests.support.consent import include_rows_without_consent
from tests.support.database import temporary_home
from tests.support.exported_env import CASES

BACKEND = Path(__file__).parents[2]
PAGE = BACKEND.parent / "docs" / "exports.md"
CACHE = Path.home() / ".cache" / "skill-arcade-readers"
"""Default folder of the environments, several GB. They are kept, because they take minutes to install."""
MARKER = "<!-- generated: python -m tests.readers -->"
NAMES_VARIABLE = "READER_ENVIRONMENTS"
"""Variable with the names of environments, for the nightly workflow, which runs each in a job of its own."""
TRAINED_GAMES = ("breakout", "minigrid-door-key", "lunar-lander-continuous")
TRAINING_SECONDS = 900


@dataclass(frozen=True)
class Environment:
    """A Python environment: packages to install, readers with their formats, and the packages whose versions count."""

    name: str
    packages: tuple[str, ...]
    readers: tuple[tuple[str, FormatName], ...]
    versions: tuple[str, ...]
    trains_on: tuple[FormatName, ...] = ()

    @property
    def formats(self) -> tuple[FormatName, ...]:
        """Formats that the readers and the trainings need."""
        return (*(format_ for _, format_ in self.readers), *self.trains_on)


ENVIRONMENTS = (
    Environment("minari", ("minari", "pyarrow", "pillow"), (("minari", FormatName.minari),), ("minari",)),
    Environment(
        "datasets3",
        ("datasets==3.6.0", "pillow", "duckdb", "polars"),
        (("hf", FormatName.hf), ("parquet", FormatName.parquet)),
        ("datasets", "pyarrow", "duckdb", "polars"),
    ),
    Environment("datasets4", ("datasets>=4,<5", "pillow"), (("hf", FormatName.hf),), ("datasets",)),
    Environment(
        "datasets5",
        ("datasets>=5,<6", "pillow", "mlcroissant"),
        (("hf", FormatName.hf),),
        ("datasets", "mlcroissant"),
    ),
    Environment(
        "tfds",
        ("tensorflow-cpu", "tensorflow-datasets"),
        (("rlds", FormatName.rlds),),
        ("tensorflow-datasets", "tensorflow-cpu"),
    ),
    Environment(
        "lerobot",
        ("lerobot",),
        (("lerobot", FormatName.lerobot), ("hf", FormatName.hf)),
        ("lerobot", "torch", "datasets"),
    ),
    Environment(
        "d3rlpy",
        ("d3rlpy", "minari", "pyarrow", "pillow"),
        (),
        ("d3rlpy", "minari", "torch"),
        trains_on=(FormatName.minari,),
    ),
    Environment("imitation", ("imitation==1.0.1", "pyarrow"), (), ("imitation", "gymnasium", "torch")),
    Environment(
        "agents",
        ("gymnasium", "ale-py", "opencv-python-headless"),
        (),
        ("gymnasium", "ale-py", "opencv-python-headless"),
    ),
)


@dataclass
class Result:
    """What one reader found: groups that are right, and groups that are not, with the reason."""

    reader: str
    format: FormatName
    versions: str
    right: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def main() -> None:
    """Run the matrix. Exit code 1 means that a reader or a training failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the environments, outside of the project")
    parser.add_argument("--games", choices=("all", "representative"), default="representative")
    parser.add_argument("--environment", action="append", choices=[one.name for one in ENVIRONMENTS])
    parser.add_argument("--steps", type=int, default=40, help="steps of each game, at least")
    arguments = parser.parse_args()
    names = arguments.environment or os.environ.get(NAMES_VARIABLE, "").split()
    chosen = [one for one in ENVIRONMENTS if not names or one.name in names]
    for environment in chosen:
        install(environment, arguments.cache)
    games = list(load_catalogue().games) if arguments.games == "all" else list(REPRESENTATIVE_GAMES)
    results: list[Result] = []
    trained: list[tuple[str, str]] = []
    left_out: dict[FormatName, dict[str, str]] = {}
    with temporary_home() as home, tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for format_ in export_all(home, games, arguments.steps, folder, chosen, left_out):
            for environment in chosen:
                for reader, of in environment.readers:
                    if of == format_:
                        results.append(read(environment, reader, of, folder, arguments.cache, left_out[of]))
                        print_progress(
                            f"{environment.name} {reader}: {len(results[-1].right)} right, {results[-1].wrong}"
                        )
        if any(environment.name == "imitation" for environment in chosen):
            export_preferences(folder / "preferences")
        trained += train(chosen, folder, arguments.cache)
        if not names:
            write_page(results, trained, left_out, games)
    if any(result.wrong for result in results) or any(outcome != "passed" for _, outcome in trained):
        sys.exit(1)


def install(environment: Environment, cache: Path) -> None:
    """Create an environment unless it is there with these packages."""
    folder, stamp = cache / environment.name, cache / environment.name / "packages.json"
    if stamp.exists() and json.loads(stamp.read_text()) == list(environment.packages):
        return
    print_progress(f"installing {', '.join(environment.packages)}")
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *environment.packages], check=True)
    stamp.write_text(json.dumps(list(environment.packages)))


def export_all(
    home: Path,
    games: list[str],
    steps: int,
    folder: Path,
    chosen: list[Environment],
    left_out: dict[FormatName, dict[str, str]],
) -> Iterator[FormatName]:
    """Record the games, export them in every format that has a reader, and yield each finished format."""
    server = EmbeddedPostgres(home / "postgres")
    try:
        url = server.server.url()
        migrate_sync(url)
        include_rows_without_consent(url)
        others = [name for name in games if name not in REPRESENTATIVE_GAMES]
        record_games(url, home, REPRESENTATIVE_GAMES, steps=60)
        record_games(url, home, others, steps=steps, episodes=1, has_odd=False)
        settings = Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))
        with sa.open(settings=settings) as dataset:
            write_sources(dataset.episodes(where=ENDED_SQL), folder / "sources")
            for format_ in dict.fromkeys(of for environment in chosen for of in environment.formats):
                print_progress(f"exporting {format_}")
                plan = open_plan(dataset, format_, None, folder / format_)
                list(export_parts(settings, plan, folder / format_, jobs=1))
                left_out[format_] = {one["group"]: one["reason"] for one in list_left_out(plan, folder / format_)}
                finish_export(plan, folder / format_)
                yield format_
    finally:
        server.close()


def export_preferences(folder: Path) -> None:
    """Write an export of judgements, with its source values, from a database of its own."""
    folder.mkdir()
    with temporary_home() as home:
        server = EmbeddedPostgres(home / "postgres")
        try:
            url = server.server.url()
            migrate_sync(url)
            include_rows_without_consent(url)
            write_preferences(url, home, folder)
        finally:
            server.close()


def read(
    environment: Environment, reader: str, format_: FormatName, folder: Path, cache: Path, left_out: dict[str, str]
) -> Result:
    """Run a reader on all groups of an export."""
    result = Result(reader, format_, find_versions(environment, cache))
    groups = [name for name in list_groups(folder, format_) if name not in left_out]
    command = [str(cache / environment.name / "bin" / "python"), "-m", f"readers.read_{reader}"]
    paths = [str(folder / format_), str(folder / "sources")]
    run = subprocess.run(
        [*command, *paths, *groups],
        capture_output=True,
        text=True,
        check=False,
        cwd=BACKEND / "tests",
        env=quiet(folder),
    )
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('{"group"')]
    found = {line.pop("group"): line for line in lines}
    for group in groups:
        line = found.get(group, {"error": f"no result: {run.stderr[-300:]}"})
        if "error" in line:
            result.wrong[group] = line["error"]
        else:
            result.right[group] = line
    return result


def quiet(folder: Path) -> dict[str, str]:
    """Return variables for readers: no network, no warnings, caches in the work folder."""
    return {
        **os.environ,
        "HF_HOME": str(folder / "hf-home"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }


def list_groups(folder: Path, format_: FormatName) -> list[str]:
    """Return the groups of an export: the games, which have the same names in all formats."""
    manifest = json.loads((folder / format_ / "manifest.json").read_text())
    return sorted(manifest["groups"])


def find_versions(environment: Environment, cache: Path) -> str:
    """Return names and versions of the packages that count."""
    code = "import sys; from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in sys.argv[1:]))"
    command = [str(cache / environment.name / "bin" / "python"), "-c", code, *environment.versions]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def train(chosen: list[Environment], folder: Path, cache: Path) -> list[tuple[str, str]]:
    """Train with the exports; return a description and `passed`, or the end of the output."""
    names = {environment.name for environment in chosen}
    runs: list[tuple[str, list[str]]] = []
    if "lerobot" in names:
        options = "--policy.type=act --policy.push_to_hub=false --policy.device=cpu --steps=1 --batch_size=2"
        options += " --num_workers=0 --save_checkpoint=false --policy.pretrained_backbone_weights=null"
        for game in TRAINED_GAMES:
            data = [f"--dataset.repo_id=skill-arcade/{game}", f"--dataset.root={folder / 'lerobot' / game}"]
            program = str(cache / "lerobot" / "bin" / "lerobot-train")
            command = [program, *data, *options.split(), f"--output_dir={folder / 'trained' / game}"]
            runs.append((f"`lerobot-train --policy.type=act --steps=1`, {game}", command))
    if "d3rlpy" in names:
        script = str(BACKEND / "tests" / "readers" / "train_d3rlpy.py")
        python = str(cache / "d3rlpy" / "bin" / "python")
        runs.append(("d3rlpy `DiscreteBC`, 10 steps, cart-pole", [python, script, str(folder / "minari"), "cart-pole"]))
    if "agents" in names:
        command = [str(cache / "agents" / "bin" / "python"), str(BACKEND / "tests" / "readers" / "read_agent_view.py")]
        runs.append(("`agent_view` equals the wrappers of Gymnasium, 5 games", command))
    if "imitation" in names:
        script = str(BACKEND / "tests" / "readers" / "read_preferences.py")
        python = str(cache / "imitation" / "bin" / "python")
        description = "imitation `PreferenceDataset` has the judgements, and a reward is learned from it"
        runs.append((description, [python, script, str(folder / "preferences")]))
    results = []
    for description, command in runs:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=quiet(folder),
            timeout=TRAINING_SECONDS,
        )
        results.append((description, "passed" if run.returncode == 0 else (run.stderr or run.stdout)[-300:]))
        print_progress(f"{description}: {results[-1][1]}")
    return results


def write_page(
    results: list[Result],
    trained: list[tuple[str, str]],
    left_out: dict[FormatName, dict[str, str]],
    games: list[str],
) -> None:
    """Write the generated part of the page."""
    rows = [f"{len(games)} games and {len(CASES)} odd environments, on {datetime.now(UTC):%Y-%m-%d}.", ""]
    rows += [
        "| format | read with | games right | games wrong | left out | episodes | steps |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        counts = [sum(one[name] for one in result.right.values()) for name in ("episodes", "steps")]
        cells = [result.format, result.versions, len(result.right), len(result.wrong)]
        rows.append("| " + " | ".join(map(str, [*cells, len(left_out[result.format]), *counts])) + " |")
    rows += ["", "Trained with, on the CPU:", "", "| training | result |", "|---|---|"]
    rows += [f"| {description} | {clean(outcome)} |" for description, outcome in trained]
    problems = [(one.format, group, reason) for one in results for group, reason in one.wrong.items()]
    problems += [
        (of, group, f"left out: {reason}") for of, groups in left_out.items() for group, reason in groups.items()
    ]
    if problems:
        rows += ["", "Exceptions:", "", "| format | game | reason |", "|---|---|---|"]
        rows += [f"| {of} | {group} | {clean(reason)} |" for of, group, reason in problems]
    before = PAGE.read_text().partition(MARKER)[0]
    PAGE.write_text(f"{before}{MARKER}\n\n" + "\n".join(rows) + "\n")


def clean(text: str) -> str:
    """Return a text that fits into a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")[:400]


def print_progress(text: str) -> None:
    """Print a line with the time."""
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
