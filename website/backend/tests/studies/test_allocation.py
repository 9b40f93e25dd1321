"""Allocation: blocks are balanced and depend on a secret; Williams squares balance order and carry-over."""

from collections import Counter
from itertools import pairwise

import pytest

from skill_arcade.studies.allocation import derive_seed, draw_arm, draw_sequence, order_stages, williams_square

SECRET, OTHER = "ab" * 32, "cd" * 32
WEIGHTS = {"a": 1, "b": 2}


@pytest.mark.parametrize("n", range(2, 10))
def test_williams_square_balances_positions_and_successions(n: int) -> None:
    rows = williams_square(n)
    assert len(rows) == (n if n % 2 == 0 else 2 * n)
    for place in range(n):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // n}
    successions = Counter(pair for row in rows for pair in pairwise(row))
    assert len(successions) == n * (n - 1)
    assert len(set(successions.values())) == 1


def test_each_block_has_every_arm_by_its_weight() -> None:
    for block in range(50):
        arms = Counter(draw_arm(SECRET, "x", block * 6 + place, WEIGHTS, 2) for place in range(6))
        assert arms == {"a": 2, "b": 4}


def test_order_in_blocks_differs_by_block_stratum_and_secret() -> None:
    def draw(secret: str, stratum: str) -> list[str]:
        return [draw_arm(secret, stratum, slot, {"a": 1, "b": 1}, 2) for slot in range(80)]

    blocks = {tuple(draw(SECRET, "")[start : start + 4]) for start in range(0, 80, 4)}
    assert len(blocks) > 3
    assert draw(SECRET, "") == draw(SECRET, "")
    assert draw(SECRET, "") != draw(OTHER, "")
    assert draw(SECRET, "") != draw(SECRET, "old")


def test_sequences_are_held_equally_often_also_after_drop_outs() -> None:
    held: list[int] = []
    for number in range(61):
        if number % 7 == 6:
            held.pop(number % len(held))
        held.append(draw_sequence(SECRET, "", "a", held, 6))
    counts = Counter(held)
    assert max(counts.values()) - min(counts[row] for row in range(6)) <= 2


def test_stages_are_ordered_by_the_row_and_others_stay() -> None:
    names = ["consent", "x", "y", "z", "end"]
    assert order_stages(names, [], None) == names
    orders = [order_stages(names, ["x", "y", "z"], row) for row in range(6)]
    assert len({tuple(order) for order in orders}) == 6
    for order in orders:
        assert (order[0], order[-1], sorted(order[1:4])) == ("consent", "end", ["x", "y", "z"])


def test_seed_follows_from_secret_and_parts() -> None:
    seeds = [derive_seed(SECRET, "user", "stage", trial) for trial in range(100)]
    assert len(set(seeds)) == 100
    assert all(0 < seed < 2**31 for seed in seeds)
    assert derive_seed(OTHER, "user", "stage", 0) != seeds[0] == derive_seed(SECRET, "user", "stage", 0)
