"""The input latch loses no press, whatever arrives between two ticks (rule I2)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_arcade.games.manifest import Binding
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput

LEFT, RIGHT, FIRE, LEFTFIRE, NOOP = 3, 2, 1, 11, 0
BINDINGS = (
    Binding(press=("left",), action=LEFT),
    Binding(press=("right",), action=RIGHT),
    Binding(press=("fire",), action=FIRE),
    Binding(press=("left", "fire"), action=LEFTFIRE),
)


class Player:
    def __init__(self) -> None:
        self.controls = InputLatch(BINDINGS, NOOP)
        self.time = 0

    def down(self, control: str) -> None:
        self.change(control, down=True)

    def up(self, control: str) -> None:
        self.change(control, down=False)

    def tap(self, control: str) -> None:
        self.down(control)
        self.up(control)

    def change(self, control: str, *, down: bool) -> None:
        self.time += 1
        self.controls.change(control, down=down, source=ActiveInput(self.time, self.time, None))

    def ticks(self, count: int) -> list[int | None]:
        return [self.controls.sample()[0] for _ in range(count)]


@pytest.fixture
def player() -> Player:
    return Player()


def test_I2_input_latch_without_held_controls_returns_noop(player: Player) -> None:
    assert player.ticks(2) == [NOOP, NOOP]


def test_I2_input_latch_tap_between_ticks_acts_for_one_tick(player: Player) -> None:
    player.tap("fire")
    assert player.ticks(3) == [FIRE, NOOP, NOOP]


def test_I2_input_latch_two_taps_between_ticks_act_twice(player: Player) -> None:
    player.tap("fire")
    player.tap("fire")
    assert player.ticks(5) == [FIRE, NOOP, FIRE, NOOP, NOOP]


def test_I2_input_latch_keys_pressed_together_act_together(player: Player) -> None:
    player.down("left")
    player.down("fire")
    assert player.ticks(1) == [LEFTFIRE]


def test_I2_input_latch_newer_of_opposite_keys_wins_until_released(player: Player) -> None:
    player.down("left")
    player.down("right")
    assert player.ticks(1) == [RIGHT]
    player.up("right")
    assert player.ticks(1) == [LEFT]


def test_I2_input_latch_change_of_direction_costs_no_tick(player: Player) -> None:
    player.down("left")
    assert player.ticks(1) == [LEFT]
    player.up("left")
    player.down("right")
    assert player.ticks(1) == [RIGHT]


def test_I2_input_latch_release_and_press_between_ticks_shows_release(player: Player) -> None:
    player.down("fire")
    assert player.ticks(1) == [FIRE]
    player.up("fire")
    player.down("fire")
    assert player.ticks(2) == [NOOP, FIRE]


def test_I1_input_latch_ignores_repeated_press(player: Player) -> None:
    player.down("fire")
    player.down("fire")
    player.up("fire")
    player.up("fire")
    assert player.ticks(2) == [FIRE, NOOP]


def test_input_latch_sample_returns_source_input(player: Player) -> None:
    player.tap("fire")
    _, source = player.controls.sample()
    assert source is not None
    assert source.at_us == 1


def test_input_latch_flood_of_taps_is_bounded_and_released(player: Player) -> None:
    for _ in range(10_000):
        player.tap("fire")
    actions = player.ticks(200)
    assert actions.count(FIRE) >= 30
    assert actions[-1] == NOOP


@given(st.lists(st.tuples(st.sampled_from(["left", "right", "fire"]), st.booleans(), st.booleans()), max_size=40))
def test_I2_input_latch_holds_every_press_at_some_tick(changes: list[tuple[str, bool, bool]]) -> None:
    player, presses, acted, held = Player(), 0, 0, set[str]()
    now: set[str] = set()

    def tick() -> int:
        player.controls.sample()
        after = set(player.controls._held_controls)
        gained = len(after - now)
        now.clear()
        now.update(after)
        return gained

    for control, down, then_tick in changes:
        presses += down and control not in held
        (held.add if down else held.discard)(control)
        player.change(control, down=down)
        acted += tick() if then_tick else 0
    acted += sum(tick() for _ in range(45))
    assert acted == presses
    assert now == held


def test_I2_input_latch_10000_taps_of_5_ms_all_act(player: Player) -> None:
    """Taps come every 35 to 45 ms at any phase of the tick; each must be held for a tick."""
    rng, tick, now, acted, before = random.Random(1), 1000 / 60, 0.0, 0, NOOP
    changes = []
    for _ in range(10_000):
        now += rng.uniform(35, 45)
        changes += [(now, True), (now + 5, False)]
    changes.reverse()
    for number in range(int(now / tick) + 10):
        while changes and changes[-1][0] <= number * tick:
            player.change("fire", down=changes.pop()[1])
        [action] = player.ticks(1)
        acted += action == FIRE and before != FIRE
        before = action or NOOP
    assert acted == 10_000
