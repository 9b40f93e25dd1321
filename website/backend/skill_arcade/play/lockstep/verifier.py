"""The server's side of lockstep: repeats the steps of the page and records the agreed ones (rules L1 to L7).

Where page and server disagree, `LockstepViolation` is raised and nothing after it is recorded.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from skill_arcade.environments.emulator_config import EmulatorConfig, SupportsLockstep, ale_seed
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.games.manifest import Manifest, RealTime
from skill_arcade.play.assignment import RecordedInput
from skill_arcade.play.lockstep.pacing_check import PacingCheck
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput
from skill_arcade.wire import messages
from skill_arcade.wire.packet import FramePacket

MAX_OFFLINE_US = 20_000_000
"""Time for which a page may continue without a reply of the server (rule L5)."""
NOTICES = {
    "diverged": "Your game ended: its state in the page differs from the server's.",
    "refused": "Your game ended: the server cannot accept the steps that the page sent.",
}
OFFLINE_TIMEOUT_US = MAX_OFFLINE_US + 5_000_000
"""Time of silence after which the server ends the game (rule L7)."""


class LockstepViolation(Exception):
    """Page and server disagree at a step. `data` holds what the page sent, to reproduce the disagreement."""

    def __init__(self, kind: str, **data: Any) -> None:
        super().__init__(kind)
        self.kind, self.data = kind, data

    @property
    def reason(self) -> str:
        """End reason of the episode: the same steps led to another state, or the steps break a rule."""
        return "diverged" if self.kind == "diverged" else "refused"

    @property
    def notice(self) -> str:
        """Text for the player."""
        return f"{NOTICES[self.reason]} Everything before that is saved. The next game will be streamed."


class LockstepSupport:
    """Offers lockstep to pages for one game, and makes the verifiers of its episodes."""

    def __init__(
        self, game: Manifest, pace: RealTime, env: SupportsLockstep, emulation: EmulatorConfig, module: str
    ) -> None:
        self._game, self._pace, self._environment, self._emulation, self._module = game, pace, env, emulation, module

    @classmethod
    def find(cls, game: Manifest, env: PlayableEnv, module: str | None) -> "LockstepSupport | None":
        """Return the support for this game, or None if it must be streamed.

        * `module`: SHA-256 of the emulator that pages can load, or None if this server has none.
        """
        emulation = env.emulation if isinstance(env, SupportsLockstep) else None
        if module is None or emulation is None or game.pace.kind != "real-time" or game.noop is None:
            return None
        assert isinstance(env, SupportsLockstep)
        return cls(game, game.pace, env, emulation, module)

    def make_offer(self) -> messages.Offer:
        """Return the offer for the `welcome` message."""
        emulation, game = self._emulation, self._game
        assert game.noop is not None
        return messages.Offer(
            module=f"/lockstep/{self._module}.wasm",
            rom=f"/lockstep/roms/{game.id}?v={emulation.rom_sha256}",
            ale_version=emulation.ale_version,
            game=emulation.game,
            hz=self._pace.hz,
            sticky=emulation.sticky,
            frameskip=emulation.frameskip,
            max_frames=emulation.max_frames,
            max_steps=emulation.max_steps,
            mode=emulation.mode,
            difficulty=emulation.difficulty,
            all_actions=emulation.all_actions,
            counts_lives=game.show.lives is not None,
            bindings=[messages.Binding(press=list(binding.press), action=binding.action) for binding in game.actions],
            noop=game.noop,
            away_ms=MAX_OFFLINE_US // 1000,
        )

    def make_verifier(self, seed: int) -> "LockstepVerifier":
        """Return a verifier for a new episode; the environment has just been reset with `seed`."""
        controls = InputLatch(self._game.actions, self._game.noop)
        names = frozenset(control.name for control in self._game.controls)
        return LockstepVerifier(self._environment, controls, names, self._pace.hz, ale_seed(seed), self._module)


class LockstepVerifier:
    """Verifies one lockstep episode.

    It is also the session's clock: the page sets the pace, and only its timeout is ever due.
    """

    def __init__(
        self,
        env: SupportsLockstep,
        controls: InputLatch,
        control_names: frozenset[str],
        hz: float,
        seed: int,
        module: str,
    ) -> None:
        """`control_names` are the controls of the game; the latch would hold any name."""
        self._environment, self._input_latch, self._ale_seed = env, controls, seed
        self._control_names = control_names
        self._pacing_check = PacingCheck(hz, MAX_OFFLINE_US)
        self._digest = env.update_digest(0, 0.0)
        self._n_steps = 0
        self._silent_since_us: int | None = None
        self.provenance = {"module_sha256": module, "ale_seed": seed}

    @property
    def due_us(self) -> int | None:
        """Time at which a silent page has reached its timeout, or None while nothing is expected."""
        return None if self._silent_since_us is None else self._silent_since_us + OFFLINE_TIMEOUT_US

    def start(self, now: int) -> None:
        """Start, or continue after a pause."""
        self._pacing_check.start(now)
        self._silent_since_us = now

    def start_moved(self, now: int) -> None:
        """Continue an episode of another server, whose page is not connected yet.

        How long the page has been away is not known on this server's clock.
        """
        self.start(now - MAX_OFFLINE_US)
        self.stop()

    def stop(self) -> None:
        """Expect nothing while the game is paused or the page is disconnected."""
        self._silent_since_us = None

    def shift_phase(self, later_us: float) -> None:
        """Ignore the request, because the page sets the pace."""

    def on_step(self, now: int) -> None:
        """Do nothing; the steps of the page arrive by `apply_steps`."""

    def on_reconnect(self, now: int) -> None:
        """Continue after a reconnect."""
        self._pacing_check.on_reconnect()
        self._silent_since_us = now

    def release(self, source: ActiveInput) -> None:
        """Release all controls, as the page does when the game is paused."""
        self._input_latch.release(source)

    def repeat_input(self, recorded: RecordedInput) -> None:
        """Latch an input that another server has recorded."""
        source = ActiveInput(recorded.at_us, recorded.received_us, recorded.frame)
        if recorded.control is None:
            self._input_latch.release(source)
        else:
            self._input_latch.change(recorded.control, down=recorded.down, source=source)

    def repeat_step(self, reward: float) -> int | None:
        """Count a step that another server has verified, and that the environment has repeated. Return its action."""
        action, _ = self._input_latch.sample()
        self._digest = self._environment.update_digest(self._digest, reward)
        self._n_steps += 1
        return action

    def describe(self) -> messages.Lockstep:
        """Return the state for the `started` message."""
        return messages.Lockstep(ale_seed=self._ale_seed, n_steps=self._n_steps, digest=self._digest)

    def make_ticked_message(self) -> messages.Ticked:
        """Return the acknowledgement of `ticks`."""
        return messages.Ticked(type="ticked", n_steps=self._n_steps, digest=self._digest)

    def apply_steps(
        self,
        episode: EpisodeRecorder,
        ticks: messages.Ticks,
        received: int,
        now: int,
        on_step: Callable[[FramePacket], None],
    ) -> None:
        """Repeat the page's steps, and record each on which both agree; `on_step` gets the frame of each.

        Raises:
            LockstepViolation: at the first step on which they disagree.
            OSError: a step cannot be written.
        """
        at = [round(time * 1000) for time in ticks.at]
        self._check(ticks, at, received)
        inputs = deque(ticks.inputs)
        for number, action in enumerate(ticks.actions):
            if episode.is_over:
                raise self._violation("beyond-end", ticks, number)
            while inputs and inputs[0].step == episode.n_steps:
                self._latch(episode, inputs.popleft(), received)
            expected, source = self._input_latch.sample()
            if expected != action:
                raise self._violation("not-latched", ticks, number, due=expected)
            on_step(self._step(episode, ticks, number, source, at[number], now))
        if inputs:
            raise self._violation("not-latched", ticks, len(ticks.actions), left=len(inputs))
        self._silent_since_us = now

    def _check(self, ticks: messages.Ticks, at: list[int], received: int) -> None:
        if not len(ticks.actions) == len(ticks.at) == len(ticks.digests):
            raise self._violation("malformed", ticks, 0)
        unknown = next(
            (latched.control for latched in ticks.inputs if latched.control not in self._control_names), None
        )
        if unknown is not None:
            raise self._violation("unknown-control", ticks, 0, control=unknown)
        if ticks.first != self._n_steps:
            raise self._violation("replayed" if ticks.first < self._n_steps else "gap", ticks, 0)
        violation_kind = self._pacing_check.check(at, received)
        if violation_kind is not None:
            raise self._violation(violation_kind, ticks, 0)

    def _latch(self, episode: EpisodeRecorder, latched: messages.Latched, received: int) -> None:
        at_us = round(latched.at * 1000)
        control = latched.model_dump(include={"control", "down", "device", "code", "frame"})
        episode.record_event("input", received, at_us, **control)
        source = ActiveInput(at_us, received - episode.started_us, latched.frame)
        self._input_latch.change(latched.control, down=latched.down, source=source)

    def _step(
        self,
        episode: EpisodeRecorder,
        ticks: messages.Ticks,
        number: int,
        source: ActiveInput | None,
        at_us: int,
        now: int,
    ) -> FramePacket:
        digest = self._digest

        def agree(outcome: StepResult) -> None:
            nonlocal digest
            digest = self._environment.update_digest(digest, outcome.reward)
            if digest != ticks.digests[number]:
                raise self._violation("diverged", ticks, number, digest=digest)

        packet = episode.step(ticks.actions[number], source, now=now, late_us=None, stepped_us=at_us, agree=agree)
        self._digest, self._n_steps = digest, episode.n_steps
        return packet

    def _violation(self, kind: str, ticks: messages.Ticks, number: int, **details: Any) -> LockstepViolation:
        """Make a violation with everything that is needed to reproduce it: the page's message, seed and settings."""
        return LockstepViolation(
            kind,
            agreed_steps=self._n_steps,
            agreed_digest=self._digest,
            first=ticks.first,
            number=number,
            actions=ticks.actions,
            at_ms=ticks.at,
            digests=ticks.digests,
            inputs=[latched.model_dump(exclude={"type"}) for latched in ticks.inputs],
            **self.provenance,
            **details,
        )
