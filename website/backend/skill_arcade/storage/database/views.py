"""Descriptions of the views for researchers and of their columns. Migrations contain the SQL."""

from skill_arcade.storage.database.tables import Episode

_ID_COLUMNS = {"episode_id": "episode", "player_id": "pseudonym of the player: user.id", "game_id": "game"}

_PLAYED_COLUMNS = [
    "id",
    "user_id",
    "game_id",
    "seed",
    "n_steps",
    "score",
    "status",
    "end_reason",
    "environment",
    "provenance",
    "time_created",
    "time_ended",
]

VARIANT = (
    "present id of the game and, after ?, the options that select its environment, such as frozen-lake?map=8x8; "
    "former ids of the same variant have the same value"
)

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "played_episode": (
        "One row per episode of a person: the table episode without the episodes of programs.",
        {name: str(Episode.__table__.columns[name].comment) for name in _PLAYED_COLUMNS},  # type: ignore[attr-defined]
    ),
    "episode_consent": (
        "One row per episode and scope: whether the episode may be used for it now.",
        {
            "episode_id": "episode",
            "consent_id": "consent that it was recorded under; null: no consent on record",
            "scope": "research, publication or boards (replays and leaderboards)",
            "is_allowed": "true if its consent has the scope and it is not withdrawn; without a consent, by the "
            "owner's newest consent_decision",
        },
    ),
    "study_episode": (
        "One row per episode of a person in a study: its condition, stage and trial.",
        {
            "episode_id": _ID_COLUMNS["episode_id"],
            "player_id": "pseudonym of the participant: user.id",
            "study": "study",
            "version": "number of the version of the study's file",
            "arm": "condition between participants",
            "sequence": "row of the Williams square of counterbalanced stages; null: none",
            "stage": "name of the stage",
            "trial": "0-based number of the trial in the stage",
            "attempt": "0-based number of the attempt at this trial",
            "is_practice": "true: practice",
            "is_complete": "true if the game ended or its limit was reached; otherwise the trial was repeated",
            "is_excluded": "true if the newest participant_exclusion excludes the participant",
            "input_delay_ms": "time by which inputs acted later than they arrived, milliseconds; 0: no delay",
            "frame_delay_ms": "time by which pictures were sent later than they were made, milliseconds; 0: no delay",
            "sound": "true: with sound; false: without; null: the participant chose",
            "ghost": "true if the page showed the participant's last game of the stage, once there was one",
            "lockstep": "true if the page might step the game itself; episode_summary.mode says whether it did",
        },
    ),
    "episode_summary": (
        "One row per episode: its result, its latencies and the quality of its recording.",
        {
            **_ID_COLUMNS,
            "environment_id": "Gymnasium id",
            "seed": "argument of reset(seed=...)",
            "return": "sum of rewards",
            "steps": "number of transitions",
            "status": "won, lost or incomplete",
            "end_reason": "terminated, truncated, left, ...; null while running",
            "time_created": "time at which reset() returned, server wall clock",
            "time_ended": "time of the end, server wall clock; null while running",
            "duration_seconds": "seconds from time_created to time_ended; null while running",
            "certified": "true if the result of the newest certificate is certified",
            "latency_p50_ms": "median of input_latency.latency_ms; null: no input",
            "latency_p95_ms": "95th percentile of input_latency.latency_ms; null: no input",
            "dropped_frames": "number of observations that were acted on and never painted",
            "device": "most frequent input device: keyboard, touch, mouse or gamepad; null: no input",
            "browser": "user agent, reported by the browser",
            "refresh_hz": "refresh rate of the screen in Hz, measured by the page; null: not measured",
            "mode": "streamed (the server steps), lockstep (the browser steps, the server verifies) or mixed "
            "(lockstep, then streamed)",
            "incident": "lockstep: reason for which the server rejected a message (replayed, too-fast, diverged, "
            "...); null: none",
            "pauses": "episode_pace.pauses",
            "paused_seconds": "episode_pace.paused_seconds",
            "active_speed": "episode_pace.active_speed",
            "overall_speed": "episode_pace.overall_speed",
            "variant": "episode_variant.variant",
            "is_branch": "true: it begins at a frame of another episode (`provenance.branch`)",
            "with_agent": "true: an agent acted in it until the person took over (`provenance.takeover`)",
        },
    ),
    "episode_pace": (
        "One row per episode: pauses, and how fast it was played compared with the game's own pace.",
        {
            "episode_id": "episode",
            "nominal_hz": "steps per second at the game's pace and the chosen speed, from the manifest at the last "
            "server start; null: turn-based",
            "pauses": "number of pauses: by the player, or by a lost connection or a switch to streaming, up to resume",
            "paused_seconds": "total length of these pauses in seconds, server monotonic clock; the last one may end "
            "with the episode",
            "elapsed_seconds": "seconds from the first step to the last one, server monotonic clock; null: fewer than "
            "2 steps",
            "active_seconds": "elapsed_seconds without the pauses in between",
            "active_speed": "steps / (nominal_hz * active_seconds): 1 is the game's own pace, 0.9 is slow motion by a "
            "tenth; null: turn-based or fewer than 2 steps",
            "overall_speed": "steps / (nominal_hz * elapsed_seconds): like active_speed, but pauses count too, so many "
            "short pauses show as slow motion",
        },
    ),
    "input_latency": (
        "One row per input that determined the action of at least one step.",
        {
            "episode_id": "episode",
            "step": "first step whose action the input determined",
            "input_us": "time of the input: microseconds since the time origin, browser clock",
            "latency_ms": "time from the input to the paint of the observation after this step, milliseconds, browser "
            "clock; excludes the screen's own delay",
        },
    ),
    "episode_variant": (
        "One row per episode of a person: the variant of a game that was played, under its present name.",
        {"episode_id": "episode", "variant": VARIANT},
    ),
    "learning_curve": (
        "One row per ended episode that begins with a reset: a player's progress in a variant of a game, also "
        "under its former ids.",
        {
            **_ID_COLUMNS,
            "episode_index": "1-based index of the episode among the player's episodes of this variant",
            "return": "sum of rewards",
            "steps": "number of transitions",
            "status": "won, lost or incomplete",
            "time_created": "time at which reset() returned, server wall clock",
            "cumulative_frames": "number of the player's steps in this variant, including this episode",
            "cumulative_minutes": "minutes of play in this variant, with this episode and pauses, server wall clock",
            "gap_seconds": "seconds since the end of the previous episode, server wall clock; null: first episode",
            "session_index": "1-based index of the session; a gap of more than 30 minutes starts a new session",
            "variant": "episode_variant.variant; the episodes of a player in a variant are counted together",
        },
    ),
    "reaction_time": (
        "One row per press of a control, with the observation on the screen and the newest stimulus before it.",
        {
            **_ID_COLUMNS,
            "number": "event.number of the press",
            "control": "name of the control in the manifest",
            "device": "keyboard, touch, mouse or gamepad",
            "frame": "index of the observation on the screen at the press",
            "shown_us": "paint of that observation: microseconds since the time origin, browser clock; null: it is the "
            "last one",
            "input_us": "time of the press: microseconds since the time origin, browser clock",
            "reaction_ms": "milliseconds from shown_us to input_us: the reaction time in a turn-based game",
            "stimulus": "newest stimulus up to that observation: start, reward, or info (the stored info changed)",
            "stimulus_frame": "index of the first observation after the stimulus",
            "stimulus_ms": "milliseconds from the paint of stimulus_frame to the press, browser clock: the reaction "
            "time in a real-time game",
        },
    ),
    "action_use": (
        "One row per episode and action that occurs in it.",
        {
            **_ID_COLUMNS,
            "action": "index of the action in the environment's action space",
            "steps": "number of steps with this action",
            "share": "share of the episode's steps, 0 to 1",
            "holds": "number of runs of consecutive steps with this action",
            "mean_hold_steps": "mean length of these runs in steps: steps / holds",
        },
    ),
    "human_normalised_score": (
        "One row per ended episode and published source with a human score for its environment.",
        {
            **_ID_COLUMNS,
            "environment_id": "Gymnasium id",
            "return": "sum of rewards",
            "normalised": "(return - random) / (human - random)",
            "random": "mean return of a random agent",
            "human": "return of a human, given by the source",
            "source": "baseline_source.id",
            "version": "commit or table that contains the scores",
            "citation": "reference to cite",
            "protocol": "protocol by which the scores were measured",
        },
    ),
}
