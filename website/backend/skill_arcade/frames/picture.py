"""A picture as an environment shows it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picture(NamedTuple):
    """Pixels (height, width) with a palette (n <= 256, 3), or (height, width, 3) with none; all uint8."""

    pixels: NDArray[np.uint8]
    palette: NDArray[np.uint8] | None = None

    def rgb(self) -> NDArray[np.uint8]:
        """The picture as (height, width, 3) uint8."""
        return self.pixels if self.palette is None else self.palette[self.pixels]

    def equals(self, other: "Picture") -> bool:
        """True when every pixel has the same colour."""
        if self.palette is not None and other.palette is not None and np.array_equal(self.pixels, other.pixels):
            used = np.unique(self.pixels) if not np.array_equal(self.palette, other.palette) else slice(0)
            return np.array_equal(self.palette[used], other.palette[used])
        return np.array_equal(self.rgb(), other.rgb())
