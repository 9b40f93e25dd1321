"""One episode: it steps the stage, encodes each picture once, and records before anything is sent."""

import logging
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.frames.encoder import EncodedFrame, Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.observation import describe_leaves, pack_observation
from skill_arcade.recording.records import (
    ActiveInput,
    EpisodeEnd,
    RecordedEvent,
    RecordedFrame,
    RecordedStep,
    SegmentHeader,
)

log = logging.getLogger(__name__)


class FrameUpdate(NamedTuple):
    """What the player gets to see of an observation. `server_us`: absolute, when its step began."""

    frame: int
    server_us: int
    piece: EncodedFrame
    score: float
    lives: int
    terminated: bool = False
    truncated: bool = False

    @property
    def is_final(self) -> bool:
        """True for the episode's last observation."""
        return self.terminated or self.truncated


class EpisodeRecorder:
    """From `reset` to the end. The journal comes from `open_journal`, once the first picture is known."""

    def __init__(
        self,
        game: Manifest,
        env: PlayableEnv,
        prepared_reset: StepResult,
        describe: Callable[..., SegmentHeader],
        open_journal: Callable[[SegmentHeader], Journal],
        *,
        now: int,
        segment_us: int,
    ) -> None:
        """`opening` is what `stage.reset` returned; `describe` makes the head from what is known only here."""
        self._game, self._environment = game, env
        self._segment_us, self._segment_since = segment_us, None if game.pace.kind == "turn-based" else now
        self._period_us = 1e6 / game.pace.hz if game.pace.kind == "real-time" else float("inf")
        self._encoder = Encoder()
        self._keyframe_requested = False
        self._unacted_inputs: list[tuple[int, int]] = []
        self._info: dict[str, Any] | None = None
        self.started_us = now
        self.n_steps = 0
        self.score = 0.0
        self._last = prepared_reset
        picture = env.picture()
        piece = self._encoder.encode(picture)
        self._leaves = [] if env.observes_picture else describe_leaves(prepared_reset.observation)
        height, width = picture.pixels.shape[:2]
        head = describe(
            width=width,
            height=height,
            true_colour=piece.true_colour,
            started_us=now,
            leaves=self._leaves,
            reset_info=prepared_reset.info,
        )
        self.id = head.episode_id
        self._journal = open_journal(head)
        self._true_colour = piece.true_colour
        try:
            self._journal.reset(RecordedFrame(piece, self._observation(prepared_reset)))
        except OSError:
            self._journal.discard()
            raise
        self.prepared_reset = FrameUpdate(0, now, piece, 0.0, self._lives(prepared_reset))

    @property
    def is_over(self) -> bool:
        """True once the environment has ended the episode."""
        return self._last.terminated or self._last.truncated

    def step(
        self,
        action: int,
        source: ActiveInput | None,
        *,
        now: int,
        late_us: int | None,
        stepped_us: int | None = None,
        agree: Callable[[StepResult], None] | None = None,
    ) -> FrameUpdate:
        """Take one step and record it. Raises OSError when it can't be recorded: the step then never was.

        `stepped_us`: when the page took it, by its clock; `agree` may raise to keep a step from being recorded.
        """
        self.rotate_if_due(now)
        outcome = self._environment.step(action)
        if agree is not None:
            agree(outcome)
        piece = self._encode()
        info = self._kept_info(outcome)
        record = RecordedStep(
            self.n_steps,
            action,
            outcome.reward,
            outcome.terminated,
            outcome.truncated,
            None if info == self._info else info,
            now - self.started_us,
            late_us,
            source,
            RecordedFrame(piece, self._observation(outcome)),
            stepped_us,
        )
        self._journal.step(record)
        if late_us is not None and late_us >= self._period_us:
            self.record_event("late", now, late_us=late_us, ticks_missed=int(late_us // self._period_us))
        self._info, self._last = info, outcome
        self.n_steps += 1
        self.score += outcome.reward
        if self._segment_since is None:
            self._segment_since = now
        return self._frame_update(piece, now)

    def redraw(self, now: int) -> FrameUpdate:
        """The newest observation as a key frame for the player only: nothing is recorded."""
        return self._frame_update(Encoder().encode(self._environment.picture()), now)

    def request_keyframe(self) -> None:
        """Make the next piece a key piece."""
        self._keyframe_requested = True

    def record_event(self, kind: str, now: int, client_us: int | None = None, **data: Any) -> None:
        """Record something beside the steps."""
        since = now - self.started_us
        self._journal.event(RecordedEvent(self._journal.n_events, kind, since, self.n_steps, client_us, data))

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Record when observations were painted: (index, browser clock in microseconds).

        One that no step has acted on yet waits, so that its time and its transition are in order in the journal.
        """
        seen = self._unacted_inputs + [(frame, at) for frame, at in frames if frame <= self.n_steps]
        self._unacted_inputs = [pair for pair in seen if pair[0] >= self.n_steps]
        self._journal.shown([pair for pair in seen if pair[0] < self.n_steps])

    @property
    def is_final_frame_painted(self) -> bool:
        """True once the newest observation was painted."""
        return any(frame >= self.n_steps for frame, _ in self._unacted_inputs)

    @property
    def rotation_due_us(self) -> int | None:
        """When the open segment is to be sealed, if it has steps."""
        return None if self._segment_since is None else self._segment_since + self._segment_us

    def rotate_if_due(self, now: int) -> None:
        """Seal the open segment when its time is over."""
        due = self.rotation_due_us
        if due is not None and now >= due:
            self._rotate()

    def outcome(self) -> Literal["won", "lost", "incomplete"]:
        """How it stands: won, lost or incomplete, as the manifest has it."""
        last = self._last
        if not self.is_over:
            return "incomplete"
        won = self._game.won is not None and self._game.won.holds(
            terminated=last.terminated,
            truncated=last.truncated,
            score=self.score,
            last_reward=last.reward,
            info=last.info,
        )
        return "won" if won else "lost"

    def end(self, reason: str, now: int) -> EpisodeEnd:
        """Record the end, and wait until all is on the disk."""
        end = EpisodeEnd(self.outcome(), reason, self.score, self.n_steps, now - self.started_us)
        try:
            self._journal.unlock()
            for frame, at_us in self._unacted_inputs:
                self.record_event("last-shown", now, at_us, frame=frame)
            self._journal.end(end)
        finally:
            self._journal.close_without_sealing()
        return end

    def abort(self, reason: str, refusal: OSError, now: int) -> None:
        """The disk refuses: end with what it took. What can't even be ended, delivery finishes (rule R5)."""
        log.error("the recording of %s stops, and so does the game: %s", self.id, refusal)
        try:
            self.end(reason, now)
        except OSError as still:
            log.error("episode %s could not be ended: %s", self.id, still)

    @property
    def end_reason(self) -> str:
        """Why the environment ended it."""
        return "terminated" if self._last.terminated else "truncated"

    def _encode(self) -> EncodedFrame:
        piece = self._encoder.encode(self._environment.picture(), key=self._keyframe_requested)
        self._keyframe_requested = False
        if piece.true_colour != self._true_colour:
            self._true_colour = piece.true_colour
            self._rotate()
            self._keyframe_requested = False
        return piece

    def _rotate(self) -> None:
        self._journal.rotate(true_colour=self._true_colour)
        self._segment_since = None
        self._keyframe_requested = True

    def _frame_update(self, piece: EncodedFrame, now: int) -> FrameUpdate:
        last = self._last
        return FrameUpdate(self.n_steps, now, piece, self.score, self._lives(last), last.terminated, last.truncated)

    def _observation(self, outcome: StepResult) -> bytes:
        return pack_observation(outcome.observation, self._leaves) if self._leaves else b""

    def _kept_info(self, outcome: StepResult) -> dict[str, Any]:
        keep = self._game.keep_info
        return outcome.info if keep is None else {key: outcome.info[key] for key in keep if key in outcome.info}

    def _lives(self, outcome: StepResult) -> int:
        key = self._game.show.lives
        return -1 if key is None else int(outcome.info.get(key, -1))
