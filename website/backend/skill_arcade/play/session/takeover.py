"""An agent that plays until the person takes over by pressing a control, and after they let go (rule O38)."""

import logging
from collections.abc import Callable
from typing import Any, Literal

from skill_arcade.agents.catalogue import Agent
from skill_arcade.agents.policy import CorrectablePolicy, Policy
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.exact_json import decode_info
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.session.clock import AgentClock
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.play.session.shared_control import SharedControl
from skill_arcade.recording.records import ActiveInput
from skill_arcade.wire import messages

log = logging.getLogger(__name__)

HAND_BACK_SECONDS = 0.5
"""Time after the last release in which the person still acts: to press nothing between two presses is a choice too."""
TURN_HAND_BACK_SECONDS = 2.0
"""The same in a turn-based game, in which a person thinks between two presses."""
DEFAULT_INTERVAL_MS = 500
"""Time between two moves of an agent in a turn-based game, until the person chooses another one."""
AGENT_FAILED_NOTICE = "The agent has failed, so you play on alone. Everything that was played is saved."

Actor = Literal["human", "agent", "shared"]
Send = Callable[[messages.Actor | messages.Notice], None]


class Takeover:
    """Decides at each step who acts, tells the page, and records it: events `takeover` and `agent-action` (rule R41).

    In the mode `together` the controls of both act in one step while the person holds any. In a turn-based game each
    press is a step of the person, and `clock` says when the agent moves. A failure of the agent's policy ends neither
    the episode nor the session: the person acts from then on.
    """

    def __init__(self, agent: Agent, game: Manifest, env: PlayableEnv, send: Send) -> None:
        """`agent` plays `game`."""
        self._agent, self._game, self._environment, self._send = agent, game, env, send
        self._hand_back_steps = 0
        self._interval_ms: int | None = None
        self.clock: AgentClock | None = None
        """Clock of a turn-based game; None: the game has a rate of its own."""
        if game.pace.kind == "real-time":
            self._hand_back_steps = max(round(HAND_BACK_SECONDS * game.pace.hz), 1)
        else:
            self._interval_ms = DEFAULT_INTERVAL_MS
            self.clock = AgentClock(DEFAULT_INTERVAL_MS * 1000)
        self._policy: Policy | None = None
        self._actor: Actor = "agent"
        self._agent_action: int | None = None
        """What the agent would do in the next step; None: it has failed."""
        self._recorded_action: int | None = None
        self._recorded_human_action: int | None = None
        self._mode: Literal["take-over", "together"] = "take-over"
        self._shared_control = SharedControl(game)
        self._correction: int | None = None
        """What the person did in the last step instead of what the agent chose; None: nothing else."""
        self._last_held_step = 0
        self._intervention_step: int | None = None
        """Step in which the person took over the last time; None: not yet in this episode."""

    def describe(self) -> dict[str, Any]:
        """Describe the agent for the provenance of an episode."""
        described: dict[str, Any] = {"agent": self._agent.name, "hand_back_steps": self._hand_back_steps}
        described["mode"] = self._mode
        if self.clock is not None:
            described |= {"hand_back_seconds": TURN_HAND_BACK_SECONDS, "interval_ms": self._interval_ms}
        return described

    def set_up(self, message: messages.AgentSetup, episode: EpisodeRecorder | None, received: int, now: int) -> None:
        """Change how the agent plays from now on."""
        interval_ms = None if self.clock is None else message.interval_ms
        if (interval_ms, message.mode) == (self._interval_ms, self._mode):
            return
        self._interval_ms, self._mode = interval_ms, message.mode
        if episode is None or self._policy is not None:
            self._set_clock(now)
        if episode is not None:
            data = {"interval_ms": interval_ms, "mode": message.mode}
            episode.record_event("agent-setup", received, round(message.at * 1000), **data)

    def record_reason(self, message: messages.TakeoverReason, episode: EpisodeRecorder, received: int) -> None:
        """Record why the person took over the last time, if they did. The last answer counts."""
        if self._intervention_step is not None:
            data = {"reason": message.reason, "first_step": self._intervention_step}
            episode.record_event("takeover-reason", received, round(message.at * 1000), **data)

    def on_input(self, now: int, *, is_holding: bool) -> None:
        """In a turn-based game, let the agent wait because the person has pressed or released a control."""
        if self.clock is not None:
            self.clock.hold_off(now + round(TURN_HAND_BACK_SECONDS * 1e6), is_held=is_holding)

    def _set_clock(self, now: int) -> None:
        if self.clock is not None:
            self.clock.set_interval(None if self._interval_ms is None else self._interval_ms * 1000, now)

    def tell(self) -> None:
        """Tell the page who acts."""
        self._send(messages.Actor(type="actor", actor=self._actor, agent=self._agent.name))

    def start(self, episode: EpisodeRecorder, seed: int, now: int) -> None:
        """Begin an episode. The agent acts first."""
        self._recorded_action, self._recorded_human_action = None, None
        self._correction, self._intervention_step = None, None
        self._last_held_step = -self._hand_back_steps - 1
        self._set_clock(now)
        self._switch(episode, "agent", now)
        try:
            self._policy = self._agent.make(self._game, self._environment.n_actions)
            self._policy.start(seed)
        except Exception as error:  # noqa: BLE001 a policy may raise anything
            self._stop_agent(episode, error, now)
        self.observe(episode, now)

    def choose(
        self, episode: EpisodeRecorder, action: int | None, source: ActiveInput | None, now: int, *, is_holding: bool
    ) -> tuple[int | None, ActiveInput | None]:
        """Return the action of the next step, and the input that it follows from.

        `action` is that of the controls that the person holds; `is_holding` tells whether there are any, or, in a
        turn-based game, whether it is the person's step.
        """
        actor = self._find_actor(episode.n_steps, is_holding=is_holding)
        if actor != self._actor:
            self._switch(episode, actor, now)
        if self._agent_action != self._recorded_action:
            self._recorded_action = self._agent_action
            episode.record_event("agent-action", now, action=self._agent_action)
        if actor == "agent":
            return self._agent_action, None
        if actor == "shared":
            action = self._share(episode, action, now)
        self._correction = None if action == self._agent_action else action
        return action, source

    def _share(self, episode: EpisodeRecorder, human_action: int | None, now: int) -> int:
        """Return the action of both, and record that of the person if it has changed."""
        assert human_action is not None
        assert self._agent_action is not None
        if human_action != self._recorded_human_action:
            self._recorded_human_action = human_action
            episode.record_event("human-action", now, action=human_action)
        return self._shared_control.combine(human_action, self._agent_action)

    def observe(self, episode: EpisodeRecorder, now: int) -> None:
        """Let the agent choose its action for the next step, also while the person acts."""
        if self._policy is None:
            return
        try:
            self._agent_action = self._choose_agent_action(episode.last_result)
        except Exception as error:  # noqa: BLE001 a policy may raise anything
            self._stop_agent(episode, error, now)

    def _choose_agent_action(self, result: StepResult) -> int:
        assert self._policy is not None
        if self._correction is not None and isinstance(self._policy, CorrectablePolicy):
            self._policy.correct(self._correction)
        self._correction = None
        is_picture = self._agent.observes == "picture" or self._environment.observes_picture
        observation = self._environment.picture().rgb() if is_picture else result.observation
        action = int(self._policy.choose(observation, decode_info(result.info)))
        if not 0 <= action < self._environment.n_actions:
            raise ValueError(f"it chose the action {action}; there are 0 to {self._environment.n_actions - 1}")
        return action

    def _find_actor(self, step: int, *, is_holding: bool) -> Actor:
        if is_holding:
            self._last_held_step = step
        if self._agent_action is None:
            return "human"
        if self._mode == "together":
            return "shared" if is_holding else "agent"
        return "human" if step - self._last_held_step <= self._hand_back_steps else "agent"

    def _switch(self, episode: EpisodeRecorder, actor: Actor, now: int) -> None:
        self._actor = actor
        if actor != "agent" and self._policy is not None:
            self._intervention_step = episode.n_steps
        episode.record_event("takeover", now, actor=actor)
        self.tell()

    def _stop_agent(self, episode: EpisodeRecorder, error: Exception, now: int) -> None:
        log.warning("agent failed agent=%s episode=%s", self._agent.name, episode.id, exc_info=error)
        self._policy, self._agent_action = None, None
        if self.clock is not None:
            self.clock.set_interval(None, now)
            self._switch(episode, "human", now)  # in real time the next step does
        episode.record_event("agent-failed", now, error=f"{type(error).__name__}: {error}"[:400])
        self._send(messages.Notice(type="notice", text=AGENT_FAILED_NOTICE))
