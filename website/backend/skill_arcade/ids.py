"""Identifiers of episodes and transitions: ordered by time, and derivable, so that a repeated write is idempotent."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

STEP_BITS = 32


def new_episode_id(unix_ms: int | None = None) -> UUID:
    """Generate the id of a new episode: a UUID version 7 (RFC 9562) whose low 32 bits are zero.

    The low bits number the steps: a transition's id is derived from episode and step, and ids of both kinds sort by
    time.
    """
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    rand_a, rand_b = secrets.randbits(12), secrets.randbits(62 - STEP_BITS)
    return UUID(int=(ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | (rand_b << STEP_BITS))


def created_at(episode_id: UUID) -> datetime:
    """Return the time (UTC) at which the id of an episode was generated."""
    return datetime.fromtimestamp((episode_id.int >> 80) / 1000, UTC)


def transition_id(episode_id: UUID, step: int) -> UUID:
    """Return the id of the transition with 0-based index `step`: the episode's id plus `step + 1`."""
    return UUID(int=episode_id.int + step + 1)
