"""Whether what is kept of an episode is whole and fits together."""

from skill_arcade.dataset.source import Rows
from skill_arcade.errors import RecordingDamaged


def check_rows(rows: Rows) -> None:
    """Return if segments and transitions follow each other without a gap, and are as many as they say.

    Raises:
        RecordingDamaged: says what is missing.
    """
    episode = rows.episode.id
    n_steps = len(rows.transitions)
    _require(n_steps == rows.episode.n_steps, episode, f"{n_steps} of {rows.episode.n_steps} transitions are there")
    for step, row in enumerate(rows.transitions):
        _require(row.step == step, episode, f"transition {step} is missing")
    first_step = 0
    for number, segment in enumerate(rows.segments):
        _require(segment.number == number, episode, f"segment {number} is missing")
        _require(segment.first_step == first_step, episode, f"segment {number} begins at step {segment.first_step}")
        n_frames = segment.n_steps + (number == 0)
        _require(
            segment.n_frames == n_frames, episode, f"segment {number} has {segment.n_frames} frames, not {n_frames}"
        )
        first_step += segment.n_steps
    _require(first_step == n_steps, episode, f"its segments hold {first_step} transitions, its rows {n_steps}")
    _check_keys(rows)


def _check_keys(rows: Rows) -> None:
    places = [f"{s.number}/{index}" for s in rows.segments for index in range(s.n_frames)]
    for row in rows.transitions:
        found = (row.obs_key, row.next_obs_key)
        wanted = (places[row.step], places[row.step + 1])
        _require(found == wanted, rows.episode.id, f"observations of step {row.step} are at {found}, not {wanted}")


def _require(fits: bool, episode: object, reason: str) -> None:
    if not fits:
        raise RecordingDamaged(f"Episode {episode} is not whole: {reason}.")
