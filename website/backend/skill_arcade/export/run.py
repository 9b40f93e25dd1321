"""Runs an export part by part, resumably and in any number of processes.

An episode that cannot be exported is left out: the part is written again without it, and its report has the reason.
"""

import hashlib
import json
import logging
import multiprocessing
import re
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.durable_files import replace_file
from skill_arcade.errors import ArcadeError, ConsentRequired, InvalidRequest, NotReady, SettingsError
from skill_arcade.export.dataset_card import write_card
from skill_arcade.export.dataset_files import describe_version, write_dataset_files
from skill_arcade.export.episode_facts import ExportedEpisode, describe_episode
from skill_arcade.export.formats import FormatName, Report, find_format
from skill_arcade.export.plan import Part, Plan, Saved, make_plan
from skill_arcade.ray_jobs import run_on_ray
from skill_arcade.settings import Settings
from skill_arcade.shards import Shard
from skill_arcade.storage.database.consents import RESEARCH
from skill_arcade.storage.database.dataset_versions import find_named_ids, make_pseudonym

log = logging.getLogger(__name__)

WORK_DIR = ".export"
PLAN_NAME = "plan.json"
ENDED_SQL = "time_ended IS NOT NULL"
OUTAGES = (NotReady, SettingsError, OSError, MemoryError)
"""Errors that no single episode causes, such as a database that does not answer or a full disk. They end the export."""


def open_plan(
    dataset: Dataset,
    format_: FormatName,
    where: str | None,
    out: Path,
    *,
    test_fraction: float | None = None,
    scope: str = RESEARCH,
) -> Plan:
    """Create the plan of an export to `out`, or read the existing one.

    Raises:
        InvalidRequest: `out` has other contents, there is nothing to export, or the format has no splits.
    """
    if (plan := find_plan(out)) is not None:
        if (plan.format, plan.where, plan.test_fraction, plan.scope) != (format_, where, test_fraction, scope):
            raise other_plan(plan, out)
        return plan
    condition = ENDED_SQL if where is None else f"{ENDED_SQL} AND (\n{where}\n)"
    episodes = dataset.episodes(where=condition, scope=scope)
    n_without_consent = dataset.count_without(scope, condition)
    plan = plan_episodes(format_, where, episodes, test_fraction, scope=scope, n_without_consent=n_without_consent)
    if where is not None:
        plan = replace(plan, published_where=_redact_ids(dataset, where))
    write_plan(plan, out)
    return plan


def _redact_ids(dataset: Dataset, where: str) -> str:
    """Return a condition without ids of players and episodes, which the files of the export use pseudonyms for."""
    named = dataset.source.run(lambda connection: find_named_ids(connection, where))
    return re.sub(r"[\w-]+", lambda word: named.get(word[0], word[0]), where)


def find_plan(out: Path) -> Plan | None:
    """Return the plan of an unfinished export in `out`, or None. Raises InvalidRequest if `out` has other contents."""
    path = out / WORK_DIR / PLAN_NAME
    if path.exists():
        return Plan.read(path)
    if out.exists() and any(out.iterdir()):
        raise InvalidRequest(f"{out} is not empty: give a new folder.")
    return None


def other_plan(plan: Plan, out: Path) -> InvalidRequest:
    """Return the error that `out` has an unfinished export of something else."""
    name = plan.where or "all episodes"
    if plan.dataset is not None:
        name = f"{plan.dataset['name']}@{plan.dataset['version']}"
    return InvalidRequest(
        f"{out} has an unfinished export of {name} as {plan.format}: repeat the same command to resume it, or give "
        "another folder."
    )


def write_plan(plan: Plan, out: Path) -> None:
    """Write the plan of an export to its folder, which is created."""
    path = out / WORK_DIR / PLAN_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    plan.write(path)


def plan_episodes(
    format_: FormatName,
    where: str | None,
    episodes: Iterable[Episode],
    test_fraction: float | None = None,
    *,
    scope: str | None = RESEARCH,
    n_without_consent: int = 0,
    saved: Saved | None = None,
) -> Plan:
    """Return the plan of these episodes, with the properties that their format asks for."""
    format_module = find_format(format_)
    if test_fraction is not None and not getattr(format_module, "has_splits", False):
        raise InvalidRequest(
            f"The format {format_} has no splits. Use hf, lerobot or rlds with --test-fraction, or divide the episodes "
            "by player_id after loading."
        )
    return make_plan(
        format_,
        where,
        episodes,
        test_fraction=test_fraction,
        part_steps=getattr(format_module, "part_steps", None),
        has_reference=getattr(format_module, "has_reference", True),
        has_tasks=getattr(format_module, "has_tasks", False),
        scope=scope,
        n_without_consent=n_without_consent,
        saved=saved,
    )


def read_plan(out: Path) -> Plan:
    """Return the existing plan in `out`. Raises InvalidRequest if there is none."""
    path = out / WORK_DIR / PLAN_NAME
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


