"""Checks that the rows of an episode are complete and consistent."""

from operator import attrgetter

from skill_arcade.dataset.source import Rows
from skill_arcade.errors import RecordingDamaged
from skill_arcade.storage.database.provisional_ends import SERVER_LOST
from skill_arcade.storage.database.row_digest import digest_rows
from skill_arcade.storage.database.segment_writer import EVENT_COLUMNS
from skill_arcade.storage.database.transition_columns import COLUMN_NAMES

_transition_values, _event_values = attrgetter(*COLUMN_NAMES), attrgetter(*EVENT_COLUMNS)


def check_rows(rows: Rows) -> None:
    """Check that segments and transitions are contiguous and match the stored counts.

    Raises:
        RecordingDamaged: the message says what is missing.
    """
    episode = rows.episode.id
    n_steps = len(rows.transitions)
    _ensure(n_steps == rows.episode.n_steps, episode, f"{n_steps} of {rows.episode.n_steps} transitions are stored")
    for step, row in enumerate(rows.transitions):
        _ensure(row.step == step, episode, f"transition {step} is missing")
    first_step = 0
    for number, segment in enumerate(rows.segments):
        _ensure(segment.number == number, episode, f"segment {number} is missing")
        _ensure(segment.first_step == first_step, episode, f"segment {number} begins at step {segment.first_step}")
        n_frames = segment.n_steps + (number == 0)
        _ensure(
            segment.n_frames == n_frames, episode, f"segment {number} has {segment.n_frames} frames, not {n_frames}"
        )
        first_step += segment.n_steps
    _ensure(first_step == n_steps, episode, f"its segments hold {first_step} transitions, its rows {n_steps}")
    _check_keys(rows)


def find_modified_rows(rows: Rows) -> list[str]:
    """Return one message per segment whose rows differ from the uploaded ones. Call `check_rows` first."""
    changes, n_events = [], 0
    for segment in rows.segments:
        if segment.rows_sha256 is None:
            return []
        steps = rows.transitions[segment.first_step : segment.first_step + segment.n_steps]
        events = rows.events[n_events : n_events + segment.n_events]
        n_events += segment.n_events
        digested_rows = (
            ((_transition_values(row), row.info) for row in steps),
            ((_event_values(row), row.data) for row in events),
        )
        if digest_rows(*digested_rows) != segment.rows_sha256:
            location = (
                f"steps {segment.first_step} to {segment.first_step + segment.n_steps - 1}" if steps else "no steps"
            )
            changes.append(f"rows of segment {segment.number} ({location}) differ from the uploaded ones")
    n_added = sum(event.kind == SERVER_LOST for event in rows.events)
    if n_events != len(rows.events) - n_added:
        changes.append(f"{len(rows.events) - n_added} events are stored, {n_events} were uploaded")
    return changes


def _check_keys(rows: Rows) -> None:
    keys = [f"{s.number}/{index}" for s in rows.segments for index in range(s.n_frames)]
    for row in rows.transitions:
        found = (row.obs_key, row.next_obs_key)
        expected = (keys[row.step], keys[row.step + 1])
        _ensure(found == expected, rows.episode.id, f"observations of step {row.step} are at {found}, not {expected}")


def _ensure(fits: bool, episode: object, reason: str) -> None:
    if not fits:
        raise RecordingDamaged(f"The recording of episode {episode} is damaged: {reason}.")
