"""Streams an export as a ZIP file from a process of its own (`python -m skill_arcade.export.stream`).

Standard input has one line of JSON with the settings and the selection. Standard output is the ZIP. It is written at
the speed of the reader, and the process exits when the reader closes it. Standard error has lines of JSON with the
progress or an error. At any time at most one part of the export is on disk and one chunk of it is in memory.
"""

import json
import os
import signal
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from skill_arcade.child_processes import limit_memory
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.errors import ArcadeError, InvalidRequest
from skill_arcade.export.formats import find_format
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import WORK_DIR, export_part, finish_export, plan_episodes
from skill_arcade.export.saved_datasets import Reference, check_still_whole, find_version, plan_version
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings
from skill_arcade.storage.database.consents import RESEARCH

CHUNK_BYTES = 1 << 18
"""Size of the chunks in which files are copied to the ZIP."""
# Lower CPU priority than games on the same machine.
NICENESS = 10

Progress = Callable[[dict[str, Any]], None]


def stream_export(dataset: Dataset, selection: ExportSelection, pipe: BinaryIO, report: Progress) -> None:
    """Write the export to `pipe` as a ZIP, part by part, and report the progress.

    Episodes that cannot be exported are left out; the reports name them.

    Raises:
        InvalidRequest: no episode matches.
    """
    find_format(selection.format)
    if selection.dataset is not None:
        version = find_version(dataset, Reference(selection.dataset, selection.version))
        plan = plan_version(dataset, selection.format, version)
        _stream_plan(dataset, plan, selection, pipe, report, lambda: check_still_whole(dataset, version))
        return
    # Players get all of their own episodes; everybody else's must allow research.
    scope = None if selection.user_id is not None else RESEARCH
    episodes = dataset.episodes(user=selection.user_id, where=selection.to_sql, scope=scope)
    n_without = 0 if scope is None else dataset.count_without(scope, selection.to_sql)
    where = (
        selection.to_sql
        if selection.user_id is None
        else f"{selection.to_sql}\n  AND player_id = '(requesting player)'"
    )
    plan = plan_episodes(selection.format, where, episodes, scope=scope, n_without_consent=n_without)
    _stream_plan(dataset, plan, selection, pipe, report)


def _stream_plan(
    dataset: Dataset,
    plan: Plan,
    selection: ExportSelection,
    pipe: BinaryIO,
    report: Progress,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write an export. `check` raises after the last part if the ZIP must not be complete."""
    done = 0
    n_without = 0 if plan.dataset is not None else plan.n_without_consent
    report({"episodes": done, "of": plan.n_episodes, "without_consent": n_without})
    with tempfile.TemporaryDirectory(prefix="skill-arcade-export-") as temporary_folder:
        out = Path(temporary_folder)
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
            for part in plan.parts:
                left_out = export_part(dataset, plan, part, out).left_out
                _move_to_archive(archive, plan, selection, out)
                done += len(part.episodes) - len(left_out)
                report({"episodes": done, "of": plan.n_episodes, "left_out": left_out})
            check()
            finish_export(plan, out)
            _move_to_archive(archive, plan, selection, out)
        pipe.flush()


def _move_to_archive(archive: zipfile.ZipFile, plan: Plan, selection: ExportSelection, out: Path) -> None:
    """Move all finished files to the ZIP, without compression, because most of them are compressed already."""
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name = path.relative_to(out)
        if name.parts[0] == WORK_DIR:
            continue
        entry = zipfile.ZipInfo(f"{selection.name}/{name.as_posix()}", _zip_time(plan))
        entry.external_attr = 0o644 << 16
        with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
        path.unlink()


def _zip_time(plan: Plan) -> tuple[int, int, int, int, int, int]:
    day, _, clock = plan.time_created.partition("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = (int(part) for part in clock[:8].split(":"))
    return year, month, date, hour, minute, second


def main() -> None:
    """Run the export that standard input requests. Exit code 1 means that standard error has an error."""

    def report(message: dict[str, Any]) -> None:
        sys.stderr.write(json.dumps(message) + "\n")
        sys.stderr.flush()

    # Standard output is reserved for the ZIP; output of libraries goes to standard error.
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # As an exception, so that temporary files are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.nice(NICENESS)
    request = json.loads(sys.stdin.buffer.readline())
    settings, selection = (
        Settings(_env_file=None, **request["settings"]),
        ExportSelection.model_validate(request["wanted"]),
    )
    limit_memory(settings.export_memory_mb)
    try:
        with open_dataset(settings=settings) as dataset:
            stream_export(dataset, selection, pipe, report)
    except MemoryError:
        message = (
            f"The download needs more than the {settings.export_memory_mb} MB of memory that it may use. Choose fewer "
            "episodes or another format."
        )
        report({"error": InvalidRequest.__name__, "message": message})
        sys.exit(1)
    except BrokenPipeError:
        # The reader has closed the pipe. Without this line Python would report the error again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())
    except ArcadeError as error:
        report({"error": type(error).__name__, "message": str(error)})
        sys.exit(1)


if __name__ == "__main__":
    main()
