"""Runs an export part by part, resumably and in any number of processes."""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.dataset_card import write_card
from skill_arcade.export.episode_facts import describe_episode
from skill_arcade.export.formats import FormatName, Report, find_format
from skill_arcade.export.plan import Part, Plan, make_plan
from skill_arcade.ray_jobs import run_on_ray
from skill_arcade.settings import Settings
from skill_arcade.shards import Shard

WORK_DIR = ".export"
ENDED_SQL = "time_ended IS NOT NULL"


def open_plan(dataset: Dataset, format_: FormatName, where: str | None, out: Path) -> Plan:
    """Create the plan of an export to `out`, or read the existing one.

    Raises:
        InvalidRequest: `out` has other contents, or there is nothing to export.
    """
    path = out / WORK_DIR / "plan.json"
    if path.exists():
        plan = Plan.read(path)
        if (plan.format, plan.where) != (format_, where):
            raise InvalidRequest(
                f"{out} has an unfinished export of {plan.where or 'all episodes'} as {plan.format}: repeat the same "
                "command to resume it, or give another folder."
            )
        return plan
    if out.exists() and any(out.iterdir()):
        raise InvalidRequest(f"{out} is not empty: give a new folder.")
    condition = ENDED_SQL if where is None else f"{ENDED_SQL} AND (\n{where}\n)"
    plan = make_plan(
        format_, where, dataset.episodes(where=condition), part_steps=getattr(find_format(format_), "part_steps", None)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    plan.write(path)
    return plan


def read_plan(out: Path) -> Plan:
    """Return the existing plan in `out`. Raises InvalidRequest if there is none."""
    path = out / WORK_DIR / "plan.json"
    if not path.exists():
        raise InvalidRequest(f"{out} has no unfinished export: begin it with --plan, once, before the shards.")
    return Plan.read(path)


def missing_parts(plan: Plan, out: Path, shard: Shard | None = None) -> list[Part]:
    """Return the parts that are not finished, of one shard or of all (`shard` None)."""
    return [
        part
        for part in plan.parts
        if (shard is None or shard.contains_number(part.number)) and not _report_path(out, part.number).exists()
    ]


def export_part(dataset: Dataset, plan: Plan, part: Part, out: Path) -> None:
    """Write a part and move it into place. The operation is idempotent and can be repeated after an interruption.

    Raises:
        RecordingDamaged: an episode is damaged. No file of the part is moved into place then.
    """
    work = out / WORK_DIR / f"part-{part.number:06d}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    facts: list[dict[str, Any]] = []

    def iterate_episodes() -> Iterator[Any]:
        for place, id_ in enumerate(part.episodes):
            exported = describe_episode(part.first + place, dataset.episode(id_), plan.key)
            facts.append(exported.facts)
            yield exported

    more = find_format(FormatName(plan.format)).write_part(part, plan.groups[part.group], iterate_episodes(), work)
    files = {}
    for path in sorted(file for file in work.rglob("*") if file.is_file()):
        name = path.relative_to(work).as_posix()
        files[name] = describe_file(path)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        path.replace(out / name)
    shutil.rmtree(work)
    report = _report_path(out, part.number)
    temporary = report.with_suffix(".fresh")
    temporary.write_text(json.dumps(asdict(Report(part, files, facts, more))))
    temporary.replace(report)


def export_parts(
    settings: Settings, plan: Plan, out: Path, jobs: int, *, shard: Shard | None = None, ray: str | None = None
) -> Iterator[Part]:
    """Write all missing parts (of a shard) in `jobs` processes, and yield each finished part.

    `ray` is the address of a Ray cluster whose machines all mount `out` at the same path; None uses local processes.
    """
    missing = missing_parts(plan, out, shard)
    if ray is not None:
        # An absolute path, because the working directory differs between machines.
        yield from run_on_ray(ray, partial(export_alone, settings, plan, out.absolute()), missing, workers=jobs)
        return
    if jobs == 1:
        with open_dataset(settings=settings) as dataset:
            for part in missing:
                export_part(dataset, plan, part, out)
                yield part
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _open_worker, (settings, plan, out)) as pool:
        try:
            for future in as_completed([pool.submit(_export_part, part) for part in missing]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def finish_export(plan: Plan, out: Path) -> dict[str, Any]:
    """Write the files that describe all parts together: the format's index, the dataset card and finally the manifest.

    The files of parts need not exist any more: they were described when they were finished. The plan is deleted at the
    end, together with the key that links pseudonyms to players.

    Raises:
        InvalidRequest: parts are missing.
    """
    if missing := missing_parts(plan, out):
        raise InvalidRequest(f"{len(missing)} of {len(plan.parts)} parts are missing in {out}: export them first.")
    reports = [_read_report(out, part.number) for part in plan.parts]
    format_ = find_format(FormatName(plan.format))
    files = {name: described for report in reports for name, described in report.files.items()}
    format_.finish(plan, reports, out)
    write_card(plan, format_, reports, out)
    for path in out.rglob("*"):
        name = path.relative_to(out)
        if path.is_file() and name.parts[0] != WORK_DIR and name.as_posix() not in files:
            files[name.as_posix()] = describe_file(path)
    manifest = {
        "format": plan.format,
        "query": plan.where or "every ended episode",
        "time_created": plan.time_created,
        "skill_arcade": plan.skill_arcade,
        "episodes": plan.n_episodes,
        "steps": sum(facts["steps"] for report in reports for facts in report.facts),
        "players": len({facts["player_id"] for report in reports for facts in report.facts}),
        "files": {name: files[name] for name in sorted(files)},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(out / WORK_DIR)
    return manifest


def describe_file(path: Path) -> dict[str, Any]:
    """Return the SHA-256 (in hexadecimal) and the size in bytes of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _report_path(out: Path, number: int) -> Path:
    return out / WORK_DIR / f"done-{number:06d}.json"


def _read_report(out: Path, number: int) -> Report:
    fields = json.loads(_report_path(out, number).read_text())
    return Report(**{**fields, "part": Part(**fields["part"])})


def export_alone(settings: Settings, plan: Plan, out: Path, part: Part) -> Part:
    """Write a part with a dataset that this call opens and closes."""
    with open_dataset(settings=settings) as dataset:
        export_part(dataset, plan, part, out)
    return part


_worker: tuple[Dataset, Plan, Path] | None = None


def _open_worker(settings: Settings, plan: Plan, out: Path) -> None:
    global _worker  # noqa: PLW0603 - set once per worker process
    _worker = open_dataset(settings=settings), plan, out


def _export_part(part: Part) -> Part:
    assert _worker is not None
    dataset, plan, out = _worker
    export_part(dataset, plan, part, out)
    return part
