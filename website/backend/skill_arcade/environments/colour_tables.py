"""Colours that ALE draws with, as measured on its own screens.

`ale.getScreen()` returns palette indices and `ale.getScreenRGB()` their colours; ALE has no call for the table. The
tables were measured by comparing the two in every game. An even index is one of the 128 colours of the television
standard. An odd index is the grey of the index before it and occurs only in rare frames: a PAL television loses its
colour if a frame has an odd number of lines.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NTSC = (
    "0000004a4a4a6f6f6f8e8e8eaaaaaac0c0c0d6d6d6ececec48480069690f86861da2a22abbbb35d2d240e8e84afcfc54"
    "7c2c00904811a26221b47a30c3903dd2a44adfb755ecc860901c00a33915b55328c66c3ad5824ae39759f0aa67fcbc74"
    "940000a71a1ab83232c84848d65c5ce46f6ff08080fc909084006497197aa8308fb846a2c659b3d46cc3e07cd2ec8ce0"
    "50008468199a7d30ad9246c0a459d0b56ce0c57ceed48cfc140090331aa34e32b56848c67f5cd5956fe3a980f0bc90fc"
    "000094181aa72d32b84248c8545cd6656fe47580f08490fc001c88183b9d2d57b04272c2548ad265a0e175b5ef84c8fc"
    "0030641850802d6d984288b054a0c565b7d975cceb84e0fc00403018624e2d8169429e8254b89965d1ae75e7c284fcd4"
    "0044001a661a32843248a0485cba5c6fd26f80e88090fc90143c00355f18527e2d6e9c4287b7549ed065b4e775c8fc84"
    "3038005059166d762b88923ea0ab4fb7c25fccd86ee0ec7c482c00694d14866a26a28638bb9f47d2b656e8cc63fce070"
)
_PAL = (
    "0000002b2b2b525252767676979797b6b6b6d2d2d2ececec0000002b2b2b525252767676979797b6b6b6d2d2d2ececec"
    "80580096711aab8732be9c48cfaf5cdfc06feed180fce090445c005e791a7693328cac48a0c25cb3d76fc4ea80d4fc90"
    "70340089511aa06b32b68448c99a5cdcaf6fecc280fcd4900064141a803532985248b06e5cc5876fd99e80ebb490fcc8"
    "700014891a35a03252b6486ec95c87dc6f9eec80b4fc90c8005c5c1a7676328e8e48a4a45cb8b86fcbcb80dcdc90ecec"
    "70005c841a74963289a8489eb75cb0c66fc1d380d1e090e0003c70195a892f75a0448eb657a5c968badc79ceec88e0fc"
    "5800706e1a898332a09648b6a75cc9b76fdcc680ecd490fc002070193f892f5aa04474b6578bc968a1dc79b5ec88c8fc"
    "3400804a1a965f32ab7248be835ccf936fdfa280eeb090fc0000881a1a9d3232b04848c25c5cd26f6fe18080ef9090fc"
    "0000002b2b2b525252767676979797b6b6b6d2d2d2ececec0000002b2b2b525252767676979797b6b6b6d2d2d2ececec"
)
_GREY = np.array([0.2989, 0.5870, 0.1140])
UNUSED_INDEX = 255
"""Index that no pixel has after remapping. Frames use it for "unchanged"."""


@dataclass(frozen=True, slots=True)
class ColourTable:
    """Colours of a television standard, and a mapping of its indices that leaves 255 unused.

    `colours` (256, 3) is what ALE shows for each index. For `palette` (255, 3) and `goes` (256,),
    `palette[goes[index]] == colours[index]` for each index. Even indices map to themselves, so that a frame without odd
    ones needs no remapping.
    """

    colours: NDArray[np.uint8]
    palette: NDArray[np.uint8]
    goes: NDArray[np.uint8]


def _colour_table(hexadecimal: str) -> ColourTable:
    even = np.frombuffer(bytes.fromhex(hexadecimal), np.uint8).reshape(128, 3)
    colours = np.empty((256, 3), np.uint8)
    colours[0::2] = even
    colours[1::2] = np.round(even @ _GREY).astype(np.uint8)[:, None]
    return ColourTable(colours, *_fold(colours))


def _fold(colours: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Map odd indices to the first index of the same colour, and 255, if it has none, to an index that became free."""
    goes = np.arange(256, dtype=np.uint8)
    first: dict[tuple[int, ...], int] = {}
    for index in (*range(0, 256, 2), *range(1, 256, 2)):
        place = first.setdefault(tuple(colours[index].tolist()), index)
        goes[index] = place if index % 2 else index
    palette = colours[:UNUSED_INDEX].copy()
    if goes[UNUSED_INDEX] == UNUSED_INDEX:
        freed = next(index for index in range(1, UNUSED_INDEX, 2) if goes[index] != index)
        palette[freed], goes[UNUSED_INDEX] = colours[UNUSED_INDEX], freed
    return palette, goes


NTSC = _colour_table(_NTSC)
PAL = _colour_table(_PAL)
