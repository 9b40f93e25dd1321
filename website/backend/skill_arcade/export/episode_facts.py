"""The description of an episode in an export. It identifies neither the player nor the player's device."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from skill_arcade.dataset.episode import Episode
from skill_arcade.exact_json import encode_value

# The user agent and the browser's time origin are excluded, because they can identify a device.
_DEVICE = ("screen", "pixel_ratio", "refresh_hz", "isolated")
_SOFTWARE = ("skill_arcade", "commit", "manifest_sha256", "mode")


@dataclass(frozen=True, slots=True)
class ExportedEpisode:
    """An episode with its number in the export and its description."""

    number: int
    episode: Episode
    facts: dict[str, Any]


def facts_json(facts: dict[str, Any]) -> str:
    """Return the facts as JSON. A NaN or infinite number is in the encoding of `skill_arcade.exact_json`."""
    encoded = {name: encode_value(value) if isinstance(value, float) else value for name, value in facts.items()}
    return json.dumps(encoded, allow_nan=False)


def pseudonym(key: str, kind: str, id_: str) -> str:
    """Return the pseudonym of an id: constant within an export, different in others, and secret without the key."""
    return hmac.digest(bytes.fromhex(key), f"{kind}:{id_}".encode(), hashlib.sha256).hex()[:16]


def describe_episode(number: int, episode: Episode, key: str) -> ExportedEpisode:
    """Describe an episode, with pseudonyms for episode and player."""
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
