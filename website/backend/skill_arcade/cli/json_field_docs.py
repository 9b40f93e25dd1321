"""Definitions of the fields of JSON columns, for the data dictionary. A test compares them with recordings."""

ENVIRONMENT = {
    "id": "Gymnasium id; `module:id` if a module registers it",
    "kwargs": "arguments of `gymnasium.make` from the game's manifest and the player's options",
    "gymnasium": "complete specification (`EnvSpec.to_json`): entry point, all kwargs, wrappers, step limit",
    "rom": "Atari: `game`, the name in ALE, and `sha256` of the ROM; otherwise null",
    "packages": "version of each package that can change the environment's behaviour",
    "python": "version of Python",
    "machine": "operating system and processor architecture",
}
PROVENANCE = {
    "skill_arcade": "version of this package",
    "server": "id of the server (table `server`); absent for earlier versions",
    "commit": "commit of the server, with the suffix `-dirty` if files were modified; null: unknown",
    "manifest_sha256": "SHA-256 of the game's manifest at the start of the episode, with the variant that was played "
    "and without the others (`game.config` is the newest manifest, with all)",
    "options": "options that the player chose, by name, except the default; the environment contains their effect",
    "consent": "id of the consent that the episode is recorded under (table `consent`); absent for programs and for "
    "earlier versions",
    "study": "only in a study: `name`, `version`, `arm`, `sequence` (order), `stage`, `trial`, `attempt`, "
    "`practice`, `input_delay_ms` and `frame_delay_ms` (0: no delay), `sound` (null: the participant chose), `ghost` "
    "and `lockstep` (allowed; `mode` says what was used); the view `study_episode` has them as columns",
    "mode": "streamed: the server steps the environment; lockstep: the browser does, and the server verifies each step",
    "lockstep": "lockstep only: `module_sha256` of the browser's emulator, `ale_seed`",
    "ghost": "only if the page showed a ghost: `episode` is its id; `seed` is same (this episode has the seed and "
    "settings of that one) or drawn",
    "branch": "only if the episode begins with a frame of another one: `kind` is play-from-here, `parent` and `step` "
    "are that episode and the number of its steps before the frame; `root` and `root_step` are the episode that began "
    "with a reset and the number of steps since; `score` is the sum of their rewards, which `episode.score` lacks",
    "agent": "only if a version of an agent played: `version_id` (table `agent_version`), `name`, `version` and "
    "`sha256` of weights or source",
    "takeover": "only if an agent acted until the person took over: `agent` is its name, `hand_back_steps` the number "
    "of steps after the last release until it acts again, `mode` what a control does: take-over, or together (both act "
    "in one step). Turn-based: `hand_back_steps` is 0, `interval_ms` the time "
    "between two moves of the agent when the episode began (null: stopped), and `hand_back_seconds` the time after the "
    "last press or release until it moves again",
    "program": "only if a program played: `pace` is stepped (the game waited for each action), realtime or lockstep "
    "(the program stepped its own copy of the game); `seed` is the seed that it chose, or null",
    "watch": "true if others could watch live by a link when the episode began; otherwise absent",
    "player.at": "time of this report: milliseconds since the time origin, browser clock",
    "player.time_origin": "time origin of the browser clock on the browser's wall clock: Unix time in milliseconds",
    "player.browser": "user agent",
    "player.screen": "width and height of the screen in CSS pixels",
    "player.pixel_ratio": "device pixels per CSS pixel",
    "player.refresh_hz": "refresh rate of the screen in Hz: median of 15 animation frames; null: not measured",
    "player.setup": "controls as reported by the page, each null or absent if not reported: `keys` of each control, "
    "`touch` controls shown, `hand`, `gamepads`, `sound` enabled",
    "player.isolated": "true if the page was cross-origin isolated: its clock then has a resolution of 5 µs, "
    "otherwise 100 µs",
}
EVENTS = {
    "input": "press or release of a control: `control`, `down`, `device` (keyboard, touch, mouse, gamepad), `code` of "
    "the key or button, `frame`: index of the observation on the screen",
    "act": "a program set the action of the coming steps: `action`, `frame`: index of the observation it decided by; "
    "only in real time: stepped, each action is a step, and in lockstep it follows from `input`",
    "takeover": "another one acts from the next step on: `actor` is human, agent or shared (both)",
    "human-action": "what the person does in the coming shared steps: `action`",
    "agent-action": "what the agent chooses for the coming steps, also where the person acts: `action`; null: it has "
    "failed",
    "takeover-reason": "why the person took over in the step `first_step`, as they said after it: `reason` is mistake, "
    "danger, demonstration or fun; of several, the last one counts",
    "agent-setup": "the person changed how the agent plays: `mode` is take-over or together, `interval_ms` its pace in "
    "a turn-based game, null: stopped",
    "agent-failed": "the agent raised an error, and acts no more: `error`",
    "setup": "change of keys, touch controls, gamepads or sound during the episode; fields as in `player.setup`",
    "focus": "`state`: blur or focus (the window lost or got the keyboard focus), hidden or visible (the page)",
    "pause": "the player paused the game, or the page did because it lost the focus; no fields",
    "resume": "the game continues after a pause; no fields",
    "watch": "the player let others watch live by a link, or ended it: `allowed`",
    "watchers": "`count`: number of people who watch live from now on; reported at most once per second",
    "detach": "the connection was lost, which pauses the game; no fields",
    "attach": "a connection was established again; no fields",
    "clock": "clock sample with four times: `asked_ms` (sent by the browser), `received_us` (by the server), "
    "`answered_us` (by the server), `back_ms` (received by the browser)",
    "align": "streamed: the page requested a shift of the steps by `later_ms` (negative: earlier) to align them with "
    "the frames of the display; the times of the steps include it",
    "late": "a step started at least one tick late: `late_us`, `ticks_missed`, which are skipped",
    "left-out": "`frames`: number of frames dropped before the next sent one, as the page was more than 1 s behind",
    "last-shown": "paint of the last observation, on which no step acted: `frame` is its index, `client_us` the time",
    "stream": "lockstep: the server steps the environment from here on: `reason`",
    "incident": "lockstep: the server rejected a message of the page: `what` is the reason, with the message's fields",
    "server-lost": "the server was lost, and another one ended the episode until more of it arrives: `server`, the id "
    "of the one that was lost",
    "handed-over": "the server let the episode go, and another one may continue it: `end_reason`, the reason of the "
    "end until one does, if the server stopped; no fields if the player connected to another server",
    "moved": "another server continues the episode that was handed over: `server`, the id of the one before",
    "rewound": "another server continues the episode without a hand-over, so that steps that the player saw may be "
    "missing before this event: `server`, the id of the one before, and `recovered_steps`, the number of steps before "
    "this event that it had shipped and not uploaded; without them the field is absent",
    "recovered": "the server was lost; another one has added what it had shipped, and ended the episode: `server`, the "
    "id of the one that was lost, and `recovered_steps`, the number of steps added",
}
