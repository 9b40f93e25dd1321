"""The server's side of lockstep: take the steps that the page took, and record those on which both agree.

Rules L1 to L7 of wire/SPEC.md. Where page and server part, an `Incident` says why; nothing after it is recorded.
"""

from collections import deque
from typing import Any

from skill_arcade.environments.emulator_config import EmulatorConfig, SupportsLockstep, ale_seed
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.games.manifest import Manifest, RealTime
from skill_arcade.play.lockstep.pacing_check import PacingCheck
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput
from skill_arcade.wire import messages as say

MAX_OFFLINE_US = 20_000_000
"""How long a page may play on without hearing from the server (rule L5)."""
NOTICES = {
    "diverged": "The game in your page and the game on the server parted, so it ends. What both agreed on",
    "refused": "What your page sent can't have been played like that, so the game ends. What came before it",
}
OFFLINE_TIMEOUT_US = MAX_OFFLINE_US + 5_000_000


class LockstepViolation(Exception):
    """Page and server part here. `kind` in a word; `data` is what the page had sent, for a re-run."""

    def __init__(self, kind: str, **data: Any) -> None:
        super().__init__(kind)
        self.kind, self.data = kind, data

    @property
    def reason(self) -> str:
        """Why the episode ends: the same steps led to something else, or they can't have come like this."""
        return "diverged" if self.kind == "diverged" else "refused"

    @property
    def notice(self) -> str:
        """What the player is told."""
        return f"{NOTICES[self.reason]} is kept; the next game is streamed."


class LockstepSupport:
    """What a page needs to step this game by itself, and what follows it then."""

    def __init__(
        self, game: Manifest, pace: RealTime, env: SupportsLockstep, emulation: EmulatorConfig, module: str
    ) -> None:
        self._game, self._pace, self._stage, self._emulation, self._module = game, pace, env, emulation, module

    @classmethod
    def find(cls, game: Manifest, env: PlayableEnv, module: str | None) -> "LockstepSupport | None":
        """Make one; None when this server has no emulator for pages (`module`: its SHA-256), or not for this game."""
        emulation = env.emulation if isinstance(env, SupportsLockstep) else None
        if module is None or emulation is None or game.pace.kind != "real-time" or game.noop is None:
            return None
        assert isinstance(env, SupportsLockstep)
        return cls(game, game.pace, env, emulation, module)

    def make_offer(self) -> say.Offer:
        """For the welcome."""
        given, game = self._emulation, self._game
        assert game.noop is not None
        return say.Offer(
            module=f"/lockstep/{self._module}.wasm",
            rom=f"/lockstep/roms/{game.id}?v={given.rom_sha256}",
            game=given.game,
            hz=self._pace.hz,
            sticky=given.sticky,
            frameskip=given.frameskip,
            max_frames=given.max_frames,
            max_steps=given.max_steps,
            mode=given.mode,
            difficulty=given.difficulty,
            all_actions=given.all_actions,
            counts_lives=game.show.lives is not None,
            bindings=[say.Binding(press=list(binding.press), action=binding.action) for binding in game.actions],
            noop=game.noop,
            away_ms=MAX_OFFLINE_US // 1000,
        )

    def make_verifier(self, seed: int) -> "LockstepVerifier":
        """Begin to follow an episode; the stage has just been reset by `seed`."""
        controls = InputLatch(self._game.actions, self._game.noop)
        return LockstepVerifier(self._stage, controls, self._pace.hz, ale_seed(seed), self._module)


