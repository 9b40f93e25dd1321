"""Builds a segment's rows for Postgres."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from skill_arcade.ids import transition_id
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.recording.segment import Segment
from skill_arcade.storage.database.row_digest import digest_rows
from skill_arcade.storage.database.segment_writer import EpisodeOutcome, SegmentRows
from skill_arcade.storage.database.tables import EpisodeStatus


def build_rows(segment: Segment, objects: dict[str, bytes]) -> SegmentRows:
    """Return the rows of a segment. `objects` are its objects by key."""
    head, end = segment.header, segment.end or segment.provisional_end
    ending = None
    if end is not None:
        ending = EpisodeOutcome(EpisodeStatus(end.status), end.reason, end.score, wall_clock(head, end.ended_us))
    transitions, events = list(_transition_rows(segment)), list(_event_rows(segment))
    earlier = [pair for pair in segment.shown if pair[0] < head.first_step]
    return SegmentRows(
        episode=build_episode_row(head),
        segment=_segment_row(segment, objects)
        | {"n_events": len(events), "rows_sha256": _digest(segment, transitions, events)},
        transitions=transitions,
        events=events,
        shown=list(dict(earlier).items()),
        score=sum(step.reward for step in segment.steps),
        outcome=ending,
        fence=head.fence,
        is_handed_over=segment.is_handed_over,
    )


def build_episode_row(head: SegmentHeader) -> dict[str, Any]:
    """Return the row of a new episode, without steps and without an end."""
    return {
        "id": head.episode_id,
        "user_id": head.user_id,
        "game_id": head.game_id,
        "seed": head.seed,
        "n_steps": 0,
        "score": 0.0,
        "status": EpisodeStatus.incomplete,
        "environment": head.environment,
        "provenance": head.provenance,
        "reset_info": head.reset_info,
        "consent_id": find_consent_id(head),
        "agent_version_id": find_agent_version_id(head),
        "server_id": find_server_id(head),
        "time_created": wall_clock(head, 0),
    }


def find_consent_id(head: SegmentHeader) -> UUID | None:
    """Return the consent that the header names (rule R21), or None."""
    value = head.provenance.get("consent")
    return None if value is None else UUID(value)


def find_agent_version_id(head: SegmentHeader) -> UUID | None:
    """Return the version of an agent that the header names (rule R36), or None."""
    value = head.provenance.get("agent")
    return None if value is None else UUID(value["version_id"])


def find_server_id(head: SegmentHeader) -> UUID | None:
    """Return the server that the header names (rule R23), or None."""
    value = head.provenance.get("server")
    return None if value is None else UUID(value)


def _segment_row(segment: Segment, objects: dict[str, bytes]) -> dict[str, Any]:
    return {
        "episode_id": segment.header.episode_id,
        "number": segment.header.number,
        "first_step": segment.header.first_step,
        "n_steps": len(segment.steps),
        "n_frames": len(segment.frames),
        "n_bytes": sum(len(data) for data in objects.values()),
        "objects": {key: hashlib.sha256(data).hexdigest() for key, data in objects.items()},
    }


def _transition_rows(segment: Segment) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of `transition_columns.TRANSITION`. Frame i of segment k has the key k/i."""
    head, shown = segment.header, dict(segment.shown)
    key, index = head.before, 0
    if segment.reset is not None:
        key, index = f"{head.number}/0", 1
    for step in segment.steps:
        next_key, source = f"{head.number}/{index}", step.input
        yield (
            transition_id(head.episode_id, step.step),
            head.episode_id,
            step.step,
            key,
            step.action,
            step.reward,
            next_key,
            step.terminated,
            step.truncated,
            None if step.info is None else step.info.decode(),
            wall_clock(head, step.server_us),
            step.server_us,
            step.late_us,
            shown.get(step.step),
            source.at_us if source else None,
            source.received_us if source else None,
            source.frame if source else None,
            step.stepped_us,
        )
        key, index = next_key, index + 1


def _event_rows(segment: Segment) -> Iterator[tuple[Any, ...]]:
    for event in segment.events:
        yield (
            segment.header.episode_id,
            event.number,
            event.kind,
            event.server_us,
            event.client_us,
            event.step,
            json.dumps(event.data),
        )


def _digest(segment: Segment, transitions: list[tuple[Any, ...]], events: list[tuple[Any, ...]]) -> str:
    """Return the digest of the rows, computed with the JSON values before they are serialised."""
    infos = (None if step.info is None else json.loads(step.info) for step in segment.steps)
    data = (event.data for event in segment.events)
    return digest_rows(zip(transitions, infos, strict=True), zip(events, data, strict=True))


def wall_clock(head: SegmentHeader, since_us: int) -> datetime:
    """Return the wall clock at the episode's start plus monotonic microseconds since (rule R10)."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=head.started_wall_us + since_us)
