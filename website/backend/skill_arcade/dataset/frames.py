"""The frames of an episode, decoded when they are looked at."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Pictures = NDArray[np.uint8]
READERS = 2


class Frames:
    """T + 1 pictures, each of shape (height, width, 3), uint8: frame i is what the player saw before step i.

    Behaves like an array of shape (T + 1, height, width, 3) that stays encoded: `frames[i]` and `frames[a:b]`
    decode what they need, a loop decodes each segment once, and `numpy.asarray(frames)` decodes all
    (100 kB a frame for an Atari game, so 360 MB a minute at 60 frames a second).
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, counts: Sequence[int], decode: Callable[[int], Pictures]) -> None:
        """Frames of segments with so many each; `decode(k)` gives those of segment k, (n, height, width, 3)."""
        self._ends = list(accumulate(counts))
        self._decode = decode
        self._newest: tuple[int, Pictures] | None = None

    def __len__(self) -> int:
        """T + 1."""
        return self._ends[-1] if self._ends else 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T + 1, height, width, 3). Decodes a segment to see the size."""
        _, height, width, depth = self._segment(0).shape if len(self) else (0, 0, 0, 3)
        return (len(self), height, width, depth)

    def __iter__(self) -> Iterator[Pictures]:
        """One frame after the other."""
        for number in range(len(self._ends)):
            yield from self._segment(number).copy()

    def __getitem__(self, key: int | slice | Sequence[int] | NDArray[Any]) -> Pictures:
        """A frame, (height, width, 3); or for a slice or an array of indices, (n, height, width, 3)."""
        chosen = np.asarray(np.arange(len(self))[key])
        if chosen.ndim == 0:
            return self._frame(int(chosen)).copy()
        if chosen.ndim > 1:
            raise IndexError("frames are chosen by an index, a slice or a row of indices")
        if isinstance(key, slice) and key.step in (None, 1) and len(chosen):
            return self._run(int(chosen[0]), int(chosen[-1]) + 1)
        out = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for place, index in enumerate(chosen):
            out[place] = self._frame(int(index))
        return out

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All frames at once."""
        if copy is False:
            raise ValueError("frames are decoded into a new array, which `copy=False` forbids")
        return self[:].astype(dtype or np.uint8, copy=False)

    def __repr__(self) -> str:
        """How many there are."""
        return f"<{len(self)} frames>"

    def _run(self, start: int, stop: int) -> Pictures:
        """Frames in a row; segments are decoded two at once, and are gone when they are copied."""
        first, last = (int(np.searchsorted(self._ends, index, side="right")) for index in (start, stop - 1))
        if first == last:
            begin = self._ends[first - 1] if first else 0
            return self._segment(first)[start - begin : stop - begin].copy()
        out: Pictures | None = None
        with ThreadPoolExecutor(READERS) as pool:
            # Not all are asked for at once: what waits is memory.
            waiting = deque(
                pool.submit(self._segment, number) for number in range(first, min(first + READERS, last + 1))
            )
            for number in range(first, last + 1):
                segment = waiting.popleft().result()
                if number + READERS <= last:
                    waiting.append(pool.submit(self._segment, number + READERS))
                begin = self._ends[number - 1] if number else 0
                part = segment[max(start - begin, 0) : stop - begin]
                if out is None:
                    out = np.empty((stop - start, *segment.shape[1:]), np.uint8)
                place = max(begin - start, 0)
                out[place : place + len(part)] = part
        assert out is not None
        return out

    def _frame(self, index: int) -> Pictures:
        number = int(np.searchsorted(self._ends, index, side="right"))
        start = self._ends[number - 1] if number else 0
        frame: Pictures = self._segment(number)[index - start]
        return frame

    def _segment(self, number: int) -> Pictures:
        newest = self._newest
        if newest is None or newest[0] != number:
            # One assignment: other threads see the one or the other.
            self._newest = newest = (number, self._decode(number))
        return newest[1]
