"""A judge's order follows from set and judge; sides are balanced, and repeats are swapped and apart."""

from statistics import mean

import pytest

from skill_arcade.judgements.order import MIN_REPEAT_GAP, order_items

REPEATS = {40: 3, 41: 17, 42: 39, 43: 0}


def test_order_is_the_same_again_and_another_for_others() -> None:
    order = order_items("set", "ann", 40, REPEATS)
    assert order == order_items("set", "ann", 40, REPEATS)
    assert order != order_items("set", "bob", 40, REPEATS)
    assert order != order_items("other set", "ann", 40, REPEATS)
    assert [one.position for one in order] == list(range(44))
    assert {one.number for one in order} == set(range(44))


@pytest.mark.parametrize("n_items", [1, 2, 7, 40])
def test_half_of_the_items_are_swapped_for_each_judge(n_items: int) -> None:
    counts = [sum(one.is_swapped for one in order_items("set", f"judge {judge}", n_items, {})) for judge in range(200)]
    assert set(counts) <= {n_items // 2, (n_items + 1) // 2}
    assert mean(counts) == pytest.approx(n_items / 2, abs=0.15)


def test_each_item_is_swapped_and_first_for_about_as_many_judges_as_any_other() -> None:
    n_judges, n_items = 2000, 8
    orders = [order_items("set", f"judge {judge}", n_items, {}) for judge in range(n_judges)]
    for number in range(n_items):
        swapped = sum(one.is_swapped for order in orders for one in order if one.number == number)
        first = sum(order[0].number == number for order in orders)
        assert swapped == pytest.approx(n_judges / 2, abs=110)  # five standard deviations
        assert first == pytest.approx(n_judges / n_items, abs=75)


def test_repeats_are_swapped_and_apart_unless_the_order_ends() -> None:
    for judge in range(100):
        order = order_items("set", f"judge {judge}", 40, REPEATS)
        places = {one.number: one for one in order}
        for number, original in REPEATS.items():
            assert places[number].is_swapped != places[original].is_swapped
            between = order[places[original].position + 1 : places[number].position]
            n_after = sum(one.number < 40 for one in order[places[original].position + 1 :])
            assert sum(one.number < 40 for one in between) >= min(MIN_REPEAT_GAP, n_after)


def test_deleted_repeat_leaves_the_order_of_the_others() -> None:
    whole = order_items("set", "ann", 40, REPEATS)
    without = order_items("set", "ann", 40, {number: of for number, of in REPEATS.items() if number != 41})
    assert [(one.number, one.is_swapped) for one in whole if one.number != 41] == [
        (one.number, one.is_swapped) for one in without
    ]
