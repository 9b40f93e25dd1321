"""Compares a restored database with the one in use: everything that had ended by a time must be in both, alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.account_eraser import replay_erasures, replay_withdrawals
from skill_arcade.uploader.orphans import find_orphans
from skill_arcade.uploader.reconcile import reconcile

# An episode counts if it ended, and all of it was stored, before the time.
SUMMARY = text("""
    SELECT e.id, e.n_steps, count(s.number) AS n_segments,
           md5(string_agg(coalesce(s.rows_sha256, '') || s.objects::text, ' ' ORDER BY s.number)) AS digest
    FROM episode e LEFT JOIN segment s ON s.episode_id = e.id
    WHERE e.time_ended < :until
      AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.user_id = e.user_id AND x.time_erased IS NULL)
      AND NOT EXISTS (
          SELECT 1 FROM consent c
          WHERE c.time_withdrawn IS NOT NULL AND (c.id = e.consent_id OR (e.consent_id IS NULL
              AND c.user_id = e.user_id AND c.decision = 'declined' AND e.time_created <= c.time_decided))
      )
    GROUP BY e.id HAVING coalesce(max(s.time_delivered), '-infinity') < :until
""")


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """Result of a comparison. `problems` are sentences; without any, the restored database is complete."""

    n_episodes: int
    n_steps: int
    n_erased_accounts: int
    problems: list[str]


async def check_restored(
    current: AsyncEngine, restored: AsyncEngine, objects: ObjectStore, *, until: datetime, journal: Path
) -> RestoreReport:
    """Begin the erasures again in the restored database, compare both, and reconcile the restored one with the objects.

    `until` is the time that the restored database shows. `journal` is a folder that may be missing.
    """
    _, n_reopened = await replay_erasures(objects, restored)
    await replay_withdrawals(objects, restored)
    from skill_arcade.storage.archive.removal import find_replaced  # noqa: PLC0415  (imports pyarrow)

    await find_replaced(restored, objects)
    expected, found = await _summarise(current, until), await _summarise(restored, until)
    problems = list(_differences(expected, found))
    async for report in reconcile(journal, objects, restored):
        # Later episodes have objects already and no rows yet.
        if report.episode in found and (report.problems or report.lost or report.duplicated):
            problems.append(f"episode {report.episode}: {'; '.join(report.problems) or 'steps are lost or doubled'}")
    for episode in await find_orphans(journal, objects, current):
        problems.append(f"episode {episode} has objects and no row: see `skill-arcade orphans`")
    return RestoreReport(len(found), sum(n_steps for n_steps, _, _ in found.values()), n_reopened, problems)


async def _summarise(engine: AsyncEngine, until: datetime) -> dict[UUID, tuple[int, int, Any]]:
    """Return steps, segments and digest of each episode."""
    async with transaction(engine, snapshot=True) as connection:
        rows = await connection.execute(SUMMARY, {"until": until})
        return {row.id: (row.n_steps, row.n_segments, row.digest) for row in rows}


def _differences(expected: dict[UUID, Any], found: dict[UUID, Any]) -> Iterator[str]:
    for episode in sorted(expected.keys() - found.keys()):
        yield f"episode {episode} is missing in the restored database"
    for episode in sorted(found.keys() - expected.keys()):
        yield f"episode {episode} is only in the restored database, and its account was not erased"
    for episode in sorted(expected.keys() & found.keys()):
        if expected[episode] != found[episode]:
            yield f"episode {episode} differs: {found[episode]} is restored, {expected[episode]} is in use"
