"""Renders a game's cover and preview: a busy moment of random play, and the seconds around it."""

import io
import itertools
import random
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.manifest import Manifest

COVER_SIZE = 400, 300
PREVIEW_SIZE = 240, 180
PREVIEW_SECONDS = 2.5
"""Length of a preview animation."""
MAX_STATIC_SHARE = 0.04
"""Largest share of colour changes along an edge of the picture for which the edge is extended beside it."""
PREVIEW_HZ = 10
"""Frames per second of a preview animation."""
SEARCH_STEPS = {"real-time": 1200, "turn-based": 60}
QUIET_STEPS = {"real-time": 300, "turn-based": 4}
"""Steps at the start that are not considered: titles and countdowns."""


@dataclass(frozen=True, slots=True)
class CoverArt:
    """Cover and preview as WebP files."""

    cover: bytes
    preview: bytes


def render_cover_art(game: Manifest, seeds: tuple[int, ...] = (1, 2)) -> CoverArt:
    """Play with each seed and render the busiest moment. The same manifest gives the same files."""
    env = make_environment(game.environment)
    try:
        _, frames, index = max((_find_busiest_window(game, env, seed) for seed in seeds), key=lambda found: found[0])
    finally:
        env.close()
    aspect = game.show.pixel_aspect
    return CoverArt(_cover(frames[index], aspect), _preview(frames, aspect))


def _find_busiest_window(game: Manifest, env: PlayableEnv, seed: int) -> tuple[float, list[NDArray[np.uint8]], int]:
    """Return the activity of the busiest window, its frames, and the index of its busiest frame."""
    kind = game.pace.kind
    every = max(1, round(game.pace.hz / PREVIEW_HZ)) if game.pace.kind == "real-time" else 1
    length = round(PREVIEW_SECONDS * PREVIEW_HZ)
    best: tuple[float, list[NDArray[np.uint8]], int] = (-1.0, [], 0)
    recent: deque[NDArray[np.uint8]] = deque(maxlen=length)
    longest: list[NDArray[np.uint8]] = []
    rng, action = random.Random(seed), game.noop or 0
    env.reset(seed)
    recent.append(env.picture().rgb().copy())
    for step in range(SEARCH_STEPS[kind]):
        if kind == "turn-based" or rng.random() < 0.08:
            action = rng.choice([binding.action for binding in game.actions] + [game.noop or 0] * (kind == "real-time"))
        outcome = env.step(action)
        if step % every == 0:
            recent.append(env.picture().rgb().copy())
            enough = len(recent) == length or kind == "turn-based"
            if enough and step >= QUIET_STEPS[kind] and (liveliness := _measure_activity(recent)) > best[0]:
                best = liveliness, list(recent), len(recent) - 1
        if outcome.terminated or outcome.truncated:
            env.reset(seed + step + 1)
            longest = max(longest, list(recent), key=len)
            recent.clear()
            recent.append(env.picture().rgb().copy())
    longest = max(longest, list(recent), key=len)  # for games that end before a preview is long enough
    return best if best[1] else (0.0, longest, len(longest) // 2)


def _measure_activity(frames: deque[NDArray[np.uint8]]) -> float:
    """Score frames by many small changes and many colours. A screen that flashes as a whole scores zero."""
    small = [frame[::4, ::4] for frame in frames]
    moving = [float((a != b).any(axis=2).mean()) for a, b in itertools.pairwise(small)]
    calm = [share for share in moving if share < 0.3]
    if len(calm) < 0.8 * len(moving):
        return 0.0
    colours = len(np.unique(small[-1].reshape(-1, 3), axis=0))
    return float(np.mean(calm or [0.0])) + 0.004 * min(colours, 12)


def _scaled(frame: NDArray[np.uint8], aspect: float, size: tuple[int, int]) -> Image.Image:
    """Scale the whole picture with its pixel aspect, on a background that continues its edges."""
    height, width = frame.shape[:2]
    scale = min(size[0] / (width * aspect), size[1] / height)
    sharp = Image.fromarray(frame).resize((width * 4, height * 4), Image.Resampling.NEAREST)
    fitted = sharp.resize(
        (max(1, round(width * aspect * scale)), max(1, round(height * scale))), Image.Resampling.LANCZOS
    )
    ground = _background_colour(frame, aspect, size)
    ground.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
    return ground


def _background_colour(frame: NDArray[np.uint8], aspect: float, size: tuple[int, int]) -> Image.Image:
    """Return the background of a picture that does not fill the frame: each uniform edge is extended."""
    height, width = frame.shape[:2]
    tall = width * aspect * size[1] < height * size[0]
    half = (size[0] // 2, size[1]) if tall else (size[0], size[1] // 2)
    ground = Image.new("RGB", size)
    for edge, corner in (
        (frame[:, :1] if tall else frame[:1], (0, 0)),
        (frame[:, -1:] if tall else frame[-1:], (size[0] - half[0], size[1] - half[1])),
    ):
        if _is_uniform(edge.reshape(-1, 3)):
            ground.paste(Image.fromarray(edge).resize(half, Image.Resampling.NEAREST), corner)
    return ground


def _is_uniform(edge: NDArray[np.uint8]) -> bool:
    """Return whether an edge has few colour changes. Extending many of them would look like a barcode."""
    changes = int((edge[1:] != edge[:-1]).any(axis=1).sum())
    return changes <= MAX_STATIC_SHARE * len(edge)


def _cover(frame: NDArray[np.uint8], aspect: float) -> bytes:
    buffer = io.BytesIO()
    _scaled(frame, aspect, COVER_SIZE).save(buffer, "WEBP", quality=72, method=6)
    return buffer.getvalue()


def _preview(frames: list[NDArray[np.uint8]], aspect: float) -> bytes:
    buffer = io.BytesIO()
    images = [_scaled(frame, aspect, PREVIEW_SIZE) for frame in frames]
    first, rest = images[0], images[1:]
    duration = round(1000 / PREVIEW_HZ)
    first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=duration, loop=0, quality=40, method=4)
    return buffer.getvalue()
