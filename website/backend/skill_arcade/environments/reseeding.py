"""Atari by another seed without loading the ROM anew: 0.3 ms of a core for 67.

ALE takes its seed only when it loads a ROM, and four fifths of that time go into a table of blended colours. But what
a seed decides is the state of one generator (a `std::mt19937`), which is written out in the emulator's saved state.
While nothing has been drawn from it, the states of two seeds differ by that text alone (decision 0010).
"""

import struct
from dataclasses import dataclass
from typing import Any, cast

import ale_py
import numpy as np

from skill_arcade.environments.emulator_config import TIME_BASED_SEED

_HEAD = struct.Struct("<6i")
"""`ALEState::serialize`: six numbers (the last: mode, difficulty), the console as a string, and a tail."""
_LENGTH = struct.Struct("<I")
"""Of a string, before it (`Serializer::putString`)."""


@dataclass(frozen=True, slots=True)
class FreshState:
    """The saved state of a game whose ROM was just loaded, around the text of its generator."""

    head: bytes
    before: bytes
    after: bytes
    tail: bytes

    @classmethod
    def find(cls, ale: ale_py.ALEInterface, ale_seed: int) -> "FreshState | None":
        """From an emulator that has just loaded its ROM with this seed; None when it has drawn from it already."""
        state = ale.cloneState(include_rng=True).serialize()
        text = mt19937_state(ale_seed)
        (length,) = _LENGTH.unpack_from(state, _HEAD.size)
        begin = _HEAD.size + _LENGTH.size
        before, found, after = state[begin : begin + length].partition(_LENGTH.pack(len(text)) + text)
        return cls(state[: _HEAD.size], before, after, state[begin + length :]) if found else None

    def with_seed(self, ale_seed: int) -> ale_py.ALEState:
        """What loading the ROM with this seed would have led to, once `reset_game` follows, as it does in Gymnasium.

        Raises ValueError for CLOCK_SEED: ALE takes the time for it.
        """
        if ale_seed == TIME_BASED_SEED:
            raise ValueError("ALE takes the time for this seed, which no state can stand for")
        text = mt19937_state(ale_seed)
        rest = b"".join((self.before, _LENGTH.pack(len(text)), text, self.after))
        state = ale_py.ALEState.__new__(ale_py.ALEState)
        # ale-py's stub says that it wants a tuple; it is what `__getstate__` gives, which is bytes.
        state.__setstate__(cast(Any, b"".join((self.head, _LENGTH.pack(len(rest)), rest, self.tail))))
        return state


def mt19937_state(seed: int) -> bytes:
    """A freshly seeded `std::mt19937` as libstdc++ writes it: 624 words and the position."""
    generator = np.random.RandomState(seed & 0xFFFFFFFF).get_state(legacy=False)["state"]
    return " ".join(map(str, [*generator["key"].tolist(), generator["pos"]])).encode()
