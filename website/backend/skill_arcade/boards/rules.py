"""Which episodes rank. Everything that is not known to be a person's own, whole and certified play is refused."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from skill_arcade.boards.daily import derive_seed
from skill_arcade.boards.edition import list_deciding_packages
from skill_arcade.boards.seasons import start_of_day

RejectionReason = Literal[
    "synthetic",
    "no-consent",
    "unknown-player",
    "assisted",
    "unfinished",
    "uncertified",
    "foreign-version",
    "slow-motion",
    "too-fast",
    "no-score",
    "not-first-try",
    "not-the-daily",
]
FINISHED = {"terminated", "truncated"}
MIN_SPEED, MAX_SPEED = 0.9, 1.1
"""Bounds of `episode_pace.active_speed`. The server skips late ticks, so a busy server plays a little slower than 1."""
KNOWN_PROVENANCE = {
    *("skill_arcade", "commit", "manifest_sha256", "options", "mode", "lockstep", "player", "setup", "daily", "watch"),
    *("consent", "server"),
}
"""Facts that a person's own play may have. Another one (an agent, a branch, a ghost, a study) refuses the episode until
somebody decides that it ranks, and adds it here.
"""
KNOWN_EVENTS = {
    *("setup", "input", "focus", "pause", "resume", "attach", "detach", "stream", "clock", "align", "late"),
    *("left-out", "last-shown", "watch", "watchers", "handed-over", "moved"),
}
"""Events that a person's own play may have. Not `rewound`: the player has seen what would have come."""


@dataclass(frozen=True, slots=True)
class DailyFacts:
    """The stored challenge of the day that an episode claims, and whether an earlier try of the player exists."""

    day: date
    game_id: str
    key: str
    kwargs: Mapping[str, Any]
    has_earlier_try: bool


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What the rules look at: stored facts of an episode, its player and its newest certificate."""

    id: UUID
    user_id: str
    game_id: str
    seed: int
    score: float
    end_reason: str | None
    environment: Mapping[str, Any]
    provenance: Mapping[str, Any]
    time_created: datetime
    time_ended: datetime | None
    is_synthetic: bool
    certificate: str | None
    certified_packages: Mapping[str, str]
    is_real_time: bool
    nominal_hz: float | None
    active_speed: float | None
    overall_speed: float | None = None
    pauses: int = 0
    n_steps: int = 0
    event_kinds: frozenset[str] = frozenset()
    daily: DailyFacts | None = field(default=None)
    alias_of: str | None = None
    """The game that `game_id` became an option value of, or None if it is a game of its own."""
    alias_options: Mapping[str, str] = field(default_factory=dict)
    has_consent: bool = True


def find_rejection(facts: EpisodeFacts) -> RejectionReason | None:
    """Return why an episode does not rank, or None if it ranks."""
    if facts.is_synthetic:
        return "synthetic"
    if not facts.has_consent:
        return "no-consent"
    if not facts.provenance.get("player") or facts.provenance.get("mode") not in ("streamed", "lockstep"):
        return "unknown-player"
    if facts.provenance.keys() - KNOWN_PROVENANCE or facts.event_kinds - KNOWN_EVENTS:
        return "assisted"
    if facts.time_ended is None or facts.end_reason not in FINISHED:
        return "unfinished"
    if facts.certificate != "certified":
        return "uncertified"
    if _has_foreign_version(facts):
        return "foreign-version"
    if facts.is_real_time and (speed := _find_speed_fault(facts)) is not None:
        return speed
    if not math.isfinite(facts.score):
        return "no-score"
    return _find_daily_fault(facts) if "daily" in facts.provenance else None


def _has_foreign_version(facts: EpisodeFacts) -> bool:
    """Return whether other versions certified the episode than those that recorded it, or whether they are unknown."""
    recorded = list_deciding_packages(facts.environment, facts.environment.get("packages") or {})
    certified = list_deciding_packages(facts.environment, facts.certified_packages)
    return not recorded or None in recorded.values() or recorded != certified


def _find_speed_fault(facts: EpisodeFacts) -> RejectionReason | None:
    if facts.active_speed is None:
        return "slow-motion" if facts.nominal_hz is None or facts.n_steps > 1 else None
    if facts.active_speed < MIN_SPEED:
        return "slow-motion"
    return "too-fast" if facts.active_speed > MAX_SPEED else None


def _find_daily_fault(facts: EpisodeFacts) -> RejectionReason | None:
    daily = facts.daily
    if daily is None or facts.provenance["daily"] != daily.day.isoformat() or facts.game_id != daily.game_id:
        return "not-the-daily"
    kwargs = facts.environment.get("kwargs") or {}
    begin = start_of_day(daily.day)
    is_the_challenge = (
        facts.seed == derive_seed(daily.key, daily.day, daily.game_id)
        and facts.provenance.get("mode") == "streamed"
        and not facts.provenance.get("options")
        and all(kwargs.get(name) == value for name, value in daily.kwargs.items())
        and begin <= facts.time_created < begin + timedelta(days=1)
    )
    if not is_the_challenge:
        return "not-the-daily"
    return "not-first-try" if daily.has_earlier_try else None
