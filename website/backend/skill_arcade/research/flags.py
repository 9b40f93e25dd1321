"""Flags of quality: reasons to doubt an episode. Nothing is deleted."""

from skill_arcade.storage.database.tables.measures import FLAG_CONDITIONS

FLAGS_VERSION = 1
"""Raised when a condition changes. Every answer states it."""

FLAG_REASONS = {
    "mismatch": "the newest re-run differs, or the data is damaged",
    "dropped": "more than 1 % of the frames were not painted",
    "late": "more than 1 % of the ticks were skipped",
    "latency": "a twentieth of the inputs took more than 200 ms to show",
    "focus": "the page lost the focus or was hidden",
    "idle": "no input for more than 30 s",
    "slow": "slower than the game's own pace by more than a tenth",
    "rejected": "the server rejected a message of the page in lockstep",
    "quarantined": "storage rejected a part, so steps are missing",
    "duplicate": "at least 100 steps, and the same seed and actions as an earlier episode",
}
"""What each flag says."""

FLAGS = {"mismatch": "newest.episode_id IS NOT NULL", **FLAG_CONDITIONS}
"""Name to SQL condition on the columns of `episode_measure` and on `newest`, which is joined by `NEWEST_MISMATCH`."""

FLAG_COLUMNS = (
    *("steps", "dropped_frames", "missed_ticks", "latency_p95_ms", "focus_losses", "idle_seconds", "active_speed"),
    *("incident", "quarantined_segments", "is_duplicate"),
)
"""Columns of `episode_measure` that the conditions read."""

# A later certificate replaces an earlier one, so the certifier's results are not in `episode_measure`.
NEWEST_MISMATCH = (
    "LEFT JOIN (SELECT c.episode_id FROM certificate c\n"
    "    WHERE c.result IN ('mismatch', 'damaged') AND NOT EXISTS (SELECT FROM certificate later\n"
    "      WHERE later.episode_id = c.episode_id AND later.time_created > c.time_created)) AS newest\n"
    "    ON newest.episode_id = m.episode_id"
)
"""Join of the episodes `m` whose newest certificate is a mismatch. Each has one row."""

N_FLAGS = "m.n_flags + (newest.episode_id IS NOT NULL)::int"
"""Number of flags of an episode. Postgres expects a third of the rows to be below a number, and few to be NOT true."""
