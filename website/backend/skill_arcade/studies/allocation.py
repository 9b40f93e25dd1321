"""Allocation of participants: permuted blocks of arms, and Williams squares for orders.

A stratum has numbered slots, and each slot has an arm. A new participant takes the lowest slot that nobody holds, so
that the slot of a participant who dropped out goes to the next one with the same arm (decision 0031).
"""

import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence

from skill_arcade.environments.emulator_config import TIME_BASED_SEED, ale_seed


def draw_arm(secret: str, stratum: str, slot: int, weights: Mapping[str, int], repeats: int) -> str:
    """Return the arm of a slot. The order within a block follows from the secret, so nobody else can predict it."""
    block = [arm for arm, weight in sorted(weights.items()) for _ in range(weight * repeats)]
    number, place = divmod(slot, len(block))
    return _shuffle(secret, f"arms {stratum} {number}", block)[place]


def draw_sequence(secret: str, stratum: str, arm: str, held: Sequence[int], n_sequences: int) -> int:
    """Return a row of the Williams square that the fewest participants of this stratum and arm hold.

    `held` are the rows of those who count for the quota.
    """
    counts = [held.count(row) for row in range(n_sequences)]
    rows = [str(row) for row in range(n_sequences)]
    shuffled = _shuffle(secret, f"orders {stratum} {arm} {min(counts)}", rows)
    return next(int(row) for row in shuffled if counts[int(row)] == min(counts))


def williams_square(n: int) -> list[list[int]]:
    """Return the orders of n conditions in which each follows each other one equally often.

    There are n orders for an even n, and 2n for an odd one.
    """
    first = [0]
    for step in range(1, n):
        first.append((n - step // 2) % n if step % 2 == 0 else (step + 1) // 2)
    rows = [[(value + row) % n for value in first] for row in range(n)]
    return rows if n % 2 == 0 else rows + [row[::-1] for row in rows]


def order_stages(names: Sequence[str], counterbalanced: Sequence[str], sequence: int | None) -> list[str]:
    """Return the names of all stages with the counterbalanced ones in the order of this row."""
    if sequence is None or not counterbalanced:
        return list(names)
    first = list(names).index(counterbalanced[0])
    row = williams_square(len(counterbalanced))[sequence]
    return [*names[:first], *(counterbalanced[value] for value in row), *names[first + len(row) :]]


def derive_seed(secret: str, *parts: object) -> int:
    """Return a seed, 1 to 2^31-1, that follows from the secret and these parts."""
    for number in range(1000):
        digest = _digest(secret, f"seed {' '.join(map(str, parts))} {number}")
        seed = int.from_bytes(digest[:4], "big") >> 1
        if seed > 0 and ale_seed(seed) != TIME_BASED_SEED:
            return seed
    raise AssertionError("no usable seed among 1000 digests")


def _shuffle(secret: str, label: str, items: Sequence[str]) -> list[str]:
    shuffled = list(items)
    random.Random(_digest(secret, label)).shuffle(shuffled)
    return shuffled


def _digest(secret: str, label: str) -> bytes:
    return hmac.digest(bytes.fromhex(secret), label.encode(), hashlib.sha256)
