"""Who acted at each step of an episode that an agent played until a person took over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ABSENT = -1
"""An action that nobody chose."""
SWITCH_STEPS = 15
"""Steps before and after a switch whose labels are doubtful: a person needs 250 to 300 ms to react."""
REACTION_US = 250_000
"""The same time in a turn-based game, in microseconds. A longer look at an observation leaves no doubt."""
INTERVENTION, POLICY, BEFORE_INTERVENTION = 1, 0, -10
"""Values of `Takeover.intervention_labels`."""
SHARED = 2
"""Value of `Takeover.actors` for a step in which both acted."""


REASONS = ("mistake", "danger", "demonstration", "fun")
"""Why a person took over, in the order of the codes in exports, which begin with 0."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """The steps `start` to `end` (exclusive) in which a person acted, and why they took over, of `REASONS`, or None."""

    start: int
    end: int
    reason: str | None


class EventLike(Protocol):
    """An event of an episode."""

    @property
    def kind(self) -> str:
        """Kind of the event."""

    @property
    def step(self) -> int:
        """Number of steps before it."""

    @property
    def data(self) -> dict[str, Any]:
        """What it says."""


@dataclass(frozen=True)
class Takeover:
    """Who acted, and what both would have done. All arrays have one value for each of the T steps.

    The words are those of data sets for DAgger: an intervention is a step in which the person acts (HG-DAgger, Kelly et
    al. 2019, arXiv:1810.02890).
    """

    agent: str
    """Name of the agent."""
    is_intervention: NDArray[np.bool_]
    """Whether the person acted, (T,); in a shared step, whether that changed what the agent chose."""
    agent_actions: NDArray[np.int64]
    """What the agent chose, also where the person acted, (T,); -1: it had failed."""
    human_actions: NDArray[np.int64]
    """What the person did, (T,); -1 where the agent acted alone."""
    is_shared: NDArray[np.bool_] | None = None
    """Whether both acted, (T,); None: in no step."""
    given_reasons: Mapping[int, str] = field(default_factory=dict)
    """Why the person took over, by the step in which they did."""
    steps_us: NDArray[np.int64] | None = None
    """Time of each step of a turn-based game, in microseconds, (T,); None: the game is in real time."""

    @cached_property
    def switches(self) -> NDArray[np.int64]:
        """Steps in which another one acts than in the step before."""
        return np.flatnonzero(np.diff(self.is_intervention.astype(np.int8))) + 1

    @cached_property
    def actors(self) -> NDArray[np.int64]:
        """Who acted: 0 the agent, 1 the person, 2 both, (T,)."""
        actors = np.where(self.is_intervention, INTERVENTION, POLICY)
        return actors if self.is_shared is None else np.where(self.is_shared, SHARED, actors)

    @cached_property
    def interventions(self) -> tuple[Intervention, ...]:
        """Each time that the person acted, in order."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.is_intervention.astype(np.int8), [0]])))
        spans = edges.reshape(-1, 2).tolist()
        return tuple(Intervention(start, end, self.given_reasons.get(start)) for start, end in spans)

    @cached_property
    def reason_codes(self) -> NDArray[np.int64]:
        """Why the person acts, an index of `REASONS`, (T,); -1: the agent acts, or nobody has said."""
        codes = np.full(len(self.is_intervention), ABSENT, np.int64)
        for one in self.interventions:
            if one.reason in REASONS:
                codes[one.start : one.end] = REASONS.index(one.reason)
        return codes

    @cached_property
    def is_near_switch(self) -> NDArray[np.bool_]:
        """Whether a switch is so near that the label is doubtful, (T,): 15 steps.

        In a turn-based game it is 250 ms, around a switch at which one acted so soon after the other.
        """
        near = np.zeros(len(self.is_intervention), np.bool_)
        for step in self.switches:
            if self.steps_us is None:
                near[max(step - SWITCH_STEPS, 0) : step + SWITCH_STEPS] = True
            elif self.steps_us[step] - self.steps_us[step - 1] < REACTION_US:
                near |= abs(self.steps_us - self.steps_us[step]) < REACTION_US
        return near

    @cached_property
    def intervention_labels(self) -> NDArray[np.int64]:
        """1 for an intervention, 0 where the agent's choice was taken, and -10 in the 15 steps before one, (T,).

        These are the labels of Sirius (Liu et al. 2022, arXiv:2211.08416). In a turn-based game -10 is the step before,
        and those within 250 ms.
        """
        labels = np.where(self.is_intervention, INTERVENTION, POLICY)
        for step in self.switches:
            if self.is_intervention[step]:
                before = slice(self._find_first_before(step), step)
                labels[before][~self.is_intervention[before]] = BEFORE_INTERVENTION
        return labels

    def _find_first_before(self, step: int) -> int:
        """Return the first of the steps that led to a switch."""
        if self.steps_us is None:
            return max(step - SWITCH_STEPS, 0)
        return min(step - 1, int(np.searchsorted(self.steps_us, self.steps_us[step] - REACTION_US, side="right")))


def take_over_all(actions: NDArray[np.int64]) -> Takeover:
    """Return what stands for an episode in which no agent acted: all steps are the person's."""
    absent = np.full(len(actions), ABSENT, np.int64)
    return Takeover("", np.ones(len(actions), np.bool_), absent, actions.astype(np.int64))


def read_takeover(
    agent: str,
    actions: NDArray[np.int64],
    events: Iterable[EventLike],
    steps_us: NDArray[np.int64] | None = None,
) -> Takeover:
    """Return who acted, from the events and the actions that were taken, (T,).

    `steps_us` are the times of the steps of a turn-based game, (T,); None: the game is in real time.
    """
    is_human, is_shared = np.zeros(len(actions), np.bool_), np.zeros(len(actions), np.bool_)
    agent_actions = np.full(len(actions), ABSENT, np.int64)
    held_actions = agent_actions.copy()
    reasons: dict[int, str] = {}
    for event in events:
        if event.kind == "takeover":
            is_human[event.step :] = event.data["actor"] == "human"
            is_shared[event.step :] = event.data["actor"] == "shared"
        elif event.kind == "human-action":
            held_actions[event.step :] = event.data["action"]
        elif event.kind == "agent-action":
            chosen = event.data["action"]
            agent_actions[event.step :] = chosen if isinstance(chosen, int) else ABSENT
        elif event.kind == "takeover-reason":
            reasons[event.data["first_step"]] = event.data["reason"]
    is_intervention = is_human | (is_shared & (actions != agent_actions))
    human_actions = np.where(is_human, actions, np.where(is_shared, held_actions, ABSENT))
    return Takeover(
        agent, is_intervention, agent_actions, human_actions, is_shared if is_shared.any() else None, reasons, steps_us
    )
