"""Decodes frames: the reference for the page's decoder and for recordings."""

import zlib

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.encoder import UNCHANGED_INDEX, EncodedFrame
from skill_arcade.frames.picture import Picture


class Decoder:
    """Applies encoded frames to a canvas, which has the size of the last keyframe."""

    def __init__(self, width: int, height: int) -> None:
        self._canvas = np.zeros((height, width), np.uint8)
        self._palette = np.zeros((256, 3), np.uint8)
        self._known = 0
        self._rgb: NDArray[np.uint8] | None = None
        """The canvas in RGB, or None if `decode` has to convert all of it."""

    def decode(self, piece: EncodedFrame) -> NDArray[np.uint8]:
        """Apply a frame and return the picture, (height, width, 3) uint8.

        Raises:
            ValueError: the frame does not fit the canvas or its palette.
        """
        rgb = None if piece.key else self._rgb
        picture = self.apply(piece)
        if rgb is None:
            self._rgb = np.array(picture.rgb(), order="C")
        else:
            part = np.s_[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]
            rgb[part] = Picture(picture.pixels[part], picture.palette).rgb()
            self._rgb = rgb
        return self._rgb.copy()

    def apply(self, piece: EncodedFrame) -> Picture:
        """Apply a frame and return the picture, in arrays that the next frame overwrites."""
        self._rgb = None
        depth = 4 if piece.true_colour else 1
        if piece.key:
            self._known = 0
            size = piece.height, piece.width
            self._canvas = np.zeros(size if depth == 1 else (*size, 4), np.uint8)
        if (self._canvas.ndim == 3) != piece.true_colour:
            raise ValueError("a piece changed between palette and true colour without a key piece")
        self._update_palette(piece.palette)
        if piece.width:
            self._paint(piece, depth)
        if piece.true_colour:
            return Picture(self._canvas[..., :3])
        return Picture(self._canvas, self._palette)

    def _update_palette(self, colours: bytes) -> None:
        new = np.frombuffer(colours, np.uint8).reshape(-1, 3)
        self._palette[self._known : self._known + len(new)] = new
        self._known += len(new)

    def _paint(self, piece: EncodedFrame, depth: int) -> None:
        rows = np.frombuffer(zlib.decompress(piece.data), np.uint8)
        rows = rows.reshape(piece.height, 1 + piece.width * depth)[:, 1:]
        target = self._canvas[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]
        if depth == 1:
            np.copyto(target, rows, where=rows != UNCHANGED_INDEX if not piece.key else True)
        else:
            pixels = rows.reshape(piece.height, piece.width, 4)
            np.copyto(target, pixels, where=pixels[..., 3:] != 0)
