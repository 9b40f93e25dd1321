"""Takes the pictures of Gymnasium's own environments from the pygame surface on which they are drawn.

Their `render` ends with `np.transpose(np.array(pygame.surfarray.pixels3d(surface)), axes=(1, 0, 2))`, which copies byte
by byte: 0.8 of the 1.1 ms that a picture of CartPole takes. The surface's own 32-bit pixels are copied in 0.02 ms.
"""

import importlib
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

_PLACEHOLDER = np.zeros((1, 1, 3), np.uint8)
_MASKS = (0xFF0000, 0xFF00, 0xFF)


def draws_on_surface(env: gymnasium.Env[Any, Any]) -> bool:
    """Return whether `render_surface` may be used: an environment of Gymnasium, with no wrapper that changes pictures.

    Environments of others may use `pixels3d` in other ways, such as to draw.
    """
    while isinstance(env, gymnasium.Wrapper):
        if type(env).render is not gymnasium.Wrapper.render:
            return False
        env = env.env
    return type(env).__module__.startswith("gymnasium.envs.") and _find_surfarray() is not None


def render_surface(env: gymnasium.Env[Any, Any]) -> NDArray[np.uint32] | None:
    """Render, and return the picture as (height, width) 0xRRGGBB. None if it was not drawn on one 32-bit surface.

    While `render` runs, `pygame.surfarray.pixels3d` is replaced, so no other thread may render.
    """
    surfarray: Any = _find_surfarray()
    surfaces: list[Any] = []

    def keep_surface(surface: Any) -> NDArray[np.uint8]:
        surfaces.append(surface)
        return _PLACEHOLDER

    pixels3d = surfarray.pixels3d
    surfarray.pixels3d = keep_surface
    try:
        rendered: Any = env.render()
    finally:
        surfarray.pixels3d = pixels3d
    if np.shape(rendered) != _PLACEHOLDER.shape or len(surfaces) != 1:
        return None
    (surface,) = surfaces
    if surface.get_bitsize() != 32 or surface.get_masks()[:3] != _MASKS:
        return None
    pixels: NDArray[np.uint32] = np.asarray(surface.get_view("2")).T
    return pixels & np.uint32(0xFFFFFF)


def _find_surfarray() -> Any:
    """Return the module `pygame.surfarray`, or None if pygame is not installed."""
    try:
        return importlib.import_module("pygame.surfarray")
    except ImportError:
        return None
