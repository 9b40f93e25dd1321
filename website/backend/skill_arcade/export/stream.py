"""An export as one ZIP file that is made while it is read, in a process of its own: `python -m` this.

On standard input, a line of JSON: the settings, and what is wanted. On standard output, the ZIP, no faster than it is
read; when nobody reads any more, the process ends. On standard error, lines of JSON: how far it is, or what is wrong.
At any time there is one part of the export on the disk and a piece of it in memory, however much is wanted.
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

from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.errors import ArcadeError
from skill_arcade.export.formats import find_format
from skill_arcade.export.plan import Plan, make_plan
from skill_arcade.export.run import WORK_DIR, export_part, finish_export
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings

CHUNK_BYTES = 1 << 18
"""Size of the pieces in which a download is sent."""
# Others play on the same processors.
NICE = 10

Progress = Callable[[dict[str, Any]], None]


def stream_export(dataset: Dataset, wanted: ExportSelection, pipe: BinaryIO, tell: Progress) -> None:
    """Write the export into `pipe` as a ZIP, part by part, and tell how far it is.

    Raises:
        InvalidRequest: nothing fits.
        RecordingDamaged: an episode is not whole.
    """
    find_format(wanted.format)
    found = dataset.episodes(user=wanted.user_id, where=wanted.to_sql)
    where = wanted.to_sql if wanted.user_id is None else f"{wanted.to_sql}\n  AND player_id = '(who asked)'"
    plan = make_plan(wanted.format, where, found, part_steps=getattr(find_format(wanted.format), "part_steps", None))
    done = 0
    tell({"episodes": done, "of": plan.n_episodes})
    with tempfile.TemporaryDirectory(prefix="skill-arcade-export-") as place:
        out = Path(place)
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
            for part in plan.parts:
                export_part(dataset, plan, part, out)
                _take_in(archive, plan, wanted, out)
                done += len(part.episodes)
                tell({"episodes": done, "of": plan.n_episodes})
            finish_export(plan, out)
            _take_in(archive, plan, wanted, out)
        pipe.flush()


def _take_in(archive: zipfile.ZipFile, plan: Plan, wanted: ExportSelection, out: Path) -> None:
    """Move all files that are in place into the ZIP. They are compressed already, mostly: it only holds them."""
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name = path.relative_to(out)
        if name.parts[0] == WORK_DIR:
            continue
        entry = zipfile.ZipInfo(f"{wanted.name}/{name.as_posix()}", _zip_time(plan))
        entry.external_attr = 0o644 << 16
        with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(CHUNK_BYTES):
                target.write(piece)
        path.unlink()


def _zip_time(plan: Plan) -> tuple[int, int, int, int, int, int]:
    day, _, clock = plan.time_created.partition("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = (int(part) for part in clock[:8].split(":"))
    return year, month, date, hour, minute, second


def main() -> None:
    """Make what standard input asks for. Exit code 1: standard error says why, in a sentence."""

    def tell(what: dict[str, Any]) -> None:
        sys.stderr.write(json.dumps(what) + "\n")
        sys.stderr.flush()

    # Only the ZIP goes there, whatever a library prints.
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Turned into an exception, so that what is on the disk is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.nice(NICE)
    asked = json.loads(sys.stdin.buffer.readline())
    settings, wanted = Settings(_env_file=None, **asked["settings"]), ExportSelection.model_validate(asked["wanted"])
    try:
        with open_dataset(settings=settings) as dataset:
            stream_export(dataset, wanted, pipe, tell)
    except BrokenPipeError:
        # Nobody reads any more. Without this, Python says so once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())
    except ArcadeError as error:
        tell({"status": error.status, "error": type(error).__name__, "message": str(error)})
        sys.exit(1)


if __name__ == "__main__":
    main()
