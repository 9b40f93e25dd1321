"""Compares agents that have played the same seeds of one game, at the same pace and with the same options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skill_arcade.agents.runner import PlayedEpisode
from skill_arcade.analysis.aggregates import Interval, bootstrap_interval, interquartile_mean

REPETITIONS = 2_000
"""Draws of each bootstrap."""


@dataclass(frozen=True, slots=True)
class AgentResult:
    """Scores of an agent.

    `middle` is the interquartile mean of its scores. `difference` is the mean, over the seeds, of its score minus that
    of the first agent; None for the first agent. Both have intervals of 95 %, by a bootstrap over the episodes.
    """

    name: str
    n_episodes: int
    middle: Interval
    difference: Interval | None
    n_left: int
    """Episodes that were left after `--max-steps`, whose scores are too small."""


def compare_agents(played: Mapping[str, Sequence[PlayedEpisode]]) -> list[AgentResult]:
    """Compare agents with the first one, on the seeds that all of them have played.

    Raises:
        ValueError: no seed was played by all of them, or a score is NaN or infinite.
    """
    scores = {name: {one.seed: one.score for one in episodes} for name, episodes in played.items()}
    seeds = sorted(set.intersection(*(set(of_agent) for of_agent in scores.values())))
    if not seeds:
        raise ValueError("no seed was played by all agents")
    first = np.array([next(iter(scores.values()))[seed] for seed in seeds])
    results = []
    for number, (name, of_agent) in enumerate(scores.items()):
        own = np.array([of_agent[seed] for seed in seeds])
        results.append(
            AgentResult(
                name,
                len(seeds),
                bootstrap_interval({"all": own}, interquartile_mean, repetitions=REPETITIONS),
                None if number == 0 else bootstrap_interval({"all": own - first}, np.mean, repetitions=REPETITIONS),
                sum(not one.is_over for one in played[name]),
            )
        )
    return results
