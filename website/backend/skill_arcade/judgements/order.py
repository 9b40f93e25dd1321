"""The order and the sides in which a judge sees the items of a set. They follow from the set and the judge."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass

MIN_REPEAT_GAP = 5
"""Items between an item and its repeat, if so many follow."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """An item as a judge sees it. `is_swapped` is True if the second clip is left."""

    number: int
    position: int
    is_swapped: bool


def order_items(set_sha256: str, user_id: str, n_items: int, repeats: Mapping[int, int]) -> list[Presentation]:
    """Return the items in the order of a judge.

    Half of the items have their sides swapped, and each repeat has the sides that the item before did not have. The
    order is the same at every call, also after items were deleted, because it depends on numbers only.

    Args:
        set_sha256: hash of the set.
        user_id: the judge.
        n_items: number of items that were drawn, without repeats.
        repeats: number of each repeat to the number of the item that it repeats.
    """
    generator = random.Random(_hash(set_sha256, user_id))
    order = _shuffle(generator, n_items)
    # With an odd number, one judge has the greater half swapped, and another one the smaller half.
    n_swapped = (n_items + int(generator.random() * 2)) // 2
    swapped = set(_shuffle(generator, n_items)[:n_swapped])
    keys: list[tuple[int, int, int, bool]] = [
        (position, 0, number, number in swapped) for position, number in enumerate(order)
    ]
    positions = {number: position for position, number in enumerate(order)}
    for number, original in sorted(repeats.items()):
        earliest = min(positions[original] + MIN_REPEAT_GAP, n_items)
        # By a hash of its own, so that the place does not depend on other repeats, which may be deleted.
        own = _hash(set_sha256, user_id, str(number))
        place = earliest + own % (n_items + 1 - earliest)
        keys.append((place, 1, number, original not in swapped))
    keys.sort()
    return [Presentation(number, position, is_swapped) for position, (_, _, number, is_swapped) in enumerate(keys)]


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(parts).encode()).digest(), "big")


def _shuffle(generator: random.Random, n: int) -> list[int]:
    """Return 0 to `n - 1` in random order, by `random()` alone, which is the same in every version of Python."""
    numbers = list(range(n))
    for index in range(n - 1, 0, -1):
        other = int(generator.random() * (index + 1))
        numbers[index], numbers[other] = numbers[other], numbers[index]
    return numbers
