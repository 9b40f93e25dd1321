"""Certifies scripted episodes of every game of the catalogue, and of copies that were tampered with.

The product's session plays on a manual clock, its uploader uploads, and its certifier re-runs the episodes in its own
processes. The longest episode of each game is copied three times, and each copy is changed in one way: a byte of an
object, the action of a row, or two neighbouring frames swapped with a valid checksum.
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

from benchmarks.report import Report
from benchmarks.tampering import Tampered, change_action, change_byte, swap_frames
from benchmarks.uploader import copy_episode
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
UNSEEDED_GAME = "drifting"
"""A game that is not in the catalogue. Its randomness does not depend on the seed, which must be detected."""
KINDS = ("byte", "action", "frame")
COLUMNS = (
    "family", "game", "episodes", "steps", "certified", "mismatch", "not reproducible", "damaged", "run again steps/s",
    "times real time", "byte", "action", "frame",
)  # fmt: skip


@dataclass(slots=True)
class PlayedGame:
    """The episodes of a game by number of steps, and its tampered copies."""

    game: Manifest
    episodes: dict[UUID, int] = field(default_factory=dict)
    tampered: list[Tampered] = field(default_factory=list)


def family_of(game: Manifest) -> str:
    """Return the origin of the game's environment."""
    spec = find_spec(game.environment.id)
    if spec.namespace == "ALE":
        return "atari"
    if game.id == UNSEEDED_GAME:
        return "unseeded"
    return {"minigrid": "minigrid", "skill_arcade": "own"}.get(str(spec.entry_point).partition(".")[0], "gymnasium")


def run(games: Sequence[str] = (), play_seconds: float = 30.0, workers: int = 2) -> Report:
    """Certify games, by id or family, or all if `games` is empty. Turn-based games get five actions per second."""
    available = [*load_catalogue().games.values(), nondeterministic_game()]
    chosen = [game for game in available if not games or {game.id, family_of(game)} & {*games}]
    report = Report("certify", COLUMNS)
    with (
        tempfile.TemporaryDirectory(prefix="certify-", ignore_cleanup_errors=True) as name,
        temporary_arcade(Path(name)) as settings,
    ):
        played = []
        for game in chosen:
            hz = game.pace.hz if game.pace.kind == "real-time" else 5.0
            played.append(play(game, settings.journal_folder, round(play_seconds * hz)))
            show_progress(f"{len(played)} of {len(chosen)} games played")
        asyncio.run(upload_and_tamper(played, settings))
        all_ids = [
            id_ for result in played for id_ in [*result.episodes, *(change.episode for change in result.tampered)]
        ]
        began = time.monotonic()
        verdicts = {}
        for episode, verdict in verify_episodes(settings, all_ids, workers=workers):
            verdicts[episode] = verdict
            show_progress(f"{len(verdicts)} of {len(all_ids)} episodes run again")
        report.facts["seconds for all re-runs"] = time.monotonic() - began
    for result in played:
        add_row(report, result, verdicts)
    add_summary(report)
    return report


def show_progress(line: str) -> None:
    """Overwrite the progress line of a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line:<60}\r")


@contextmanager
def temporary_arcade(folder: Path) -> Iterator[Settings]:
    """Create a home folder with an embedded Postgres and its tables."""
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres")
    try:
        url = server.server.url()
        migrate_sync(url)
        settings = Settings(skill_arcade_home=folder, database_url=url.render_as_string(hide_password=False))
        settings.journal_folder.mkdir()
        yield settings
    finally:
        server.close()


def play(game: Manifest, journal: Path, n_steps: int) -> PlayedGame:
    """Play a game, and copy its longest episode three times."""
    harness, result = SessionHarness(journal, game, segment_us=SEGMENT_US), PlayedGame(game)
    play_randomly(harness, n_steps)
    harness.session.stop("left", harness.now)
    for message in harness.texts:
        if message["type"] == "ended":
            result.episodes[UUID(message["episode"])] = message["n_steps"]
    longest = max(result.episodes, key=lambda id_: result.episodes[id_])
    for kind in KINDS if game.id != UNSEEDED_GAME else ():
        result.tampered.append(Tampered(copy_episode(journal / str(longest), journal), kind, ""))
    return result


async def upload_and_tamper(played: Sequence[PlayedGame], settings: Settings) -> None:
    """Upload everything, then change the copies."""
    async with open_engine(settings) as engine:
        await upload_all(settings.journal_folder, settings.objects_folder, engine, seconds=600)
        for result in filter(lambda result: result.tampered, played):
            byte, action, frame = (change.episode for change in result.tampered)
            n_actions = len({binding.action for binding in result.game.actions} | {result.game.noop or 0})
            async with engine.begin() as connection:
                changes = [
                    await change_byte(byte, settings.objects_folder),
                    await change_action(action, connection, n_actions),
                    await swap_frames(frame, connection, settings.objects_folder),
                ]
            result.tampered = [change for change in changes if change is not None]


def add_row(report: Report, result: PlayedGame, verdicts: dict[UUID, Verdict]) -> None:
    """Add the row of a game. For each change it names the step that differs, or the object or the rows."""
    originals = [verdicts[id_] for id_ in result.episodes]
    counts = Counter(verdict.result for verdict in originals)
    steps, seconds = sum(verdict.n_steps for verdict in originals), sum(verdict.seconds for verdict in originals)
    hz = result.game.pace.hz if result.game.pace.kind == "real-time" else None
    findings = dict.fromkeys(KINDS, "-")
    for change in result.tampered:
        verdict = verdicts[change.episode]
        default = "object" if change.kind == "byte" else "rows"
        where = default if verdict.step is None else f"step {verdict.step}"
        findings[change.kind] = where if change.is_detected(verdict) else f"MISSED: {verdict.result} {verdict.reason}"
    report.add(
        family_of(result.game), result.game.id, len(originals), sum(result.episodes.values()),
        *(counts[result] for result in (CertificateResult.certified, CertificateResult.mismatch,
                                        CertificateResult.irreproducible, CertificateResult.damaged)),
        round(steps / seconds), "turns" if hz is None else round(steps / seconds / hz, 1),
        *(findings[kind] for kind in KINDS),
    )  # fmt: skip
    reasons = {f"{verdict.result}: {verdict.reason}" for verdict in originals if verdict.reason}
    if reasons:
        report.facts[result.game.id] = "; ".join(sorted(reasons))


def add_summary(report: Report) -> None:
    """Add a summary of each family to the facts."""
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
            "action changed: only in the rows": sum(row["action"] == "rows" for row in rows),
            "not changed": sum(row["frame"] == "-" for row in rows),
        }