def export_part(dataset: Dataset, plan: Plan, part: Part, out: Path) -> Report:
    """Write a part and move it into place. The operation is idempotent and can be repeated after an interruption.

    Episodes that cannot be exported are left out.

    Raises:
        NotReady: the database or the object store does not answer. No file of the part is moved into place then.
    """
    work = out / WORK_DIR / f"part-{part.number:06d}"
    part = _shift(plan, out, part)
    left_out: dict[str, str] = {}
    while (result := _try_part(dataset, plan, part, work, left_out)) is None:
        pass
    facts, more = result
    files = {}
    for path in sorted(file for file in work.rglob("*") if file.is_file()):
        name = path.relative_to(work).as_posix()
        files[name] = describe_file(path)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        path.replace(out / name)
    shutil.rmtree(work)
    entries = [{"episode": id_, "reason": reason} for id_, reason in left_out.items()]
    report = Report(part, files, facts, more, entries)
    replace_file(_report_path(out, part.number), json.dumps(asdict(report)).encode())
    return report


def _try_part(
    dataset: Dataset, plan: Plan, part: Part, work: Path, left_out: dict[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Write a part to `work`; return its facts and the data of the format.

    If an episode cannot be written, it is added to `left_out` with the reason, and the return value is None.
    """
    facts: list[dict[str, Any]] = []
    current: list[str] = []

    def iterate_episodes() -> Iterator[ExportedEpisode]:
        for place, id_ in enumerate(part.episodes):
            if id_ not in left_out:
                current[:] = [id_]
                _check_consent(dataset, plan, id_)
                exported = describe_episode(part.first + place, dataset.episode(id_), plan.key, plan.frozen)
                facts.append(exported.facts)
                yield exported
        current.clear()

    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    if len(left_out) == len(part.episodes):
        return [], {}
    try:
        more = find_format(FormatName(plan.format)).write_part(part, plan.groups[part.group], iterate_episodes(), work)
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001  (any error of one episode)
        if not current:
            # The format wrote all episodes together, so each is tried on its own.
            _find_failures(dataset, plan, part, work, left_out)
            return None
        _leave_out(current[0], error, left_out)
        return None
    return facts, more


def _check_consent(dataset: Dataset, plan: Plan, id_: str) -> None:
    """Raise ConsentRequired if the player has withdrawn the scope since the plan was made."""
    if plan.scope is not None and not dataset.allows(UUID(id_), plan.scope):
        raise ConsentRequired(f"the player has withdrawn the consent to {plan.scope}")


def _find_failures(dataset: Dataset, plan: Plan, part: Part, work: Path, left_out: dict[str, str]) -> None:
    """Add the episodes that cannot be written alone to `left_out`. Raises InvalidRequest if there are none."""
    n_before = len(left_out)
    format_ = find_format(FormatName(plan.format))
    for place, id_ in enumerate(part.episodes):
        if id_ in left_out:
            continue
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            _check_consent(dataset, plan, id_)
            exported = describe_episode(part.first + place, dataset.episode(id_), plan.key, plan.frozen)
            format_.write_part(part, plan.groups[part.group], iter([exported]), work)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001  (any error of one episode)
            _leave_out(id_, error, left_out)
    if len(left_out) == n_before:
        raise InvalidRequest(
            f"The episodes of {part.group} cannot be exported together as {plan.format}, although each of them can be. "
            "Use the format parquet, or export fewer episodes with --where."
        )


def _leave_out(id_: str, error: Exception, left_out: dict[str, str]) -> None:
    reason = str(error) if isinstance(error, ArcadeError) else f"{type(error).__name__}: {error}"
    log.debug("cannot export episode, leaving it out episode_id=%s", id_, exc_info=error)
    left_out[id_] = reason


def _shift(plan: Plan, out: Path, part: Part) -> Part:
    """Return the part with offsets that do not count the episodes which earlier parts of its group left out.

    Parts that are not finished count as planned. `discard_stale_parts` corrects the result if that is wrong.
    """
    if not getattr(find_format(FormatName(plan.format)), "has_offsets", False):
        return part
    group = [other for other in plan.parts if other.group == part.group and other.place <= part.place]
    offset = offset_steps = 0
    for earlier, later in pairwise(group):
        report = _find_report(out, earlier.number)
        if report is None:
            offset += later.offset - earlier.offset
            offset_steps += later.offset_steps - earlier.offset_steps
        else:
            offset += len(report.facts)
            offset_steps += sum(facts["steps"] for facts in report.facts)
    return replace(part, offset=offset, offset_steps=offset_steps)


def discard_stale_parts(plan: Plan, out: Path) -> int:
    """Delete the finished parts whose offsets count episodes that were left out; return the number of these parts.

    They are missing afterwards. This must not run at the same time as an export to the same folder.
    """
    stale = [
        part
        for part in plan.parts
        if _report_path(out, part.number).exists() and _read_report(out, part.number).part != _shift(plan, out, part)
    ]
    for part in stale:
        for name in _read_report(out, part.number).files:
            (out / name).unlink(missing_ok=True)
    for part in stale:
        # Its number of episodes is still needed for the offsets of later parts.
        _report_path(out, part.number).replace(_stale_path(out, part.number))
    return len(stale)


def list_left_out(plan: Plan, out: Path) -> list[dict[str, Any]]:
    """Return the episodes that the finished parts left out, with their ids, games and reasons."""
    return [
        {**entry, "group": part.group}
        for part in plan.parts
        if _report_path(out, part.number).exists()
        for entry in _read_report(out, part.number).left_out
    ]


def export_parts(
    settings: Settings, plan: Plan, out: Path, jobs: int, *, shard: Shard | None = None, ray: str | None = None
) -> Iterator[Part]:
    """Write all missing parts (of a shard) in `jobs` processes, and yield each finished part.

    `ray` is the address of a Ray cluster whose machines all mount `out` at the same path; None uses local processes.
    """
    yield from _export_missing(settings, plan, out, jobs, shard=shard, ray=ray)
    while shard is None and discard_stale_parts(plan, out):
        yield from _export_missing(settings, plan, out, jobs, shard=shard, ray=ray)


def _export_missing(
    settings: Settings, plan: Plan, out: Path, jobs: int, *, shard: Shard | None, ray: str | None
) -> Iterator[Part]:
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
    left_out = [_publish_left_out(plan, entry) for entry in list_left_out(plan, out)]
    reports = [report for part in plan.parts if (report := _read_report(out, part.number)).facts]
    names = {report.part.group for report in reports}
    groups = {name: group for name, group in plan.groups.items() if name in names}
    plan = replace(plan, groups=groups, parts=[report.part for report in reports])
    format_ = find_format(FormatName(plan.format))
    files = {name: described for report in reports for name, described in report.files.items()}
    format_.finish(plan, reports, out)
    write_card(plan, format_, reports, left_out, out)
    if plan.dataset is not None:
        write_dataset_files(plan.dataset, out)
    for path in out.rglob("*"):
        name = path.relative_to(out)
        if path.is_file() and name.parts[0] != WORK_DIR and name.as_posix() not in files:
            files[name.as_posix()] = describe_file(path)
    manifest = {
        "format": plan.format,
        "query": plan.query or "every ended episode",
        "time_created": plan.time_created,
        "skill_arcade": plan.skill_arcade,
        "dataset": None if plan.dataset is None else describe_version(plan.dataset),
        "episodes": sum(len(report.facts) for report in reports),
        "consent": {"scope": plan.scope, "episodes_without": plan.n_without_consent},
        "left_out": {"episodes": len(left_out), "reasons": left_out},
        "steps": sum(facts["steps"] for report in reports for facts in report.facts),
        "groups": list(plan.groups),
        "splits": count_splits(reports),
        "players": len({facts["player_id"] for report in reports for facts in report.facts}),
        "files": {name: files[name] for name in sorted(files)},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(out / WORK_DIR)
    return manifest


def count_splits(reports: list[Report]) -> dict[str, dict[str, int]]:
    """Return the numbers of episodes, steps and players of each split."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        facts.setdefault(report.part.split, []).extend(report.facts)
    return {
        split: {
            "episodes": len(episodes),
            "steps": sum(one["steps"] for one in episodes),
            "players": len({one["player_id"] for one in episodes}),
        }
        for split, episodes in facts.items()
    }


def _publish_left_out(plan: Plan, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of the manifest: the episode under its pseudonym, also in the reason."""
    id_, own_pseudonym = entry["episode"], make_pseudonym(plan.key, "episode", entry["episode"])
    reason = entry["reason"].replace(id_, own_pseudonym).replace(id_.replace("-", ""), own_pseudonym)
    return {"episode_id": own_pseudonym, "group": entry["group"], "reason": reason}


def describe_file(path: Path) -> dict[str, Any]:
    """Return the SHA-256 (in hexadecimal) and the size in bytes of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _report_path(out: Path, number: int) -> Path:
    return out / WORK_DIR / f"done-{number:06d}.json"


def _stale_path(out: Path, number: int) -> Path:
    return out / WORK_DIR / f"stale-{number:06d}.json"


def _read_report(out: Path, number: int) -> Report:
    return _parse_report(_report_path(out, number))


def _find_report(out: Path, number: int) -> Report | None:
    """Return the newest report of a part, also if it is stale; None if there is none."""
    paths = (_report_path(out, number), _stale_path(out, number))
    return next((_parse_report(path) for path in paths if path.exists()), None)


def _parse_report(path: Path) -> Report:
    fields = json.loads(path.read_text())
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
