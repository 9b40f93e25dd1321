"""Repeats recorded steps: of an episode of another server (rule R28), or up to the frame of a branch (rule R31)."""

from base64 import b64decode
from collections import deque
from collections.abc import Callable
from functools import partial

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.provenance import version_differences
from skill_arcade.frames.picture import digest_picture
from skill_arcade.play.assignment import RecordedSteps, ResumedEpisode
from skill_arcade.play.lockstep.verifier import LockstepVerifier
from skill_arcade.play.session.clock import now_us
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.recording.records import RecordedEvent, RecordedStep
from skill_arcade.recording.shipment import merge_records, parse_records

SLICE_US = 2_000
"""Time after which the repetition lets the other games of its process step. It is below `LATE_STEP_US`."""
RELATIVE_SCORE_ERROR = 1e-9
"""Rewards are summed by segment for the row of the episode, and step by step here."""


class ResumeFailed(Exception):
    """The environment did not come to the recorded state, so that nothing can go on from it."""


class Resumption:
    """Resets the environment with the seed and takes the actions again, some at each call of `advance`."""

    def __init__(
        self, env: PlayableEnv, steps: RecordedSteps, make_verifier: Callable[[int], LockstepVerifier] | None
    ) -> None:
        """`make_verifier` makes the verifier of a lockstep episode with this seed; None if there is no lockstep."""
        self._environment, self.steps, self._make_verifier = env, steps, make_verifier
        self._reset: StepResult | None = None
        self._last: StepResult | None = None
        self.n_steps, self.score = 0, 0.0
        self._inputs = deque(steps.lockstep_inputs or ())
        self.verifier: LockstepVerifier | None = None
        """Verifier of a lockstep episode, which has come to the last step; None if it is streamed."""
        segments = parse_records(b64decode(steps.tail if isinstance(steps, ResumedEpisode) else ""))
        self._tail, self._paints = deque(merge_records(segments)), [pair for one in segments for pair in one.shown]
        self.n_repeated, self.last_us = 0, 0
        """Number of steps that `repeat_tail` has recorded, and the time of the last record."""

    @property
    def reset_result(self) -> StepResult:
        """What the reset has returned."""
        assert self._reset is not None
        return self._reset

    def advance(self) -> StepResult | None:
        """Repeat steps for `SLICE_US`. Return the last result once all are repeated, or None if some are left.

        Raises:
            ResumeFailed: the state is not the one that was recorded.
            EnvironmentFailed: the environment cannot be run.
        """
        if self._last is None:
            self._last = self._begin()
        actions, end_us = self.steps.actions, now_us() + SLICE_US
        while self.n_steps < len(actions):
            self._last = self._repeat(actions[self.n_steps], self._last)
            if now_us() >= end_us:
                return None
        self._latch()
        self._check()
        return self._last

    def repeat_tail(self, recorder: EpisodeRecorder) -> bool:
        """Record, for `SLICE_US`, what the server before had recorded and not uploaded. Return False if some is left.

        Raises:
            ResumeFailed: a step has another result than it had there.
            EnvironmentFailed, OSError: it cannot be stepped, or not recorded.
        """
        end_us = now_us() + SLICE_US
        while self._tail:
            recorded = self._tail.popleft()
            recorder.repeat(recorded, partial(_check_result, recorded))
            self.last_us = max(self.last_us, recorded.server_us)
            self.n_repeated += isinstance(recorded, RecordedStep)
            if now_us() >= end_us:
                return False
        recorder.shown(self._paints)
        self._paints = []
        return True

    def _begin(self) -> StepResult:
        if changed := version_differences(self.steps.environment, self._environment.spec):
            raise ResumeFailed("; ".join(changed))
        self._reset = self._environment.reset(self.steps.seed)
        if self.steps.lockstep_inputs is not None:
            if self._make_verifier is None:
                raise ResumeFailed("this server has no lockstep")
            self.verifier = self._make_verifier(self.steps.seed)
        return self._reset

    def _repeat(self, action: int, last: StepResult) -> StepResult:
        if last.terminated or last.truncated:
            raise ResumeFailed(f"it ends at step {self.n_steps} of {len(self.steps.actions)}")
        self._latch()
        result = self._environment.step(action)
        if self.verifier is not None and self.verifier.repeat_step(result.reward) != action:
            raise ResumeFailed(f"the action of step {self.n_steps} does not follow from the inputs")
        self.n_steps += 1
        self.score += result.reward
        return result

    def _latch(self) -> None:
        """Latch the inputs before the next step."""
        while self.verifier is not None and self._inputs and self._inputs[0].step <= self.n_steps:
            self.verifier.repeat_input(self._inputs.popleft())

    def _check(self) -> None:
        steps = self.steps
        if abs(self.score - steps.score) > RELATIVE_SCORE_ERROR * max(1.0, abs(steps.score)):
            raise ResumeFailed(f"the score is {self.score:g}, recorded is {steps.score:g}")
        if steps.picture_sha256 not in (None, digest_picture(self._environment.picture())):
            raise ResumeFailed("the picture of the last observation differs")


def _check_result(recorded: RecordedStep | RecordedEvent, result: StepResult) -> None:
    if isinstance(recorded, RecordedStep) and (recorded.reward, recorded.terminated, recorded.truncated) != (
        result.reward,
        result.terminated,
        result.truncated,
    ):
        raise ResumeFailed(f"step {recorded.step} has another result than on the server before")
