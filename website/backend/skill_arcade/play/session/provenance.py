"""Provenance of a recording: this package and its commit, the manifest, and the player's browser and setup."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import skill_arcade
from skill_arcade.games.manifest import Manifest
from skill_arcade.ids import new_episode_id
from skill_arcade.play.assignment import GameAssignment, ResumedEpisode, SessionConfig
from skill_arcade.play.session.episode_recorder import Progress
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.wire.messages import Hello, Setup


@cache
def find_commit() -> str | None:
    """Return the commit that this package is checked out at, or None outside of a clone.

    If files differ from the commit, `-dirty` is appended.
    """
    folder = Path(skill_arcade.__file__).parent
    try:
        # A virtual environment may lie in a clone of another project: only a clone that tracks this file counts.
        _run_git(folder, "ls-files", "--error-unmatch", "__init__.py")
        return _run_git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return None


def _run_git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()


def describe_server(assignment: GameAssignment) -> dict[str, Any]:
    """Describe this package, its commit if known, and the manifest that is played."""
    described = {
        "skill_arcade": skill_arcade.__version__,
        "commit": assignment.commit,
        "manifest_sha256": assignment.manifest_hash,
        "mode": "streamed",
        "options": assignment.options,
    }
    if assignment.server_id is not None:
        described["server"] = str(assignment.server_id)
    if assignment.consent.id is not None:
        described["consent"] = str(assignment.consent.id)
    if assignment.consent.agent is not None:
        described["agent"] = assignment.consent.agent.describe()
    if assignment.study is not None:
        described["study"] = assignment.study.describe()
    if assignment.branch is not None:
        described["branch"] = assignment.branch.describe()
    return described if assignment.daily is None else {**described, "daily": assignment.daily.day}


def describe_player(hello: Hello | None, setup: Setup | None) -> dict[str, Any]:
    """Describe the player's browser and screen, and their keys, hand and gamepads, as reported by the page."""
    described = {} if hello is None else {"player": hello.model_dump(mode="json", exclude={"type", "protocol"})}
    return described if setup is None else {**described, "setup": describe_setup(setup)}


def describe_setup(setup: Setup) -> dict[str, Any]:
    """Describe the player's setup as it is stored."""
    return setup.model_dump(mode="json", exclude={"type", "at"})


def make_header(game: Manifest, user_id: str, seed: int, **fields: Any) -> SegmentHeader:
    """Make the header of a new episode's journal; `fields` are the fields of SegmentHeader that are not set here."""
    return SegmentHeader(
        episode_id=new_episode_id(),
        number=0,
        first_step=0,
        first_event=0,
        user_id=user_id,
        game_id=game.id,
        seed=seed,
        frame_ms=_frame_ms(game),
        **fields,
    )


def make_resumed_header(
    game: Manifest, config: SessionConfig, resumed: ResumedEpisode, progress: Progress, **fields: Any
) -> SegmentHeader:
    """Make the header of the first segment of this server in an episode of another server.

    `fields` are the fields of SegmentHeader that only the recorder knows.
    """
    server = {key: value for key, value in config.provenance.items() if key == "server"}
    return SegmentHeader(
        episode_id=resumed.id,
        number=resumed.n_segments,
        first_step=progress.n_steps,
        first_event=resumed.n_events,
        user_id=config.user_id,
        game_id=game.id,
        seed=resumed.seed,
        frame_ms=_frame_ms(game),
        started_wall_us=resumed.started_wall_us,
        before=resumed.before,
        environment=resumed.environment,
        provenance={**resumed.provenance, **server},
        fence=resumed.fence,
        **fields,
    )


def _frame_ms(game: Manifest) -> int:
    return round(1000 / game.pace.hz) if game.pace.kind == "real-time" else 1000
