"""Reconciles journal, objects and rows: every acknowledged step is stored exactly once, or the report names it.

A step is acknowledged when it is in the journal (rule R1). It is stored when its transition is in the database, with
the row and the objects of its segment. Until then it waits in the journal, or is quarantined (rule R12).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ObjectMissing, RecordingDamaged
from skill_arcade.recording.journal_files import JournalFile, list_journal_files
from skill_arcade.storage.archive.rows import ARCHIVE, show_archived
from skill_arcade.storage.database.consents import is_withdrawn
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import list_unfinished, list_user_episodes
from skill_arcade.storage.database.quarantine import QuarantineMark, list_marks
from skill_arcade.storage.database.servers import list_running
from skill_arcade.storage.database.stored_episodes import StoredEpisode, list_stored_episodes
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified
from skill_arcade.uploader.objects import EPISODES, find_episode, is_set_aside, object_key

PAGE = 500
MAX_LISTED_EPISODES = 1_000_000
"""Episodes of one erased account that are searched for an orphaned object."""
Keys = dict[UUID, set[str]]


@dataclass(slots=True)
class EpisodeReport:
    """Steps of one episode: acknowledged = stored + waiting + quarantined + lost. `problems` are sentences.

    `is_lost` is True if its server was lost, so that its end is provisional: steps that only that server had are
    missing until it comes back, and nobody here knows their number.
    """

    episode: UUID
    acknowledged: int = 0
    stored: int = 0
    waiting: int = 0
    quarantined: int = 0
    lost: int = 0
    duplicated: int = 0
    problems: list[str] = field(default_factory=list)
    is_lost: bool = False


async def reconcile(
    journal: Path,
    objects: ObjectStore,
    engine: AsyncEngine,
    *,
    seen: Mapping[UUID, int] | None = None,
    read: bool = False,
    journal_id: UUID | None = None,
) -> AsyncIterator[EpisodeReport]:
    """Yield a report for every episode in the journal, the object store, the database or `seen`.

    Safe while a server runs: the object store is listed first, then the journal, then the rows, which is the order in
    which a segment moves, so no segment is missed on its way. All object keys are held in memory.

    Args:
        journal: folder of the journal.
        objects: object store.
        engine: database.
        seen: acknowledged steps by episode, known from elsewhere, such as the frames that a client received.
        read: read every object and compare its checksum with the one in its segment's row.
        journal_id: id of the journal. Episodes that servers with another journal play may have no end.
    """
    keys, foreign = await list_keys(objects)
    archive_keys = {key async for key in objects.list(ARCHIVE)}
    pieces = await asyncio.to_thread(list_journal_files, journal)
    unmet = dict(seen or {})
    async with transaction(engine) as connection:
        marks: dict[UUID, list[QuarantineMark]] = {}
        for mark in await list_marks(connection):
            marks.setdefault(mark.episode_id, []).append(mark)
        elsewhere = await list_running(connection, except_journal=journal_id)
    async for tally in _stored_episodes(engine):
        waiting, stored = pieces.pop(tally.id, []), keys.pop(tally.id, set())
        report = reconcile_episode(
            tally,
            waiting,
            unmet.pop(tally.id, 0),
            marks.get(tally.id, []),
            is_elsewhere=tally.server_id is not None and tally.server_id in elsewhere,
        )
        await _check_objects(report, tally, waiting, stored, objects, read=read)
        if tally.archive_key is not None and (read or tally.archive_key not in archive_keys):
            await _check_archive(report, objects, engine)
        if not report.problems or not await _is_erased(engine, tally.id):
            yield report
    for episode in sorted(pieces.keys() | keys.keys() | unmet.keys()):
        tally, waiting = StoredEpisode(episode, 0, ended=False), pieces.get(episode, [])
        if not waiting and episode not in unmet and not await _any_there(objects, keys[episode]):
            continue  # its account was erased since its objects were listed
        report = reconcile_episode(tally, waiting, unmet.get(episode, 0))
        await _check_objects(report, tally, waiting, keys.get(episode, set()), objects, read=read)
        yield report
    if foreign:
        shown = ", ".join(sorted(foreign)[:3])
        yield EpisodeReport(UUID(int=0), problems=[f"{len(foreign)} objects belong to no episode: {shown}"])


def reconcile_episode(
    stored: StoredEpisode,
    files: list[JournalFile],
    seen: int = 0,
    marks: Sequence[QuarantineMark] = (),
    *,
    is_elsewhere: bool = False,
) -> EpisodeReport:
    """Count the steps of an episode from its rows, its journal files, its quarantine marks and what a client saw.

    `is_elsewhere` says that a server with another journal plays it.
    """
    uploaded = {segment.number for segment in stored.segments}
    pending = [file for file in files if file.is_complete and file.number not in uploaded]
    waiting = [file for file in pending if not file.is_quarantined]
    quarantined = [file for file in pending if file.is_quarantined]
    spans = [(s.first_step, s.n_steps) for s in stored.segments] + [(f.first_step, f.n_steps) for f in pending]
    covered, overlap, end, gaps = _measure(spans)
    known = [end, seen, stored.n_steps, *(file.end_step or 0 for file in files)]
    report = EpisodeReport(stored.id, max(known), stored.n_transitions, sum(file.n_steps for file in waiting))
    here = {file.number for file in quarantined}
    elsewhere = [mark for mark in marks if mark.number not in here]
    report.quarantined = sum(file.n_steps for file in quarantined) + sum(mark.n_steps or 0 for mark in elsewhere)
    in_segments = sum(segment.n_steps for segment in stored.segments)
    lost = report.acknowledged - covered + max(0, in_segments - stored.n_transitions)
    report.lost = max(0, lost - sum(mark.n_steps or 0 for mark in elsewhere))
    report.duplicated = overlap + max(0, stored.n_steps - stored.n_transitions)
    report.problems += _list_quarantine_problems(quarantined, marks)
    report.problems += _list_step_problems(stored, in_segments, report.acknowledged, end, gaps, overlap)
    report.problems += [
        f"{file.path.name} is corrupt after {file.n_steps} steps; it was set aside in {file.path.parent}"
        for file in files
        if not file.is_complete
    ]
    numbers = sorted(uploaded | {file.number for file in files} | {mark.number for mark in marks})
    missing = sorted(set(range(numbers[-1] + 1 if numbers else 0)) - set(numbers))
    if missing:
        report.problems.append(f"segments {missing} are missing")
    report.is_lost = stored.is_lost
    if not stored.ended and not files and not is_elsewhere:
        report.problems.append("it has no end, and none of its segments is in the journal")
    return report


def _list_quarantine_problems(files: list[JournalFile], marks: Sequence[QuarantineMark]) -> list[str]:
    reasons = {mark.number: mark.reason for mark in marks}
    steps = {file.number: file.n_steps for file in files} | {mark.number: mark.n_steps or 0 for mark in marks}
    return [
        f"segment {number} with {count} steps is quarantined: {reasons.get(number, 'see its .reason.json')}"
        for number, count in sorted(steps.items())
    ]


def _list_step_problems(
    stored: StoredEpisode, in_segments: int, acknowledged: int, end: int, gaps: list[tuple[int, int]], overlap: int
) -> list[str]:
    problems = [f"steps {first} to {first + count - 1} are missing" for first, count in gaps]
    if acknowledged > end:
        problems.append(f"steps {end} to {acknowledged - 1} are missing at the end")
    if in_segments != stored.n_transitions or stored.last_step >= max(end, 1):
        problems.append(f"its segments have {in_segments} transitions, the table has {stored.n_transitions}")
    if stored.n_steps != stored.n_transitions:
        problems.append(f"its row counts {stored.n_steps} transitions, the table has {stored.n_transitions}")
    if overlap:
        problems.append(f"{overlap} steps are in two segments")
    return problems


def _measure(spans: list[tuple[int, int]]) -> tuple[int, int, int, list[tuple[int, int]]]:
    """Return for spans (first, count): steps covered, steps covered twice, the end, and the gaps before it."""
    covered = overlap = end = 0
    gaps = []
    for first, count in sorted(spans):
        if first > end:
            gaps.append((end, first - end))
        fresh = max(0, first + count - max(end, first))
        covered, overlap, end = covered + fresh, overlap + count - fresh, max(end, first + count)
    return covered, overlap, end, gaps


async def _stored_episodes(engine: AsyncEngine) -> AsyncIterator[StoredEpisode]:
    after = None
    async with transaction(engine, snapshot=True) as connection:
        while page := await list_stored_episodes(connection, after, PAGE):
            after = page[-1].id
            for tally in page:
                yield tally


async def _is_erased(engine: AsyncEngine, episode: UUID) -> bool:
    """Return whether the account or the consent is being erased: objects and rows then disappear one by one."""
    async with transaction(engine) as connection:
        page = await list_stored_episodes(connection, UUID(int=episode.int - 1), 1)
        if not page or page[0].id != episode:
            return True
        if await is_withdrawn(connection, episode):
            return True
        closed = await list_unfinished(connection)
        return any([episode in await list_user_episodes(connection, user, MAX_LISTED_EPISODES) for user in closed])


async def list_keys(objects: ObjectStore) -> tuple[Keys, set[str]]:
    """Return the keys of the store by episode, and the keys that belong to no episode."""
    found: Keys = {}
    foreign: set[str] = set()
    async for key in objects.list(EPISODES):
        episode = find_episode(key)
        if episode is None:
            foreign.add(key)
        else:
            found.setdefault(episode, set()).add(key)
    return found, foreign


async def _check_objects(
    report: EpisodeReport,
    tally: StoredEpisode,
    pieces: list[JournalFile],
    keys: set[str],
    objects: ObjectStore,
    *,
    read: bool,
) -> None:
    """Check that every object named by a row exists, and that every other object belongs to a pending segment."""
    named = {key: sha256 for segment in tally.segments for key, sha256 in segment.objects.items()}
    for key, sha256 in sorted(named.items()):
        if key in keys and not read:
            continue
        try:
            await read_verified(objects, key, sha256)
        except RecordingDamaged as error:
            report.problems.append(f"object {key} {error.fault}")
    on_the_way = {object_key(tally.id, piece.number, kind, piece.fence) for piece in pieces for kind in ("png", "npz")}
    for key in sorted(key for key in keys - named.keys() - on_the_way if not is_set_aside(key)):
        if await _any_there(objects, {key}):  # else it was erased since it was listed
            report.problems.append(f"object {key} belongs to no segment")


async def _check_archive(report: EpisodeReport, objects: ObjectStore, engine: AsyncEngine) -> None:
    """Check that the archived transitions can be read, and have the digest of those that were archived."""
    async with transaction(engine) as connection:
        try:
            await show_archived(connection, objects, [report.episode])
        except RecordingDamaged as error:
            report.problems.append(str(error))


async def _any_there(objects: ObjectStore, keys: set[str]) -> bool:
    for key in keys:
        try:
            await objects.get(key)
        except ObjectMissing:
            continue
        return True
    return False
