"""What an export says of an episode beside its steps. Nothing in it says who played, or when on which other machine."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from skill_arcade.dataset.episode import Episode

# The user agent and the window's origin of time stay here: they tell devices apart.
_DEVICE = ("screen", "pixel_ratio", "refresh_hz", "isolated")
_SOFTWARE = ("skill_arcade", "commit", "manifest_sha256", "mode")


@dataclass(frozen=True, slots=True)
class ExportedEpisode:
    """An episode with its number in the export, and with what the export says of it."""

    number: int
    episode: Episode
    facts: dict[str, Any]


def pseudonym(key: str, kind: str, id_: str) -> str:
    """The same for the same id within an export; no guess without its key, and different in every export."""
    return hmac.digest(bytes.fromhex(key), f"{kind}:{id_}".encode(), hashlib.sha256).hex()[:16]


def describe_episode(number: int, episode: Episode, key: str) -> ExportedEpisode:
    """Describe an episode under pseudonyms."""
    summary, provenance = episode.summary, episode.provenance
    player = provenance.get("player", {})
    return ExportedEpisode(
        number,
        episode,
        {
            "episode": number,
            "episode_id": pseudonym(key, "episode", str(episode.id)),
            "player_id": pseudonym(key, "player", episode.user_id),
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
            "certified": summary["certified"],
            "latency_p50_ms": summary["latency_p50_ms"],
            "latency_p95_ms": summary["latency_p95_ms"],
            "dropped_frames": summary["dropped_frames"],
            "input_device": summary["device"],
            "device": {name: player[name] for name in _DEVICE if name in player},
            "software": {name: provenance[name] for name in _SOFTWARE if name in provenance},
        },
    )
