"""Flags of quality: reasons to doubt an episode. They are computed by each query, and nothing is deleted."""

FLAGS_VERSION = 1
"""Raised when a condition changes. Every answer states it."""

FLAGS = {
    "mismatch": (
        "newest.result IN ('mismatch', 'damaged')",
        "the newest re-run differs, or the data is damaged",
    ),
    "dropped": ("m.dropped_frames > 0.01 * m.steps", "more than 1 % of the frames were not painted"),
    "late": ("m.missed_ticks > 0.01 * m.steps", "more than 1 % of the ticks were skipped"),
    "latency": ("coalesce(m.latency_p95_ms > 200, false)", "a twentieth of the inputs took more than 200 ms to show"),
    "focus": ("m.focus_losses > 0", "the page lost the focus or was hidden"),
    "idle": ("m.idle_seconds > 30", "no input for more than 30 s"),
    "slow": ("coalesce(m.active_speed < 0.9, false)", "slower than the game's own pace by more than a tenth"),
    "rejected": ("m.incident IS NOT NULL", "the server rejected a message of the page in lockstep"),
    "quarantined": ("m.quarantined_segments > 0", "storage rejected a part, so steps are missing"),
    "duplicate": (
        "coalesce(m.episode_id::text > twin.first_id, false)",
        "at least 100 steps, and the same seed and actions as an earlier episode",
    ),
}
"""Name to SQL condition on `episode_measure m` with `FLAGGED_SOURCES`, and what it says."""

FLAG_COLUMNS = (
    *("game_id", "seed", "actions_md5", "steps", "dropped_frames", "missed_ticks", "latency_p95_ms", "focus_losses"),
    *("idle_seconds", "active_speed", "incident", "quarantined_segments"),
)
"""Columns of `episode_measure` that the conditions read."""

FLAGGED_SOURCES = [
    "LEFT JOIN (SELECT c.episode_id, c.result::text AS result FROM certificate c\n"
    "    WHERE c.result IN ('mismatch', 'damaged') AND NOT EXISTS (SELECT FROM certificate later\n"
    "      WHERE later.episode_id = c.episode_id AND later.time_created > c.time_created)) AS newest\n"
    "    ON newest.episode_id = m.episode_id",
    "LEFT JOIN (SELECT game_id, seed, actions_md5, min(episode_id::text) AS first_id FROM episode_measure\n"
    "    WHERE steps >= 100{game} GROUP BY game_id, seed, actions_md5 HAVING count(*) > 1) AS twin\n"
    "    ON twin.game_id = m.game_id AND twin.seed = m.seed AND twin.actions_md5 = m.actions_md5",
]
"""Joins that the conditions read. `{game}` stands for a condition that limits the second one to a game."""
N_FLAGS = "(" + " + ".join(f"coalesce({condition}, false)::int" for condition, _ in FLAGS.values()) + ")"
"""Number of flags of an episode. Postgres expects a third of the rows to be below a number, and few to be NOT true."""
