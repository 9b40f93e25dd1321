"""Comments of tables, columns and views: the data dictionary in precise terms."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Object, new comment, old comment.
COMMENTS = [
    (
        'TABLE "baseline_source"',
        "A source of published scores. Its scores never change; another version of them is another source.",
        "Where published scores come from. Figures never change: another version is another source.",
    ),
    ('COLUMN "baseline_source"."id"', "short name", "short name of the source"),
    (
        'COLUMN "baseline_source"."version"',
        "commit or table that contains the scores",
        "commit or table that the figures were taken from",
    ),
    ('COLUMN "baseline_source"."citation"', "reference to cite", "what to cite"),
    (
        'COLUMN "baseline_source"."protocol"',
        "protocol by which the scores were measured",
        "how these scores came about",
    ),
    (
        'TABLE "erasure"',
        "Tombstone of an account that its player erased, with counts of the erased episodes.",
        "What is left of an account that its player erased: that it was there, and how much was played on it.",
    ),
    (
        'COLUMN "erasure"."user_id"',
        "id of the erased user; never used again, so that late uploads are dropped",
        "the id that it had; never used again, so what arrives late is dropped",
    ),
    ('COLUMN "erasure"."time_created"', "time of the request, database clock", "erasure asked for, database clock"),
    (
        'COLUMN "erasure"."time_erased"',
        "time at which all rows and objects were deleted, database clock; null: in progress",
        "all rows and objects were gone, database clock; null: under way",
    ),
    (
        'COLUMN "erasure"."games"',
        "game id to the numbers of erased episodes and steps",
        "game id to the episodes and steps of it that were erased",
    ),
    (
        'TABLE "game"',
        "A game of the catalogue, with its manifest at the last server start.",
        "A game of the catalogue, as its manifest stood at the last server start.",
    ),
    ('COLUMN "game"."id"', "file name of the manifest without .yaml", "the manifest's file name without .yaml"),
    ('COLUMN "game"."config"', "complete manifest", "the whole manifest"),
    (
        'COLUMN "game"."time_created"',
        "time of the first server start with this game, database clock",
        "first seen, database clock",
    ),
    (
        'COLUMN "game"."time_updated"',
        "time of the manifest's last change, database clock",
        "last change of the manifest, database clock",
    ),
    ('TABLE "user"', "A player.", "A person who plays."),
    (
        'COLUMN "user"."id"',
        "keyed hash of the e-mail; it cannot be computed without the server's key",
        "keyed hash of the e-mail; no guess without the server's key",
    ),
    ('COLUMN "user"."email"', "normalised e-mail; null after erasure", "normalised e-mail; null once erased"),
    ('COLUMN "user"."time_created"', "time of the first sign-in, database clock", "first sign-in, database clock"),
    ('COLUMN "user"."time_updated"', "time of the last change, database clock", "last change, database clock"),
    (
        'TABLE "baseline"',
        "Published scores for an environment: the returns that have the normalised scores 0 and 1.",
        "A published score: return 0 and 1 of the normalised scale.",
    ),
    ('COLUMN "baseline"."source_id"', "source", "the source"),
    ('COLUMN "baseline"."environment_id"', "Gymnasium id, such as ALE/Breakout-v5", "Gymnasium's id: ALE/Breakout-v5"),
    (
        'COLUMN "baseline"."random"',
        "mean return of a random agent; normalised score 0",
        "mean return of a random agent",
    ),
    (
        'COLUMN "baseline"."human"',
        "return of a human, given by the source; normalised score 1",
        "return of a person, as the source has it",
    ),
    (
        'TABLE "episode"',
        "One episode of a game, from `reset(seed=...)` to its end, with all data for a bit-exact re-run.",
        "One play of a game, from `reset(seed=...)` to its end, with all that a bit-exact re-run needs.",
    ),
    ('COLUMN "episode"."id"', "UUID version 7; sorts by start time", "UUID version 7: sorts by start"),
    ('COLUMN "episode"."user_id"', "player", "who played"),
    ('COLUMN "episode"."game_id"', "game", "what was played"),
    (
        'COLUMN "episode"."n_steps"',
        "number of stored transitions; final once the episode has ended",
        "transitions delivered so far; final once ended",
    ),
    (
        'COLUMN "episode"."status"',
        "won or lost by the manifest's rule; incomplete: still running, or ended without a result",
        "incomplete until an end that the manifest calls won or lost",
    ),
    ('COLUMN "episode"."score"', "sum of the stored rewards", "sum of rewards so far"),
    (
        'COLUMN "episode"."end_reason"',
        "reason of the end: terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running",
        "terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running",
    ),
    (
        'COLUMN "episode"."environment"',
        "id, kwargs, specification and package versions, for a re-run",
        "id, kwargs, spec and package versions: what a re-run needs",
    ),
    (
        'COLUMN "episode"."provenance"',
        "version and commit of the server, hash of the manifest, browser, screen",
        "package version and commit, manifest hash, browser, screen, device",
    ),
    ('COLUMN "episode"."reset_info"', "info returned by reset()", "info returned by reset"),
    (
        'COLUMN "episode"."time_created"',
        "time at which reset() returned, server wall clock",
        "reset returned, server wall clock",
    ),
    (
        'COLUMN "episode"."time_ended"',
        "time of the end, server wall clock; null while running",
        "end of the episode, server wall clock",
    ),
    ('COLUMN "episode"."time_updated"', "time of the last upload, database clock", "last delivery, database clock"),
    (
        'TABLE "preference"',
        "Preferences of a player, stored by the web page. Researchers cannot read them.",
        "How a player likes to play, as the page keeps it. No researcher reads it.",
    ),
    ('COLUMN "preference"."user_id"', "player", "whose"),
    (
        'COLUMN "preference"."settings"',
        "key bindings by game, hand, favourites, ...: body of the last PUT /me/preferences",
        "keys of each game, hand, favourites, ...: what PUT /me/preferences last took",
    ),
    ('COLUMN "preference"."time_updated"', "time of the last change, database clock", "last change, database clock"),
    (
        'TABLE "certificate"',
        "The verdict of one re-run of a finished episode, compared with its recording. The newest one counts.",
        "One re-run of a finished episode from what is kept, compared with what is kept. The newest one counts.",
    ),
    ('COLUMN "certificate"."episode_id"', "episode", "the episode"),
    (
        'COLUMN "certificate"."time_created"',
        "time of the re-run's end, database clock",
        "end of the re-run, database clock",
    ),
    (
        'COLUMN "certificate"."result"',
        "certified (identical), mismatch, irreproducible (two re-runs differ) or damaged recording",
        "certified, mismatch at step, irreproducible (differs from itself), or damaged",
    ),
    (
        'COLUMN "certificate"."step"',
        "first step that differs; -1: the reset differs; null: no step differs",
        "first step whose outcome differs; -1: the reset; null: none",
    ),
    ('COLUMN "certificate"."reason"', "explanation in English; empty if certified", "in words; empty when certified"),
    ('COLUMN "certificate"."n_steps"', "number of compared steps", "steps that were compared"),
    ('COLUMN "certificate"."seconds"', "duration of the re-run, seconds", "time that the re-run took"),
    (
        'COLUMN "certificate"."versions"',
        "package versions, Python version and machine of the re-run",
        "packages, Python and machine of the re-run",
    ),
    (
        'TABLE "event"',
        "An event of an episode other than a step: raw input, focus change, pause, clock sample, ...",
        "Something that happened in an episode beside its steps: raw input, focus, pause, clock sample, ...",
    ),
    ('COLUMN "event"."episode_id"', "episode", "the episode"),
    (
        'COLUMN "event"."number"',
        "0-based number of the event in the episode, in order of arrival",
        "0-based order of arrival",
    ),
    (
        'COLUMN "event"."kind"',
        "kind: input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary",
        "input, focus, pause, resume, detach, attach, clock, late, left-out, ...; see the data dictionary",
    ),
    (
        'COLUMN "event"."server_us"',
        "arrival at the server: microseconds since the episode's start, server monotonic clock",
        "arrival: microseconds since the episode's start, server monotonic clock",
    ),
    (
        'COLUMN "event"."client_us"',
        "event in the browser: microseconds since the time origin, browser clock; null: not from the browser",
        "it happened: browser clock, microseconds since its time origin",
    ),
    ('COLUMN "event"."step"', "number of steps taken before the arrival", "steps taken when it arrived"),
    ('COLUMN "event"."data"', "fields of the kind; see the data dictionary", "what is particular to the kind"),
    (
        'TABLE "quarantine"',
        "A segment that storage rejects for its content. Its file is quarantined, so its steps are missing.",
        "A segment that storage rejects for its content. It is set aside whole; its steps are missing from the episode.",
    ),
    ('COLUMN "quarantine"."episode_id"', "episode", "the episode"),
    ('COLUMN "quarantine"."time_created"', "time of the quarantine, database clock", "quarantined, database clock"),
    (
        'COLUMN "quarantine"."n_steps"',
        "number of steps; null: the segment cannot be parsed",
        "steps in it; null: the segment cannot be parsed",
    ),
    (
        'COLUMN "quarantine"."operation"',
        "failed operation: encode, objects or rows",
        "what failed: encode, objects or rows",
    ),
    (
        'COLUMN "quarantine"."code"',
        "SQLSTATE or HTTP status of the error; empty: the error has none",
        "SQLSTATE or HTTP status; empty: none",
    ),
    (
        'COLUMN "quarantine"."version"',
        "version of the server that quarantined the segment",
        "version of the arcade that rejected it",
    ),
    (
        'TABLE "segment"',
        "An uploaded segment of an episode. Its row is written in the same transaction as its transitions.",
        "A delivered piece of an episode. Its row is written in the transaction of its transitions.",
    ),
    ('COLUMN "segment"."episode_id"', "episode", "the episode"),
    (
        'COLUMN "segment"."number"',
        "0-based number of the segment in the episode; SEGMENT of obs_key",
        "0-based; SEGMENT of obs_key",
    ),
    ('COLUMN "segment"."first_step"', "step of the segment's first transition", "step of its first transition"),
    ('COLUMN "segment"."n_steps"', "number of transitions", "transitions in it"),
    ('COLUMN "segment"."n_frames"', "number of frames", "frames in its object"),
    ('COLUMN "segment"."n_bytes"', "total size of the objects, bytes", "size of its objects"),
    ('COLUMN "segment"."objects"', "object key to SHA-256 in hexadecimal", "object key to SHA-256, hexadecimal"),
    (
        'COLUMN "segment"."n_events"',
        "number of events; null: uploaded by an older version",
        "events in it; null: delivered before this was kept",
    ),
    (
        'COLUMN "segment"."rows_sha256"',
        "SHA-256 of the uploaded transitions (without shown_us, which may change later) and events; null: uploaded by an older version",
        "SHA-256 of its transitions (without shown_us, which comes later) and events as they were delivered; null: before this was kept",
    ),
    ('COLUMN "segment"."time_delivered"', "time of the upload, database clock", "database clock"),
    (
        'TABLE "transition"',
        "One step: `obs`, action, reward, `next_obs`. Observation i of an episode is the one before step i.",
        "One step: `obs`, action, reward, `next_obs`. Observation n of an episode is the one before step n.",
    ),
    (
        'COLUMN "transition"."id"',
        "episode_id + step + 1; not indexed, select by episode_id and step",
        "episode_id + step + 1; find a row by those two, they are the key",
    ),
    ('COLUMN "transition"."episode_id"', "episode", "the episode"),
    ('COLUMN "transition"."step"', "0-based index of the step in the episode", "0-based index in the episode"),
    (
        'COLUMN "transition"."action"',
        "index of the action in the environment's action space",
        "index in the environment's action space",
    ),
    ('COLUMN "transition"."reward"', "reward returned by step()", "as returned by step"),
    (
        'COLUMN "transition"."time_created"',
        "time at which step() returned, server wall clock",
        "step returned, server wall clock",
    ),
    (
        'COLUMN "transition"."server_us"',
        "start of step(): microseconds since the episode's start, server monotonic clock",
        "step began: microseconds since the episode's start, server monotonic clock",
    ),
    (
        'COLUMN "transition"."shown_us"',
        "paint of the observation acted on: microseconds since the time origin, browser clock; null: not painted",
        "the obs acted on was painted: browser clock, microseconds since its origin; null: never shown",
    ),
    (
        'COLUMN "transition"."input_us"',
        "input that determined the action: microseconds since the time origin, browser clock; null: no input yet",
        "the input in force happened: browser clock, microseconds since its time origin; null: none yet",
    ),
    (
        'COLUMN "transition"."input_received_us"',
        "arrival of that input: microseconds since the episode's start, server monotonic clock; null: no input yet",
        "that input arrived: microseconds since the episode's start, server monotonic clock",
    ),
    (
        'COLUMN "transition"."stepped_us"',
        "lockstep: start of the step in the browser, microseconds since the time origin, browser clock; null: streamed",
        "lockstep: the page took this step, by the browser's clock, microseconds since its time origin; null: the server paced it",
    ),
    (
        'COLUMN "transition"."late_us"',
        "delay of the step after its deadline, microseconds; null: turn-based or lockstep",
        "step began this many microseconds after its deadline; null when turn-based or in lockstep",
    ),
    (
        'COLUMN "transition"."input_frame"',
        "index of the observation on the player's screen at that input; null: unknown, or no input yet",
        "observation index on the player's screen when that input happened",
    ),
    ('COLUMN "transition"."terminated"', "terminated, returned by step()", "as returned by step"),
    ('COLUMN "transition"."truncated"', "truncated, returned by step()", "as returned by step"),
    (
        'COLUMN "transition"."obs_key"',
        "observation acted on: SEGMENT/INDEX, the index within the segment",
        "where the observation acted on is: SEGMENT/INDEX in it",
    ),
    (
        'COLUMN "transition"."next_obs_key"',
        "observation after the step: obs_key of the next step",
        "obs_key of the next step",
    ),
    (
        'COLUMN "transition"."info"',
        "stored keys of info; null: same as for the previous step",
        "kept part of info; null: as in the step before",
    ),
    (
        'VIEW "episode_summary"',
        "One row per episode: its result, its latencies and the quality of its recording.",
        "A row for each episode: how it went, and how good its record is",
    ),
    (
        'VIEW "input_latency"',
        "One row per input that determined the action of at least one step.",
        "A row for each input that came into force: key pressed to first picture made with it, browser clock",
    ),
    (
        'VIEW "learning_curve"',
        "One row per ended episode: a player's progress in a game.",
        "A row for each ended episode: the how-manieth of this player in this game, after how much play and what break",
    ),
    (
        'VIEW "reaction_time"',
        "One row per press of a control, with the observation on the screen and the newest stimulus before it.",
        "A row for each press: how long after the picture on the screen, and after the newest stimulus before it",
    ),
    (
        'VIEW "action_use"',
        "One row per episode and action that occurs in it.",
        "A row for each action that an episode has: how often, and held for how long",
    ),
    (
        'VIEW "human_normalised_score"',
        "One row per ended episode and published source with a human score for its environment.",
        "A row for each ended episode and published source of a human score for its environment",
    ),
]


def upgrade() -> None:
    """Apply."""
    for name, new, _ in COMMENTS:
        set_comment(name, new)


def downgrade() -> None:
    """Take back."""
    for name, _, old in COMMENTS:
        set_comment(name, old)


def set_comment(name: str, comment: str) -> None:
    """Set the comment of a table, column or view."""
    literal = comment.replace("'", "''")
    op.execute(sa.text(f"COMMENT ON {name} IS '{literal}'".replace(":", r"\:")))
