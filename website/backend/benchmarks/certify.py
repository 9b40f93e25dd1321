"""Every game of the catalogue: played by script, run again by the certifier, tampered with.

The product's own session plays on a manual clock, its courier delivers, its certifier runs the episodes again in
processes of their own. The longest episode of each game is kept three times more, and each copy is changed: a byte in
an object, the action in a row, two neighbouring frames swapped under a checksum that fits.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from benchmarks.delivery import copy_episode
from benchmarks.report import Report
from benchmarks.tampering import Tampered, change_action, change_byte, swap_frames
from skill_arcade.certify.pool import verify_episodes
from skill_arcade.certify.rerun import Verdict
from skill_arcade.environments.factory import find_spec
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import Settings
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync, open_engine
from skill_arcade.storage.database.tables import CertificateResult
from tests.support.nondeterministic_env import nondeterministic_game
from tests.support.session_harness import SessionHarness, play_randomly, upload_all

SEGMENT_US = 5_000_000
UNSEEDED = "drifting"
"""Random outside of its seed, and no game of the catalogue: it is to be recognised."""
KINDS = ("byte", "action", "frame")
COLUMNS = (
    "family", "game", "episodes", "steps", "certified", "mismatch", "not reproducible", "damaged", "run again steps/s",
    "times real time", "byte", "action", "frame",
)  # fmt: skip


@dataclass(slots=True)
class Played:
    """A game's episodes by number of steps, and what became of them."""

    game: Manifest
    episodes: dict[UUID, int] = field(default_factory=dict)
    tampered: list[Tampered] = field(default_factory=list)


def family_of(game: Manifest) -> str:
    """Where its environment comes from."""
    spec = find_spec(game.environment.id)
    if spec.namespace == "ALE":
        return "atari"
    if game.id == UNSEEDED:
        return "unseeded"
    return {"minigrid": "minigrid", "skill_arcade": "own"}.get(str(spec.entry_point).partition(".")[0], "gymnasium")


def run(games: Sequence[str] = (), play_seconds: float = 30.0, workers: int = 2) -> Report:
    """Certify these games, by id or family; none named: all. Turn-based ones are played at five presses a second."""
    known = [*load_catalogue().games.values(), nondeterministic_game()]
    chosen = [game for game in known if not games or {game.id, family_of(game)} & {*games}]
    report = Report("certify", COLUMNS)
    with tempfile.TemporaryDirectory(prefix="certify-", ignore_cleanup_errors=True) as name, kept(Path(name)) as at:
        played = []
        for game in chosen:
            hz = game.pace.hz if game.pace.kind == "real-time" else 5.0
            played.append(play(game, at.journal_folder, round(play_seconds * hz)))
            show_progress(f"{len(played)} of {len(chosen)} games played")
        asyncio.run(deliver_and_change(played, at))
        every = [id_ for one in played for id_ in [*one.episodes, *(change.episode for change in one.tampered)]]
        began = time.monotonic()
        verdicts = {}
        for episode, verdict in verify_episodes(at, every, workers=workers):
            verdicts[episode] = verdict
            show_progress(f"{len(verdicts)} of {len(every)} episodes run again")
        report.facts["seconds for all re-runs"] = time.monotonic() - began
    for one in played:
        add_row(report, one, verdicts)
    add_summary(report)
    return report


def show_progress(words: str) -> None:
    """Over the line before, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{words:<60}\r")


@contextmanager
def kept(folder: Path) -> Iterator[Settings]:
    """A home with an embedded Postgres that has the tables."""
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres")
    try:
        url = server.server.url()
        migrate_sync(url)
        given = Settings(skill_arcade_home=folder, database_url=url.render_as_string(hide_password=False))
        given.journal_folder.mkdir()
        yield given
    finally:
        server.close()


def play(game: Manifest, journal: Path, n_steps: int) -> Played:
    """Play a game, and keep its longest episode three times more."""
    table, one = SessionHarness(journal, game, segment_us=SEGMENT_US), Played(game)
    play_randomly(table, n_steps)
    table.session.stop("left", table.now)
    for message in table.texts:
        if message["type"] == "ended":
            one.episodes[UUID(message["episode"])] = message["n_steps"]
    longest = max(one.episodes, key=lambda id_: one.episodes[id_])
    for kind in KINDS if game.id != UNSEEDED else ():
        one.tampered.append(Tampered(copy_episode(journal / str(longest), journal), kind, ""))
    return one


async def deliver_and_change(played: Sequence[Played], at: Settings) -> None:
    """Deliver everything, then change the copies."""
    async with open_engine(at) as engine:
        await upload_all(at.journal_folder, at.objects_folder, engine, seconds=600)
        for one in filter(lambda one: one.tampered, played):
            byte, action, frame = (change.episode for change in one.tampered)
            n_actions = len({binding.action for binding in one.game.actions} | {one.game.noop or 0})
            async with engine.begin() as connection:
                found = [
                    await change_byte(byte, at.objects_folder),
                    await change_action(action, connection, n_actions),
                    await swap_frames(frame, connection, at.objects_folder),
                ]
            one.tampered = [change for change in found if change is not None]


def add_row(report: Report, one: Played, verdicts: dict[UUID, Verdict]) -> None:
    """What was found of a game; of a change: where the re-run parts, or that only the rows' digest tells."""
    ours = [verdicts[id_] for id_ in one.episodes]
    counts = Counter(verdict.result for verdict in ours)
    steps, seconds = sum(verdict.n_steps for verdict in ours), sum(verdict.seconds for verdict in ours)
    hz = one.game.pace.hz if one.game.pace.kind == "real-time" else None
    told = dict.fromkeys(KINDS, "-")
    for change in one.tampered:
        verdict = verdicts[change.episode]
        alone = "object" if change.kind == "byte" else "rows"
        where = alone if verdict.step is None else f"step {verdict.step}"
        told[change.kind] = where if change.is_named(verdict) else f"MISSED: {verdict.result} {verdict.reason}"
    report.add(
        family_of(one.game), one.game.id, len(ours), sum(one.episodes.values()),
        *(counts[result] for result in (CertificateResult.certified, CertificateResult.mismatch,
                                        CertificateResult.irreproducible, CertificateResult.damaged)),
        round(steps / seconds), "turns" if hz is None else round(steps / seconds / hz, 1),
        *(told[kind] for kind in KINDS),
    )  # fmt: skip
    reasons = {f"{verdict.result}: {verdict.reason}" for verdict in ours if verdict.reason}
    if reasons:
        report.facts[one.game.id] = "; ".join(sorted(reasons))


def add_summary(report: Report) -> None:
    """By family, among the facts."""
    families = defaultdict(list)
    for row in report.rows:
        families[row[0]].append(dict(zip(COLUMNS, row, strict=True)))
    for family, rows in families.items():
        speeds = sorted(row["times real time"] for row in rows if row["times real time"] != "turns")
        report.facts[family] = {
            "games": len(rows),
            **{name: sum(row[name] for row in rows) for name in ("episodes", *COLUMNS[3:8])},
            "times real time": f"{speeds[0]} to {speeds[-1]}, median {speeds[len(speeds) // 2]}" if speeds else "turns",
            "steps/s": f"{min(row[COLUMNS[8]] for row in rows):,} and more",
            **{f"{kind} changed: missed": sum(row[kind].startswith("MISSED") for row in rows) for kind in KINDS},
            "action changed: only the rows tell": sum(row["action"] == "rows" for row in rows),
            "not changed": sum(row["frame"] == "-" for row in rows),
        }
