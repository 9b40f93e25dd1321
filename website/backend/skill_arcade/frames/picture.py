"""A picture as an environment shows it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels (height, width) with a palette (n <= 256, 3), or (height, width, 3) with none; all uint8."""

    pixels: NDArray[np.uint8]
    palette: NDArray[np.uint8] | None = None

    def rgb(self) -> NDArray[np.uint8]:
        """The picture as (height, width, 3) uint8."""
        return self.pixels if self.palette is None else self.palette[self.pixels]
