"""Stages that are made already, for players to come: loading an Atari game takes 67 ms and holds Python's lock."""

import logging
from collections import Counter, deque

from skill_arcade.environments.atari import AtariStage
from skill_arcade.environments.making import make_stage
from skill_arcade.environments.stage import Stage
from skill_arcade.errors import EnvironmentUnfit
from skill_arcade.games.manifest import EnvironmentChoice

log = logging.getLogger(__name__)

KINDS = 8
"""Games of which stages are kept: those that were asked for last. A stage is 0.9 MB, shared until it is played."""


class Stock:
    """Stages by environment. Atari's only: their reset leaves nothing of what was played before (decision 0010)."""

    def __init__(self) -> None:
        self._stages: dict[str, list[AtariStage]] = {}
        self._wanted: deque[EnvironmentChoice] = deque()

    @property
    def short(self) -> bool:
        """True when `load` has something to do."""
        return bool(self._wanted)

    @property
    def counts(self) -> Counter[str]:
        """How many stages of each environment are here, by the environment's JSON."""
        return Counter({key: len(stages) for key, stages in self._stages.items()})

    def want(self, environment: EnvironmentChoice, each: int) -> None:
        """Keep so many stages of this environment, and none of the one that nobody has wanted for the longest.

        The first of them is made now, the others when `load` is called.
        """
        stages = self._stages.pop(key := environment.model_dump_json(), [])
        self._stages[key] = stages
        if len(self._stages) > KINDS:
            for stage in self._stages.pop(next(iter(self._stages))):
                stage.close()
        missing = each - len(stages) - self._wanted.count(environment)
        self._wanted.extend([environment] * missing)
        if not stages:
            self._make(environment)

    def load(self) -> None:
        """Make one stage that is missing."""
        self._make(self._wanted[0])

    def _make(self, environment: EnvironmentChoice) -> None:
        self._wanted.remove(environment)
        try:
            stage = make_stage(environment)
        except EnvironmentUnfit as error:
            log.warning("no stage of %s is kept: %s", environment.id, error)
        else:
            self.put(environment, stage)

    def take(self, environment: EnvironmentChoice) -> Stage:
        """One from the stock, or made now. Raises EnvironmentUnfit."""
        stages = self._stages.get(environment.model_dump_json())
        return stages.pop() if stages else make_stage(environment)

    def put(self, environment: EnvironmentChoice, stage: Stage) -> None:
        """Keep a stage that is not played any more, or close it."""
        if isinstance(stage, AtariStage):
            self._stages.setdefault(environment.model_dump_json(), []).append(stage)
        else:
            stage.close()
