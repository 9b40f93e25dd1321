"""Finds the parts of an observation whose form changes from step to step, from the observation space."""

from collections.abc import Iterator
from typing import Any

from gymnasium import spaces

from skill_arcade.recording.observation import ROOT_NAME, join_path


def find_changing_leaves(space: Any) -> tuple[str, ...]:
    """Return the names of the leaves that have no fixed dtype and shape: of Sequence, Graph, OneOf and unknown spaces.

    A Text is a leaf of its own kind, and Dict and Tuple are walked.
    """
    return tuple(name or ROOT_NAME for name in _walk(space, ""))


def _walk(space: Any, path: str) -> Iterator[str]:
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _walk(part, join_path(path, key))
    elif isinstance(space, spaces.Tuple):
        for index, part in enumerate(space.spaces):
            yield from _walk(part, join_path(path, index))
    elif isinstance(space, spaces.Sequence | spaces.Graph | spaces.OneOf):
        yield path
