"""Repeats the steps of an episode that another server began, so that this one can continue it (rule R28)."""

from base64 import b64decode
from collections import deque
from collections.abc import Callable
from functools import partial

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.provenance import version_differences
from skill_arcade.frames.picture import digest_picture
from skill_arcade.play.assignment import ResumedEpisode
from skill_arcade.play.lockstep.verifier import LockstepVerifier
from skill_arcade.play.session.clock import now_us
from skill_arcade.play.session.episode_recorder import EpisodeRecorder, Progress
from skill_arcade.recording.records import RecordedEvent, RecordedStep
from skill_arcade.recording.shipment import merge_records, parse_records

SLICE_US = 2_000
"""Time after which the repetition lets the other games of its process step. It is below `LATE_STEP_US`."""
RELATIVE_SCORE_ERROR = 1e-9
"""Rewards are summed by segment for the row of the episode, and step by step here."""


class ResumeFailed(Exception):
    """The environment did not come to the recorded state, so that the episode cannot be continued."""


class Resumption:
    """Resets the environment with the episode's seed and takes its actions again, some at each call of `advance`."""

    def __init__(
        self, env: PlayableEnv, episode: ResumedEpisode, make_verifier: Callable[[int], LockstepVerifier] | None
    ) -> None:
        """`make_verifier` makes the verifier of a lockstep episode with this seed; None if there is no lockstep."""
        self._environment, self.episode, self._make_verifier = env, episode, make_verifier
        self._reset: StepResult | None = None
        self._last: StepResult | None = None
        self._n_steps, self._score = 0, 0.0
        self._inputs = deque(episode.lockstep_inputs or ())
        self.verifier: LockstepVerifier | None = None
        """Verifier of a lockstep episode, which has come to the last step; None if it is streamed."""
        segments = parse_records(b64decode(episode.tail))
        self._tail, self._paints = deque(merge_records(segments)), [pair for one in segments for pair in one.shown]
        self.n_repeated, self.last_us = 0, 0
        """Number of steps that `repeat_tail` has recorded, and the time of the last record."""

    @property
    def reset_result(self) -> StepResult:
        """What the reset has returned."""
        assert self._reset is not None
        return self._reset

    def advance(self) -> Progress | None:
        """Repeat steps for `SLICE_US`. Return the progress once all are repeated, or None if some are left.

        Raises:
            ResumeFailed: the state is not the one that was recorded.
            EnvironmentFailed: the environment cannot be run.
        """
        if self._last is None:
            self._last = self._begin()
        actions, end_us = self.episode.actions, now_us() + SLICE_US
        while self._n_steps < len(actions):
            self._last = self._repeat(actions[self._n_steps], self._last)
            if now_us() >= end_us:
                return None
        self._latch()
        self._check()
        return Progress(self.episode.started_us, self._n_steps, self._score, self._last)

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
        if changed := version_differences(self.episode.environment, self._environment.spec):
            raise ResumeFailed("; ".join(changed))
        self._reset = self._environment.reset(self.episode.seed)
        if self.episode.lockstep_inputs is not None:
            if self._make_verifier is None:
                raise ResumeFailed("this server has no lockstep")
            self.verifier = self._make_verifier(self.episode.seed)
        return self._reset

    def _repeat(self, action: int, last: StepResult) -> StepResult:
        if last.terminated or last.truncated:
            raise ResumeFailed(f"it ends at step {self._n_steps} of {len(self.episode.actions)}")
        self._latch()
        result = self._environment.step(action)
        if self.verifier is not None and self.verifier.repeat_step(result.reward) != action:
            raise ResumeFailed(f"the action of step {self._n_steps} does not follow from the inputs")
        self._n_steps += 1
        self._score += result.reward
        return result

    def _latch(self) -> None:
        """Latch the inputs before the next step."""
        while self.verifier is not None and self._inputs and self._inputs[0].step <= self._n_steps:
            self.verifier.repeat_input(self._inputs.popleft())

    def _check(self) -> None:
        episode = self.episode
        if abs(self._score - episode.score) > RELATIVE_SCORE_ERROR * max(1.0, abs(episode.score)):
            raise ResumeFailed(f"the score is {self._score:g}, recorded is {episode.score:g}")
        if episode.picture_sha256 not in (None, digest_picture(self._environment.picture())):
            raise ResumeFailed("the picture of the last observation differs")


def _check_result(recorded: RecordedStep | RecordedEvent, result: StepResult) -> None:
    if isinstance(recorded, RecordedStep) and (recorded.reward, recorded.terminated, recorded.truncated) != (
        result.reward,
        result.terminated,
        result.truncated,
    ):
        raise ResumeFailed(f"step {recorded.step} has another result than on the server before")
