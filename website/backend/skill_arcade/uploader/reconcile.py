"""Hold journal, objects and rows against each other: every acknowledged step is stored, once, or it is said which not.

A step is acknowledged from the moment it is in the journal (rule R1): its frame leaves for the player only then. It is
stored when its transition is in the database, with its segment's row and objects; until then it waits in the journal.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ObjectMissing
from skill_arcade.recording.journal_files import JournalFile, list_journal_files
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import list_unfinished, list_user_episodes
from skill_arcade.storage.database.stored_episodes import StoredEpisode, list_stored_episodes
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.objects import object_key

PAGE = 500
PREFIX = "episodes/"
MAX_LISTED_EPISODES = 1_000_000
"""Episodes of one erased account that are searched for an orphaned object."""
Keys = dict[UUID, set[str]]


@dataclass(slots=True)
class EpisodeReport:
    """One episode's steps. acknowledged = stored + waiting + lost; `trouble` says in words what is wrong."""

    episode: UUID
    acknowledged: int = 0
    stored: int = 0
    waiting: int = 0
    lost: int = 0
    duplicated: int = 0
    problems: list[str] = field(default_factory=list)


async def reconcile(
    journal: Path,
    objects: ObjectStore,
    engine: AsyncEngine,
    *,
    seen: Mapping[UUID, int] | None = None,
    read: bool = False,
) -> AsyncIterator[EpisodeReport]:
    """Balance every episode that the journal, the object store, the database or `seen` knows of.

    Safe beside a running server: the store is listed first, then the journal, then the rows, which is the way that a
    segment goes, so none is between two places unseen. Keeps all object keys in memory.

    Args:
        journal: the journal's folder.
        objects: the object store.
        engine: the database.
        seen: steps that somebody else knows to have been acknowledged, by episode: the frames that a player got.
        read: compare the bytes of every object with the checksum in its segment's row.
    """
    keys, foreign = await _list_keys(objects)
    pieces = await asyncio.to_thread(list_journal_files, journal)
    unmet = dict(seen or {})
    async for tally in _stored_episodes(engine):
        waiting, stored = pieces.pop(tally.id, []), keys.pop(tally.id, set())
        report = reconcile_episode(tally, waiting, unmet.pop(tally.id, 0))
        await _check_objects(report, tally, waiting, stored, objects, read=read)
        if not report.problems or not await _is_erased(engine, tally.id):
            yield report
    for episode in sorted(pieces.keys() | keys.keys() | unmet.keys()):
        tally, waiting = StoredEpisode(episode, 0, ended=False), pieces.get(episode, [])
        if not waiting and episode not in unmet and not await _any_there(objects, keys[episode]):
            continue  # erased since its objects were listed
        report = reconcile_episode(tally, waiting, unmet.get(episode, 0))
        await _check_objects(report, tally, waiting, keys.get(episode, set()), objects, read=read)
        yield report
    if foreign:
        shown = ", ".join(sorted(foreign)[:3])
        yield EpisodeReport(UUID(int=0), problems=[f"{len(foreign)} objects belong to no episode: {shown}"])


def reconcile_episode(tally: StoredEpisode, pieces: list[JournalFile], seen: int = 0) -> EpisodeReport:
    """Count the steps of an episode from its rows, its journal files, and what was seen of it."""
    delivered = {segment.number for segment in tally.segments}
    waiting = [piece for piece in pieces if piece.is_complete and piece.number not in delivered]
    spans = [(s.first_step, s.n_steps) for s in tally.segments] + [(p.first_step, p.n_steps) for p in waiting]
    covered, overlap, end, gaps = _measure(spans)
    known = [end, seen, tally.n_steps, *(piece.end_step or 0 for piece in pieces)]
    report = EpisodeReport(tally.id, max(known), tally.n_transitions, sum(piece.n_steps for piece in waiting))
    in_segments = sum(segment.n_steps for segment in tally.segments)
    report.lost = report.acknowledged - covered + max(0, in_segments - tally.n_transitions)
    report.duplicated = overlap + max(0, tally.n_steps - tally.n_transitions)
    tell = report.problems.append
    for first, count in gaps:
        tell(f"steps {first} to {first + count - 1} are missing")
    if report.acknowledged > end:
        tell(f"steps {end} to {report.acknowledged - 1} are missing at the end")
    if in_segments != tally.n_transitions or tally.last_step >= max(end, 1):
        tell(f"its segments hold {in_segments} transitions, its rows {tally.n_transitions}")
    if tally.n_steps != tally.n_transitions:
        tell(f"it counts {tally.n_steps} transitions and has {tally.n_transitions}")
    if overlap:
        tell(f"{overlap} steps are in two segments")
    for piece in pieces:
        if not piece.is_complete:
            tell(f"{piece.path.name} is damaged after {piece.n_steps} steps and set aside in {piece.path.parent}")
    numbers = sorted(delivered | {piece.number for piece in pieces})
    missing = sorted(set(range(numbers[-1] + 1 if numbers else 0)) - set(numbers))
    if missing:
        tell(f"segments {missing} are nowhere")
    if not tally.ended and not pieces:
        tell("it has no end, and nothing of it waits in the journal")
    return report


def _measure(spans: list[tuple[int, int]]) -> tuple[int, int, int, list[tuple[int, int]]]:
    """Of spans (first, count): steps covered, steps covered again, the end, and the gaps before it."""
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
    """True when its player has gone meanwhile: then objects and rows of it go one by one, and none is lost."""
    async with transaction(engine) as connection:
        page = await list_stored_episodes(connection, UUID(int=episode.int - 1), 1)
        if not page or page[0].id != episode:
            return True
        closed = await list_unfinished(connection)
        return any([episode in await list_user_episodes(connection, user, MAX_LISTED_EPISODES) for user in closed])


async def _list_keys(objects: ObjectStore) -> tuple[Keys, set[str]]:
    """Keys in the store by episode, and those that are not made like an episode's."""
    found: Keys = {}
    foreign: set[str] = set()
    async for key in objects.list(PREFIX):
        try:
            episode = UUID(key.split("/")[1])
        except ValueError:
            foreign.add(key)
            continue
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
    """Every object that a row names is there, and every other one belongs to a segment that still waits."""
    named = {key: sha256 for segment in tally.segments for key, sha256 in segment.objects.items()}
    for key, sha256 in sorted(named.items()):
        if key in keys and not read:
            continue
        try:
            found = hashlib.sha256(await objects.get(key)).hexdigest()
        except ObjectMissing:
            report.problems.append(f"object {key} is missing")
            continue
        if found != sha256:
            report.problems.append(f"object {key} has other bytes than were recorded")
    on_the_way = {object_key(tally.id, piece.number, kind) for piece in pieces for kind in ("png", "npz")}
    for key in sorted(keys - named.keys() - on_the_way):
        if await _any_there(objects, {key}):  # else it was erased since it was listed
            report.problems.append(f"object {key} belongs to no segment")


async def _any_there(objects: ObjectStore, keys: set[str]) -> bool:
    for key in keys:
        try:
            await objects.get(key)
        except ObjectMissing:
            continue
        return True
    return False
