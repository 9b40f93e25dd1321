"""The views for researchers and what their columns mean. Their SQL is in the migrations."""

_WHO = {"episode_id": "the episode", "player_id": "pseudonym of the player: user.id", "game_id": "the game"}

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "episode_summary": (
        "A row for each episode: how it went, and how good its record is.",
        {
            **_WHO,
            "environment_id": "Gymnasium's id",
            "seed": "argument of reset(seed=...)",
            "return": "sum of rewards",
            "steps": "transitions",
            "status": "won, lost or incomplete",
            "end_reason": "terminated, truncated, left, ...; null while running",
            "time_created": "reset returned, server wall clock",
            "time_ended": "end, server wall clock; null while running",
            "duration_seconds": "between those two",
            "certified": "its newest certificate says: run again, and the same in all",
            "latency_p50_ms": "median of input_latency.latency_ms; null: no input",
            "latency_p95_ms": "95th percentile of the same",
            "dropped_frames": "observations that were acted on and never painted",
            "device": "most used: keyboard, touch, mouse or gamepad; null: no input",
            "browser": "user agent, as the page told",
            "refresh_hz": "of the screen, measured by the page",
            "mode": "streamed: the server stepped; lockstep: the page did, and the server after it; mixed: lockstep, "
            "then streamed",
            "incident": "lockstep: why what the page sent was refused (replayed, too-fast, diverged, ...); null: "
            "it was not",
        },
    ),
    "input_latency": (
        "A row for each input that came into force in an episode.",
        {
            "episode_id": "the episode",
            "step": "first step that it decided",
            "input_us": "it happened: browser clock, microseconds since its time origin",
            "latency_ms": "from then to the paint of the observation that this step led to, browser clock, ms; "
            "the screen's own delay is not in it",
        },
    ),
    "learning_curve": (
        "A row for each ended episode: a player's way through a game.",
        {
            **_WHO,
            "episode_index": "1, 2, ... of this player in this game",
            "return": "sum of rewards",
            "steps": "transitions",
            "status": "won, lost or incomplete",
            "time_created": "reset returned, server wall clock",
            "cumulative_frames": "steps in this game up to the end of this episode",
            "cumulative_minutes": "minutes in this game up to the end of this episode, pauses included, server clock",
            "gap_seconds": "since the end of the episode before, server wall clock; null: the first",
            "session_index": "1, 2, ...; a gap of more than 30 minutes begins another session",
        },
    ),
    "reaction_time": (
        "A row for each press of a control: what was on the screen then, and since when.",
        {
            **_WHO,
            "number": "event.number",
            "control": "what was pressed, by the manifest's name",
            "device": "keyboard, touch, mouse or gamepad",
            "frame": "observation that was on the screen",
            "shown_us": "it was painted: browser clock, microseconds; null: the last observation",
            "input_us": "the press: browser clock, microseconds",
            "reaction_ms": "between those two, milliseconds: the reaction, in a turn-based game",
            "stimulus": "newest of note up to that observation: start, reward, or info (the kept info changed)",
            "stimulus_frame": "observation that showed it first",
            "stimulus_ms": "from its paint to the press, browser clock, milliseconds: the reaction, in real time",
        },
    ),
    "action_use": (
        "A row for each action that an episode has.",
        {
            **_WHO,
            "action": "index in the environment's action space",
            "steps": "steps with it",
            "share": "of the steps of the episode, 0 to 1",
            "holds": "runs of steps with it",
            "mean_hold_steps": "steps / holds",
        },
    ),
    "human_normalised_score": (
        "A row for each ended episode and each published source that has a human score for its environment.",
        {
            **_WHO,
            "environment_id": "Gymnasium's id",
            "return": "sum of rewards",
            "normalised": "(return - random) / (human - random)",
            "random": "mean return of a random agent",
            "human": "return of a person, by this source",
            "source": "baseline_source.id",
            "version": "commit or table of the source",
            "citation": "what to cite",
            "protocol": "how those scores came about",
        },
    ),
}