class LockstepVerifier:
    """One lockstep episode. It is the session's clock too: the page paces it, and due is only the end of patience."""

    def __init__(self, env: SupportsLockstep, controls: InputLatch, hz: float, seed: int, module: str) -> None:
        self._stage, self._input_latch, self._ale_seed = env, controls, seed
        self._pacing_check = PacingCheck(hz, MAX_OFFLINE_US)
        self._digest = env.update_digest(0, 0.0)
        self._n_steps = 0
        self._silent_since: int | None = None
        self.facts = {"module_sha256": module, "ale_seed": seed}

    @property
    def due_us(self) -> int | None:
        """When the page has been silent for too long."""
        return None if self._silent_since is None else self._silent_since + OFFLINE_TIMEOUT_US

    def start(self, now: int) -> None:
        """The game begins, or goes on after a pause."""
        self._pacing_check.start(now)
        self._silent_since = now

    def stop(self) -> None:
        """Paused, or nobody is there: nothing is due."""
        self._silent_since = None

    def shift_phase(self, later_us: float) -> None:
        """Nothing: the page paces."""

    def on_step(self, now: int) -> None:
        """Nothing: the page's steps come by `follow`."""

    def on_reconnect(self, now: int) -> None:
        """The page is back."""
        self._pacing_check.on_reconnect()
        self._silent_since = now

    def release(self, source: ActiveInput) -> None:
        """Let go of every control, as the page does when the game is paused."""
        self._input_latch.release(source)

    def describe(self) -> say.Lockstep:
        """How far it has come, for `started`."""
        return say.Lockstep(ale_seed=self._ale_seed, n_steps=self._n_steps, digest=self._digest)

    def make_ticked_message(self) -> say.Ticked:
        """How far it has come, as an answer to `ticks`."""
        return say.Ticked(type="ticked", n_steps=self._n_steps, digest=self._digest)

    def apply_steps(self, episode: EpisodeRecorder, ticks: say.Ticks, received: int, now: int) -> None:
        """Take the page's steps, and record each on which both agree.

        Raises Incident at the first on which they do not, OSError when there is no room to record.
        """
        at = [round(time * 1000) for time in ticks.at]
        self._check(ticks, at, received)
        inputs = deque(ticks.inputs)
        for number, action in enumerate(ticks.actions):
            if episode.is_over:
                raise self._violation("beyond-end", ticks, number)
            while inputs and inputs[0].step == episode.n_steps:
                self._latch(episode, inputs.popleft(), received)
            due, source = self._input_latch.sample()
            if due != action:
                raise self._violation("not-latched", ticks, number, due=due)
            self._step(episode, ticks, number, source, at[number], now)
        if inputs:
            raise self._violation("not-latched", ticks, len(ticks.actions), left=len(inputs))
        self._silent_since = now

    def _check(self, ticks: say.Ticks, at: list[int], received: int) -> None:
        if not len(ticks.actions) == len(ticks.at) == len(ticks.digests):
            raise self._violation("malformed", ticks, 0)
        if ticks.first != self._n_steps:
            raise self._violation("replayed" if ticks.first < self._n_steps else "gap", ticks, 0)
        fault = self._pacing_check.check(at, received)
        if fault is not None:
            raise self._violation(fault, ticks, 0)

    def _latch(self, episode: EpisodeRecorder, latched: say.Latched, received: int) -> None:
        at_us = round(latched.at * 1000)
        what = latched.model_dump(include={"control", "down", "device", "code", "frame"})
        episode.record_event("input", received, at_us, **what)
        source = ActiveInput(at_us, received - episode.started_us, latched.frame)
        self._input_latch.change(latched.control, down=latched.down, source=source)

    def _step(
        self, episode: EpisodeRecorder, ticks: say.Ticks, number: int, source: ActiveInput | None, at_us: int, now: int
    ) -> None:
        digest = self._digest

        def agree(outcome: StepResult) -> None:
            nonlocal digest
            digest = self._stage.update_digest(digest, outcome.reward)
            if digest != ticks.digests[number]:
                raise self._violation("diverged", ticks, number, digest=digest)

        episode.step(ticks.actions[number], source, now=now, late_us=None, stepped_us=at_us, agree=agree)
        self._digest, self._n_steps = digest, episode.n_steps

    def _violation(self, kind: str, ticks: say.Ticks, number: int, **more: Any) -> LockstepViolation:
        """All that the page sent from here on, beside what is on record: seed, settings and the steps before."""
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
            **self.facts,
            **more,
        )
