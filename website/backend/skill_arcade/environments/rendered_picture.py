"""Turns what `render` returns into RGB pixels, or says why that is no picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SIDE_PIXELS = 65_535
"""Greatest width and height: frame packets and stored frames have 16 bits for each."""
MAX_PIXELS = 1 << 24
"""Greatest area of a picture: 16.8 million pixels, 50 MB as RGB."""
NO_RENDERER = "make the environment with a renderer: check its packages, and MUJOCO_GL for MuJoCo"


def read_picture(rendered: Any) -> NDArray[np.uint8] | None:
    """Return the pixels of a rendered picture, shape (height, width, 3), uint8. None if nothing was rendered.

    A list gives its last frame. Grey pictures, (h, w) or (h, w, 1), become RGB. RGBA pictures are drawn over black.
    Floats from 0 to 1 and booleans are scaled to 255, integers from 0 to 255 are kept.

    Raises:
        ValueError: it is no picture.
    """
    if isinstance(rendered, list) and (not rendered or isinstance(rendered[-1], np.ndarray)):
        rendered = rendered[-1] if rendered else None
    if rendered is None:
        return None
    if isinstance(rendered, str | bytes):
        raise ValueError(f"render returned text; a game needs pixels: {NO_RENDERER}")
    try:
        pixels = np.asarray(rendered)
    except (TypeError, ValueError) as error:
        raise ValueError(f"render returned a {type(rendered).__name__} that is no array of pixels: {error}") from error
    return _to_rgb(_to_bytes(_check_shape(pixels)))


def _check_shape(pixels: NDArray[Any]) -> NDArray[Any]:
    grey = pixels.ndim == 2
    if not grey and (pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4)):
        turned = pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4)
        hint = "; move the channels to the end" if turned else ""
        raise ValueError(f"render returned shape {pixels.shape}; a picture has (height, width, 3){hint}")
    height, width = pixels.shape[:2]
    if not (0 < height <= MAX_SIDE_PIXELS and 0 < width <= MAX_SIDE_PIXELS and height * width <= MAX_PIXELS):
        raise ValueError(
            f"render returned {width} x {height} pixels; a picture has 1 to {MAX_SIDE_PIXELS} in each direction "
            f"and at most {MAX_PIXELS:,} in all"
        )
    return pixels[..., np.newaxis] if grey else pixels


def _to_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind not in "iuf":
        raise ValueError(f"render returned values of dtype {pixels.dtype}; a picture has numbers, best uint8")
    # NaN fails both comparisons
    lowest, highest = pixels.min(), pixels.max()
    limit = 1 if pixels.dtype.kind == "f" else 255
    if not (lowest >= 0 and highest <= limit):
        raise ValueError(
            f"render returned {pixels.dtype} values from {lowest} to {highest}; "
            f"a picture of this dtype has 0 to {limit}, uint8 is best"
        )
    return (pixels * 255.0).round().astype(np.uint8) if pixels.dtype.kind == "f" else pixels.astype(np.uint8)


def _to_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    channels = pixels.shape[2]
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    if channels == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels)
