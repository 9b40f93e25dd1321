"""Steps and records one episode: each picture is encoded once, and written to the journal before it is sent."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.errors import EnvironmentFailed
from skill_arcade.exact_json import encode_typed, select_keys
from skill_arcade.frames.encoder import EncodedFrame, Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.session.prepared_reset import EncodedPicture, encode_first
from skill_arcade.recording.journal import EpisodeJournal
from skill_arcade.recording.observation import Leaves, describe_leaves, pack_observation
from skill_arcade.recording.records import (
    ActiveInput,
    EpisodeEnd,
    RecordedEvent,
    RecordedStep,
    SegmentHeader,
    pack_info,
)
from skill_arcade.recording.segment import HANDED_OVER, SERVER_STOPPED
from skill_arcade.wire.messages import Outcome
from skill_arcade.wire.packet import FramePacket

log = logging.getLogger(__name__)

MAX_CAPTION_CHARACTERS = 500
"""Longest text beside the picture; the rest of a longer one is on record and not on the page."""
MAX_LIVES = 32_767
"""Greatest number of lives that a frame packet can hold."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was played of an episode on another server. `started_us` is its start on this machine's clock."""

    started_us: int
    n_steps: int
    score: float
    last_result: StepResult


class EpisodeRecorder:
    """One episode from reset to end.

    The journal is opened by `open_journal` once the first picture has been encoded, because the header depends on it.
    """

    def __init__(
        self,
        game: Manifest,
        env: PlayableEnv,
        prepared_reset: StepResult,
        describe: Callable[..., SegmentHeader],
        open_journal: Callable[[SegmentHeader], EpisodeJournal],
        *,
        now: int,
        segment_us: int,
        progress: Progress | None = None,
        first_picture: EncodedPicture | None = None,
    ) -> None:
        """Open the journal and record observation 0.

        * `prepared_reset`: what `env.reset` has returned.
        * `first_picture`: its picture, if that is encoded already.
        * `describe`: makes the header of the journal from the fields that are known only here.
        * `progress`: what was played of the episode on another server; the environment has repeated it. None for a new
          episode.

        Raises:
            OSError: the first observation cannot be written; nothing of the episode remains.
        """
        self._game, self._environment = game, env
        self._segment_us, self._segment_started_us = segment_us, None if game.pace.kind == "turn-based" else now
        self._period_us = 1e6 / game.pace.hz if game.pace.kind == "real-time" else float("inf")
        self._encoder, encoded_frame = first_picture or encode_first(env)
        self._keyframe_requested = False
        self._unrecorded_paints: list[tuple[int, int]] = []
        self._info: dict[str, Any] | None = None
        self.started_us = now
        self.n_steps = 0
        self.score = 0.0
        self._last_result = prepared_reset
        if progress is not None:
            self.started_us, self.n_steps, self.score = progress.started_us, progress.n_steps, progress.score
            self._last_result, self._keyframe_requested = progress.last_result, True
            self._info = self._select_info(progress.last_result) if progress.n_steps else None
        self._leaves = [] if env.observes_picture else self._describe_leaves(prepared_reset)
        observation = self._observation(prepared_reset)
        width, height = encoded_frame.width, encoded_frame.height
        header = describe(
            width=width,
            height=height,
            true_colour=encoded_frame.true_colour,
            started_us=self.started_us,
            leaves=self._leaves,
            reset_info=prepared_reset.info,
        )
        self.id = header.episode_id
        self._journal = open_journal(header)
        self._true_colour, self._size = encoded_frame.true_colour, (width, height)
        if header.number == 0:
            try:
                self._journal.reset(encoded_frame, observation)
            except OSError:
                self._journal.discard()
                raise
        self.prepared_reset = self._packet(encoded_frame, now)

    @property
    def last_result(self) -> StepResult:
        """What the last step, or the reset, has returned."""
        return self._last_result

    @property
    def is_over(self) -> bool:
        """True once the environment has ended the episode."""
        return self._last_result.terminated or self._last_result.truncated

    def step(
        self,
        action: int,
        source: ActiveInput | None,
        *,
        now: int,
        late_us: int | None,
        stepped_us: int | None = None,
        agree: Callable[[StepResult], None] | None = None,
    ) -> FramePacket:
        """Take a step and record it.

        * `late_us`: how late the step is, or None if it had no deadline.
        * `stepped_us`: when the page took the step by its own clock, or None if the game is streamed.
        * `agree`: called with the result before it is recorded; raises if the step must not be recorded.

        Raises:
            OSError: the step cannot be written; it is not part of the episode.
        """
        self.rotate_if_due(now)
        encoded_frame = self._take_step(action, source, now - self.started_us, late_us, stepped_us, agree)
        if late_us is not None and late_us >= self._period_us:
            missed = int(late_us // self._period_us)
            self._write_event("late", now, self.n_steps - 1, None, {"late_us": late_us, "ticks_missed": missed})
        if self._segment_started_us is None:
            self._segment_started_us = now
        return self._packet(encoded_frame, now)

    def _take_step(
        self,
        action: int,
        source: ActiveInput | None,
        elapsed_us: int,
        late_us: int | None,
        stepped_us: int | None,
        agree: Callable[[StepResult], None] | None,
    ) -> EncodedFrame:
        outcome = self._environment.step(action)
        if agree is not None:
            agree(outcome)
        encoded_frame = self._encode()
        info = self._select_info(outcome)
        record = RecordedStep(
            self.n_steps,
            action,
            outcome.reward,
            outcome.terminated,
            outcome.truncated,
            None if info == self._info else pack_info(info),
            elapsed_us,
            late_us,
            source,
            encoded_frame,
            self._observation(outcome),
            stepped_us,
        )
        self._journal.step(record)
        self._info, self._last_result = info, outcome
        self.n_steps += 1
        self.score += outcome.reward
        return encoded_frame

    def repeat(self, recorded: RecordedStep | RecordedEvent, agree: Callable[[StepResult], None]) -> None:
        """Record a step or event of the server before again, as it was there; the step is taken (rule R35).

        `agree` is called with the result of the step before it is recorded.
        """
        if isinstance(recorded, RecordedEvent):
            self._journal.event(recorded)
        else:
            self._take_step(
                recorded.action, recorded.input, recorded.server_us, recorded.late_us, recorded.stepped_us, agree
            )

    def describe_outcome(self) -> Outcome:
        """Describe the last reset or step for a program (rule O24)."""
        last = self._last_result
        return Outcome(
            type="outcome",
            frame=self.n_steps,
            reward=last.reward,
            info=self._select_info(last),
            observation=None if self._environment.observes_picture else encode_typed(last.observation),
        )

    def redraw(self, now: int) -> FramePacket:
        """Return the newest observation as a keyframe for the player; nothing is recorded."""
        return self._packet(Encoder().encode(self._environment.picture()), now)

    def request_keyframe(self) -> None:
        """Encode the next frame as a keyframe."""
        self._keyframe_requested = True

    def record_event(self, kind: str, now: int, client_us: int | None = None, **data: Any) -> None:
        """Record an event between two steps."""
        self._write_event(kind, now, self.n_steps, client_us, data)

    def _write_event(self, kind: str, now: int, step: int, client_us: int | None, data: dict[str, Any]) -> None:
        elapsed_us = now - self.started_us
        self._journal.event(RecordedEvent(self._journal.n_events, kind, elapsed_us, step, client_us, data))

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Record when observations were painted, as (index, browser clock in microseconds).

        A paint of the newest observation is held back until the next step, so that the journal has it next to its
        transition.
        """
        paints = self._unrecorded_paints + [(frame, at) for frame, at in frames if frame <= self.n_steps]
        self._unrecorded_paints = [pair for pair in paints if pair[0] >= self.n_steps]
        self._journal.shown([pair for pair in paints if pair[0] < self.n_steps])

    @property
    def is_final_frame_painted(self) -> bool:
        """True once the page has painted the newest observation."""
        return any(frame >= self.n_steps for frame, _ in self._unrecorded_paints)

    @property
    def rotation_due_us(self) -> int | None:
        """Time at which the open segment is sealed, or None if it has no steps."""
        return None if self._segment_started_us is None else self._segment_started_us + self._segment_us

    def rotate_if_due(self, now: int) -> None:
        """Seal the open segment if its time has passed."""
        due = self.rotation_due_us
        if due is not None and now >= due:
            self._rotate()

    def outcome(self) -> Literal["won", "lost", "incomplete"]:
        """Return the outcome so far, by the rule of the manifest."""
        last = self._last_result
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

    def end(self, reason: str, now: int, *, is_waiting: bool = True) -> EpisodeEnd:
        """Record the end, and wait until the recording is on disk, or leave that to `wait_until_sealed`."""
        end = EpisodeEnd(self.outcome(), reason, self.score, self.n_steps, now - self.started_us)
        try:
            self._journal.unlock()
            for frame, at_us in self._unrecorded_paints:
                self.record_event("last-shown", now, at_us, frame=frame)
            self._journal.end(end, is_waiting=is_waiting)
        finally:
            self._journal.close_without_sealing()
        return end

    @property
    def is_sealed(self) -> bool:
        """Whether `wait_until_sealed` does not wait."""
        return self._journal.is_sealed

    def wait_until_sealed(self) -> None:
        """Wait until the recording is on disk after `end`. Raises OSError if that failed."""
        self._journal.wait_until_sealed()

    def hand_over(self, now: int, reason: str) -> None:
        """Leave the episode to another server, and wait until what was recorded of it is on disk (rules R26 and R33).

        `reason` is why its server lets it go.

        Raises:
            OSError: the recording cannot be written; the uploader ends the episode.
        """
        try:
            data = {"end_reason": reason} if reason == SERVER_STOPPED else {}
            self.record_event(HANDED_OVER, now, None, **data)
            self._journal.hand_over()
        finally:
            self._journal.close_without_sealing()

    def abort(self, reason: str, error: OSError, now: int) -> None:
        """End the episode after a write error. If the end cannot be written either, the uploader does it (rule R5)."""
        log.error("recording failed, ending the game episode=%s: %s", self.id, error)
        try:
            self.end(reason, now)
        except OSError as end_error:
            log.error("recording the end failed, the uploader will end it episode=%s: %s", self.id, end_error)

    @property
    def end_reason(self) -> str:
        """Why the environment ended the episode."""
        return "terminated" if self._last_result.terminated else "truncated"

    def _encode(self) -> EncodedFrame:
        encoded_frame = self._encoder.encode(self._environment.picture(), key=self._keyframe_requested)
        self._keyframe_requested = False
        size = (encoded_frame.width, encoded_frame.height) if encoded_frame.key else self._size
        if encoded_frame.true_colour != self._true_colour or size != self._size:
            self._true_colour, self._size = encoded_frame.true_colour, size
            self._rotate()
            self._keyframe_requested = False
        return encoded_frame

    def _rotate(self) -> None:
        self._journal.rotate(true_colour=self._true_colour, size=self._size)
        self._segment_started_us = None
        self._keyframe_requested = True

    def _packet(self, encoded_frame: EncodedFrame, now: int) -> FramePacket:
        last = self._last_result
        return FramePacket(
            self.n_steps,
            now,
            encoded_frame,
            self.score,
            self._lives(last),
            last.terminated,
            last.truncated,
            caption=find_caption(self._game, last),
        )

    def _observation(self, outcome: StepResult) -> bytes:
        if not self._leaves:
            return b""
        try:
            return pack_observation(outcome.observation, self._leaves)
        except (TypeError, ValueError) as error:
            raise self._unrecordable(error) from error

    def _describe_leaves(self, outcome: StepResult) -> Leaves:
        try:
            return describe_leaves(outcome.observation, self._environment.changing_leaves)
        except (TypeError, ValueError) as error:
            raise self._unrecordable(error) from error

    def _unrecordable(self, error: Exception) -> EnvironmentFailed:
        return EnvironmentFailed(f"{self._environment.spec['id']}: {error}")

    def _select_info(self, outcome: StepResult) -> dict[str, Any]:
        keys = self._game.keep_info
        return outcome.info if keys is None else select_keys(outcome.info, keys)

    def _lives(self, outcome: StepResult) -> int:
        key = self._game.show.lives
        lives = -1 if key is None else outcome.info.get(key, -1)
        if isinstance(lives, (int, float)):
            return max(-1, min(int(lives), MAX_LIVES))
        raise self._unrecordable(ValueError(f"info[{key!r}] is {lives!r}; show.lives needs a number"))


def find_caption(game: Manifest, outcome: StepResult) -> str | None:
    """Return the text that `show.text` names, from the observation or from info; None if the game shows none."""
    key = game.show.text
    if key is None:
        return None
    observed = outcome.observation if isinstance(outcome.observation, Mapping) else {}
    value = observed.get(key, outcome.info.get(key, ""))
    text = (value if isinstance(value, str) else str(value))[:MAX_CAPTION_CHARACTERS]
    return text.encode(errors="backslashreplace").decode()  # a lone surrogate is no UTF-8
