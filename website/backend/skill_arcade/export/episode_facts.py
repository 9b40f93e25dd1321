"""The description of an episode in an export. It identifies neither the player nor the player's device."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from skill_arcade.dataset.episode import Episode, Note
from skill_arcade.exact_json import encode_value
from skill_arcade.storage.database.dataset_versions import make_pseudonym

# The user agent and the browser's time origin are excluded, because they can identify a device.
_DEVICE = ("screen", "pixel_ratio", "refresh_hz", "isolated")
_SOFTWARE = ("skill_arcade", "commit", "manifest_sha256", "mode")


@dataclass(frozen=True, slots=True)
class ExportedEpisode:
    """An episode with its number in the export and its description."""

    number: int
    episode: Episode
    facts: dict[str, Any]
    as_of: datetime | None = None
    """Time whose notes are exported; None: now."""


@dataclass(frozen=True, slots=True)
class FrozenFacts:
    """What a version of a saved dataset keeps of facts that change later: notes and certificates."""

    as_of: datetime
    certified: frozenset[str]
    """Ids of the certified episodes."""

    def list_notes(self, episode: Episode) -> list[Note]:
        """Return the notes as they were."""
        return [
            replace(note, time_retracted=later_is_none(note.time_retracted, self.as_of))
            for note in episode.notes
            if note.time_created <= self.as_of
        ]


def later_is_none(time: datetime | None, as_of: datetime) -> datetime | None:
    """Return a time, or None if it is later than `as_of`."""
    return None if time is None or time > as_of else time


def facts_json(facts: dict[str, Any]) -> str:
    """Return the facts as JSON. A NaN or infinite number is in the encoding of `skill_arcade.exact_json`."""
    encoded = {name: encode_value(value) if isinstance(value, float) else value for name, value in facts.items()}
    return json.dumps(encoded, allow_nan=False)


def describe_episode(number: int, episode: Episode, key: str, frozen: FrozenFacts | None = None) -> ExportedEpisode:
    """Describe an episode, with pseudonyms for episode and player. `frozen` None takes its present state."""
    is_certified = episode.summary["certified"] if frozen is None else str(episode.id) in frozen.certified
    notes = episode.notes if frozen is None else frozen.list_notes(episode)
    summary, provenance = episode.summary, episode.provenance
    player = provenance.get("player", {})
    return ExportedEpisode(
        number,
        episode,
        {
            "episode": number,
            "episode_id": make_pseudonym(key, "episode", str(episode.id)),
            "player_id": make_pseudonym(key, "player", episode.user_id),
            "game_id": episode.game_id,
            "environment": episode.environment,
            "seed": episode.seed,
            "steps": episode.n_steps,
            "return": float(episode.score),
            "status": str(episode.status),
            "end_reason": episode.end_reason,
            "reset_info": episode.stored_reset_info,
            "time_created": episode.time_created.isoformat(),
            "duration_seconds": summary["duration_seconds"],
            "certified": is_certified,
            "latency_p50_ms": summary["latency_p50_ms"],
            "latency_p95_ms": summary["latency_p95_ms"],
            "dropped_frames": summary["dropped_frames"],
            "input_device": summary["device"],
            "device": {name: player[name] for name in _DEVICE if name in player},
            "notes": [_describe_note(note, key) for note in notes],
            "ghost": _describe_ghost(provenance.get("ghost"), key),
            "branch": _describe_branch(episode.branch, key),
            "takeover": provenance.get("takeover"),
            "study": episode.study,
            "software": {name: provenance[name] for name in _SOFTWARE if name in provenance},
        },
        None if frozen is None else frozen.as_of,
    )


def _describe_ghost(ghost: dict[str, str] | None, key: str) -> dict[str, str] | None:
    """Describe the episode that the page showed during play, or None if there was none."""
    return None if ghost is None else {**ghost, "episode": make_pseudonym(key, "episode", ghost["episode"])}


def _describe_branch(branch: dict[str, Any] | None, key: str) -> dict[str, Any] | None:
    """Describe the recorded frame with which an episode begins, or None if it begins with a reset."""
    if branch is None:
        return None
    return branch | {name: make_pseudonym(key, "episode", branch[name]) for name in ("parent", "root")}


def _describe_note(note: Note, key: str) -> dict[str, Any]:
    """Describe a note under the pseudonym of its author, which is `player_id` if the player wrote it."""
    return {
        "step_from": note.step_from,
        "step_to": note.step_to,
        "tag": note.tag,
        "vocabulary": note.vocabulary,
        "text": note.text,
        "author_id": make_pseudonym(key, "player", note.user_id),
        "author_role": note.author_role,
        "time_created": note.time_created.isoformat(),
        "time_retracted": None if note.time_retracted is None else note.time_retracted.isoformat(),
    }
