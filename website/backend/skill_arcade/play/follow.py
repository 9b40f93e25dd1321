"""The server's side of lockstep: take the steps that the page took, and record those on which both agree.

Rules L1 to L7 of wire/SPEC.md. Where page and server part, an `Incident` says why; nothing after it is recorded.
"""

from collections import deque
from typing import Any

from skill_arcade.environments.emulation import Emulated, Emulation, ale_seed
from skill_arcade.environments.stage import Outcome, Stage
from skill_arcade.games.manifest import Manifest, RealTime
from skill_arcade.play.controls import Controls
from skill_arcade.play.episode import Episode
from skill_arcade.play.window import Window
from skill_arcade.recording.records import InputInForce
from skill_arcade.wire import messages as say

AWAY_US = 20_000_000
"""How long a page may play on without hearing from the server (rule L5)."""
NOTICES = {
    "diverged": "The game in your page and the game on the server parted, so it ends. What both agreed on",
    "refused": "What your page sent can't have been played like that, so the game ends. What came before it",
}
SILENCE_US = AWAY_US + 5_000_000


class Incident(Exception):
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


class Guide:
    """What a page needs to step this game by itself, and what follows it then."""

    def __init__(self, game: Manifest, pace: RealTime, stage: Emulated, emulation: Emulation, module: str) -> None:
        self._game, self._pace, self._stage, self._emulation, self._module = game, pace, stage, emulation, module

    @classmethod
    def find(cls, game: Manifest, stage: Stage, module: str | None) -> "Guide | None":
        """Make one; None when this server has no emulator for pages (`module`: its SHA-256), or not for this game."""
        emulation = stage.emulation if isinstance(stage, Emulated) else None
        if module is None or emulation is None or game.pace.kind != "real-time" or game.noop is None:
            return None
        assert isinstance(stage, Emulated)
        return cls(game, game.pace, stage, emulation, module)

    def offer(self) -> say.Offer:
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
            away_ms=AWAY_US // 1000,
        )

    def follow(self, seed: int) -> "Following":
        """Begin to follow an episode; the stage has just been reset by `seed`."""
        controls = Controls(self._game.actions, self._game.noop)
        return Following(self._stage, controls, self._pace.hz, ale_seed(seed), self._module)


class Following:
    """One lockstep episode. It is the session's clock too: the page paces it, and due is only the end of patience."""

    def __init__(self, stage: Emulated, controls: Controls, hz: float, seed: int, module: str) -> None:
        self._stage, self._controls, self._ale_seed = stage, controls, seed
        self._window = Window(hz, AWAY_US)
        self._digest = stage.fold(0, 0.0)
        self._n_steps = 0
        self._quiet_since: int | None = None
        self.facts = {"module_sha256": module, "ale_seed": seed}

    @property
    def due_us(self) -> int | None:
        """When the page has been silent for too long."""
        return None if self._quiet_since is None else self._quiet_since + SILENCE_US

    def start(self, now: int) -> None:
        """The game begins, or goes on after a pause."""
        self._window.start(now)
        self._quiet_since = now

    def stop(self) -> None:
        """Paused, or nobody is there: nothing is due."""
        self._quiet_since = None

    def align(self, later_us: float) -> None:
        """Nothing: the page paces."""

    def stepped(self, now: int) -> None:
        """Nothing: the page's steps come by `follow`."""

    def returned(self, now: int) -> None:
        """The page is back."""
        self._window.returned()
        self._quiet_since = now

    def release(self, source: InputInForce) -> None:
        """Let go of every control, as the page does when the game is paused."""
        self._controls.release(source)

    def describe(self) -> say.Lockstep:
        """How far it has come, for `started`."""
        return say.Lockstep(ale_seed=self._ale_seed, n_steps=self._n_steps, digest=self._digest)

    def ticked(self) -> say.Ticked:
        """How far it has come, as an answer to `ticks`."""
        return say.Ticked(type="ticked", n_steps=self._n_steps, digest=self._digest)

    def take(self, episode: Episode, ticks: say.Ticks, received: int, now: int) -> None:
        """Take the page's steps, and record each on which both agree.

        Raises Incident at the first on which they do not, OSError when there is no room to record.
        """
        at = [round(time * 1000) for time in ticks.at]
        self._check(ticks, at, received)
        inputs = deque(ticks.inputs)
        for number, action in enumerate(ticks.actions):
            if episode.over:
                raise self._incident("beyond-end", ticks, number)
            while inputs and inputs[0].step == episode.n_steps:
                self._latch(episode, inputs.popleft(), received)
            due, source = self._controls.sample()
            if due != action:
                raise self._incident("not-latched", ticks, number, due=due)
            self._step(episode, ticks, number, source, at[number], now)
        if inputs:
            raise self._incident("not-latched", ticks, len(ticks.actions), left=len(inputs))
        self._quiet_since = now

    def _check(self, ticks: say.Ticks, at: list[int], received: int) -> None:
        if not len(ticks.actions) == len(ticks.at) == len(ticks.digests):
            raise self._incident("malformed", ticks, 0)
        if ticks.first != self._n_steps:
            raise self._incident("replayed" if ticks.first < self._n_steps else "gap", ticks, 0)
        fault = self._window.check(at, received)
        if fault is not None:
            raise self._incident(fault, ticks, 0)

    def _latch(self, episode: Episode, latched: say.Latched, received: int) -> None:
        at_us = round(latched.at * 1000)
        what = latched.model_dump(include={"control", "down", "device", "code", "frame"})
        episode.event("input", received, at_us, **what)
        source = InputInForce(at_us, received - episode.started_us, latched.frame)
        self._controls.change(latched.control, down=latched.down, source=source)

    def _step(
        self, episode: Episode, ticks: say.Ticks, number: int, source: InputInForce | None, at_us: int, now: int
    ) -> None:
        digest = self._digest

        def agree(outcome: Outcome) -> None:
            nonlocal digest
            digest = self._stage.fold(digest, outcome.reward)
            if digest != ticks.digests[number]:
                raise self._incident("diverged", ticks, number, digest=digest)

        episode.step(ticks.actions[number], source, now=now, late_us=None, stepped_us=at_us, agree=agree)
        self._digest, self._n_steps = digest, episode.n_steps

    def _incident(self, kind: str, ticks: say.Ticks, number: int, **more: Any) -> Incident:
        """All that the page sent from here on, beside what is on record: seed, settings and the steps before."""
        return Incident(
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
