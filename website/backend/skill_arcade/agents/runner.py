"""Lets agents play on a running arcade, as programs (rule O24)."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from skill_arcade.agents.catalogue import Agent
from skill_arcade.agents.policy import Policy
from skill_arcade.client import ArcadeEnv
from skill_arcade.client.env import Pace
from skill_arcade.games.manifest import Manifest


@dataclass(frozen=True, slots=True)
class PlayedEpisode:
    """An episode that an agent has played. `seconds` is what it took; `is_over` is False after `max_steps`."""

    id: str
    seed: int
    n_steps: int
    score: float
    is_over: bool
    seconds: float


def run_agent(
    url: str,
    agent: Agent,
    game: Manifest,
    *,
    options: Mapping[str, str] | None = None,
    seeds: Iterable[int],
    pace: Pace = "stepped",
    max_steps: int | None = None,
    token: str | None = None,
    version: int | None = None,
) -> Iterator[PlayedEpisode]:
    """Play an episode for each seed and yield what came of it. The arcade records each as one of a program.

    Args:
        url: Address of the arcade.
        agent: The agent. Its name is that of the player.
        game: The variant that is played: the game with its options applied.
        options: Options of the game, as the arcade takes them.
        seeds: Seeds, 1 to 2**31 - 1.
        pace: `stepped`: the game waits for the agent. `realtime`: it runs as for people. `lockstep`: the agent steps
            its own copy of the game.
        max_steps: Number of steps after which an episode is left; None: never.
        token: Token of the agent; None: it signs in by its name alone.
        version: Number of its version that plays; None: no version is named.

    Raises:
        RequestRefused: the arcade refuses the sign-in or the game.
        ConnectionClosed: the arcade closes the connection.
        LockstepUnavailable: the game cannot be played in lockstep.
        EpisodeRefused: the arcade refuses a step that was taken in lockstep.
        OSError: the arcade does not answer.
    """
    env = ArcadeEnv(
        url,
        game.id,
        name=agent.name,
        token=token,
        version=version,
        pace=pace,
        options=dict(options or {}),
        observations="environment" if agent.observes == "environment" else "picture",
    )
    with env:
        policy = agent.make(game, int(env.action_space.n))  # type: ignore[attr-defined]
        for seed in seeds:
            yield _play(env, policy, seed, max_steps)


def _play(env: ArcadeEnv, policy: Policy, seed: int, max_steps: int | None) -> PlayedEpisode:
    began = time.monotonic()
    policy.start(seed)
    observation, info = env.reset(seed=seed)
    n_steps, is_over = 0, False
    while not is_over and n_steps != max_steps:
        observation, _, terminated, truncated, info = env.step(policy.choose(observation, info))
        n_steps, is_over = n_steps + 1, terminated or truncated
    arcade = info["arcade"]
    return PlayedEpisode(arcade["episode"], seed, arcade["frame"], arcade["score"], is_over, time.monotonic() - began)
