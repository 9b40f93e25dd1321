"""The frames of an episode, decoded on access."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Pictures = NDArray[np.uint8]
DECODER_THREADS = 2
"""Number of segments that are decoded concurrently."""


class Frames:
    """T + 1 frames, each of shape (height, width, 3), uint8. Frame i is what the player saw before step i.

    If the size of the picture changes within the episode, single frames and iteration work, and what needs an array of
    several frames raises ValueError.

    The object acts as an array of shape (T + 1, height, width, 3) that stays encoded. `frames[i]` and `frames[a:b]`
    decode the segments that they need, iteration decodes each segment once, and `numpy.asarray(frames)` decodes all
    frames (100 kB per frame of an Atari game, which is 360 MB per minute at 60 frames per second).
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, counts: Sequence[int], decode: Callable[[int], Pictures]) -> None:
        """Create the frames of segments with `counts` frames. `decode(k)` returns segment k: (n, height, width, 3)."""
        self._ends = list(accumulate(counts))
        self._decode = decode
        self._newest: tuple[int, Pictures] | None = None

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T + 1, height, width, 3). Decodes one segment to read the size."""
        _, height, width, depth = self._segment(0).shape if len(self) else (0, 0, 0, 3)
        return (len(self), height, width, depth)

    def __iter__(self) -> Iterator[Pictures]:
        """Yield the frames in order."""
        for number in range(len(self._ends)):
            yield from self._segment(number).copy()

    def __getitem__(self, key: int | slice | Sequence[int] | NDArray[Any]) -> Pictures:
        """Return one frame, (height, width, 3), or for a slice or an array of indices (n, height, width, 3)."""
        chosen = np.asarray(np.arange(len(self))[key])
        if chosen.ndim == 0:
            return self._frame(int(chosen)).copy()
        if chosen.ndim > 1:
            raise IndexError("the index of frames must be an integer, a slice or a one-dimensional array")
        if isinstance(key, slice) and key.step in (None, 1) and len(chosen):
            return self._run(int(chosen[0]), int(chosen[-1]) + 1)
        out = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for position, index in enumerate(chosen):
            out[position] = self._frame(int(index))
        return out

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Decode all frames."""
        if copy is False:
            raise ValueError("copy=False is not supported: frames are decoded into a new array")
        return self[:].astype(dtype or np.uint8, copy=False)

    def __repr__(self) -> str:
        return f"<{len(self)} frames>"

    def _run(self, start: int, stop: int) -> Pictures:
        """Return consecutive frames. Segments are decoded concurrently, and each is released after it is copied."""
        first, last = (int(np.searchsorted(self._ends, index, side="right")) for index in (start, stop - 1))
        if first == last:
            begin = self._ends[first - 1] if first else 0
            return self._segment(first)[start - begin : stop - begin].copy()
        out: Pictures | None = None
        with ThreadPoolExecutor(DECODER_THREADS) as pool:
            # Limits the number of decoded segments in memory.
            pending = deque(
                pool.submit(self._segment, number) for number in range(first, min(first + DECODER_THREADS, last + 1))
            )
            for number in range(first, last + 1):
                segment = pending.popleft().result()
                if number + DECODER_THREADS <= last:
                    pending.append(pool.submit(self._segment, number + DECODER_THREADS))
                begin = self._ends[number - 1] if number else 0
                part = segment[max(start - begin, 0) : stop - begin]
                if out is None:
                    out = np.empty((stop - start, *segment.shape[1:]), np.uint8)
                if segment.shape[1:] != out.shape[1:]:
                    raise ValueError(
                        f"the picture's size changes from {_format_size(out)} to {_format_size(segment)} at frame "
                        f"{begin}: read the frames one by one"
                    )
                position = max(begin - start, 0)
                out[position : position + len(part)] = part
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
            # A single assignment, so that other threads see a consistent pair.
            self._newest = newest = (number, self._decode(number))
        return newest[1]


def _format_size(pictures: Pictures) -> str:
    return f"{pictures.shape[2]} x {pictures.shape[1]}"
