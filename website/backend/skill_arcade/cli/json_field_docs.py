"""What is inside the JSON columns, for the data dictionary; a test holds it to what is recorded."""

ENVIRONMENT = {
    "id": "Gymnasium's id; `module:id` where a module registers it",
    "kwargs": "arguments of `gymnasium.make` by the game's manifest",
    "gymnasium": "the whole specification (`EnvSpec.to_json`): entry point, all kwargs, wrappers, step limit",
    "rom": "Atari: `game`, ALE's name, and `sha256` of the ROM; else null",
    "packages": "version of each package that can change what the environment does",
    "python": "version of Python",
    "machine": "system and processor architecture",
}
PROVENANCE = {
    "skill_arcade": "version of this package",
    "commit": "commit of the server, `-dirty` when files differed from it; null: neither told nor in a clone",
    "manifest_sha256": "SHA-256 of the game's manifest as it was played (`game.config` is the newest)",
    "options": "what the player chose of what the game offers, by name; the environment has it in `kwargs`",
    "mode": "streamed: the server stepped; lockstep: the page did, and the server took the same steps",
    "lockstep": "lockstep only: `module_sha256` of the page's emulator, `ale_seed`",
    "player.at": "the page said this at: browser clock, milliseconds",
    "player.time_origin": "zero of the browser's clock by its own wall clock, Unix milliseconds",
    "player.browser": "user agent",
    "player.screen": "width and height of the screen in CSS pixels",
    "player.pixel_ratio": "device pixels to a CSS pixel",
    "player.refresh_hz": "of the screen, the median gap of 15 animation frames; null: not measured",
    "player.setup": "as told by the page, null or absent: not told. `keys` of each control as this person has them, "
    "`touch` controls shown, `hand`, `gamepads`, `sound` played",
    "player.isolated": "whether the page was cross-origin isolated: its clock then resolves 5 µs, else 100 µs",
}
EVENTS = {
    "input": "a control went down or up: `control`, `down`, `device` (keyboard, touch, mouse, gamepad), `code` of the "
    "key or button, `frame`: observation on the screen then",
    "setup": "the person's keys, touch controls, gamepads or sound changed while playing; as in `player.setup`",
    "focus": "`state`: blur, focus (the window lost or got the keyboard), hidden, visible (the page)",
    "pause": "the player paused, or the page did because it lost focus; nothing in it",
    "resume": "it goes on; nothing in it",
    "detach": "the socket is gone: the game is paused; nothing in it",
    "attach": "a socket is there again; nothing in it",
    "clock": "a clock sample, four times: `asked_ms`, `received_us`, `answered_us`, `back_ms`",
    "align": "streamed: the page asked that steps come `later_ms` (below zero: earlier), to meet its display's "
    "frames; each step's own time is on record",
    "late": "a step came a whole tick late or more: `late_us`, `ticks_missed`, which are not made up for",
    "left-out": "`frames`: so many were not sent before this one, since the page was more than a second behind",
    "last-shown": "`frame`: the last observation, which no step acted on, was painted at `client_us`",
    "stream": "lockstep: the page can't go on by itself, the server steps from here: `reason`",
    "incident": "lockstep: what the page sent does not fit: `what`, and all that it sent",
}
