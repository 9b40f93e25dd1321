"""Repeats recorded steps: of an episode of another server (rule R28), or up to the frame of a branch (rule R39)."""

from collections import deque
from collections.abc import Callable

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.provenance import version_differences
from skill_arcade.frames.picture import digest_picture
from skill_arcade.play.assignment import RecordedSteps
from skill_arcade.play.lockstep.verifier import LockstepVerifier
from skill_arcade.play.session.clock import now_us

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
        if digest_picture(self._environment.picture()) != steps.picture_sha256:
            raise ResumeFailed("the picture of the last observation differs")
