"""Two clocks that differ and drift are aligned, and the error that is stated holds."""

import numpy as np
import pytest

from skill_arcade.dataset.clock import ClockAlignment, Floats

SHIFT_US = 123_456_789.0
SECONDS = 600


def exchange(
    rng: np.random.Generator, *, up_ms: float, down_ms: float, jitter_ms: float, ppm: float
) -> list[dict[str, float]]:
    """A ping a second for ten minutes. The browser's clock is shifted, and fast by `ppm`."""
    samples = []
    for second in range(SECONDS):
        asked = second * 1e6
        received = asked + 1000 * (up_ms + rng.exponential(jitter_ms))
        answered = received + 50
        back = answered + 1000 * (down_ms + rng.exponential(jitter_ms))
        samples.append(
            {
                "asked_ms": float(browser(asked, ppm)) / 1000,
                "received_us": received,
                "answered_us": answered,
                "back_ms": float(browser(back, ppm)) / 1000,
            }
        )
    return samples


def browser(server_us: float | Floats, ppm: float) -> float | Floats:
    return server_us * (1 + ppm / 1e6) + SHIFT_US


@pytest.mark.parametrize("ppm", [0, 50, -50])
@pytest.mark.parametrize(
    ("up_ms", "down_ms", "jitter_ms", "worst_ms"),
    [(0.1, 0.1, 0.1, 2), (20, 20, 5, 6), (60, 15, 10, 30), (150, 0, 20, 90)],
)
def test_the_stated_error_holds(up_ms: float, down_ms: float, jitter_ms: float, worst_ms: float, ppm: float) -> None:
    rng = np.random.default_rng(1)
    clock = ClockAlignment(exchange(rng, up_ms=up_ms, down_ms=down_ms, jitter_ms=jitter_ms, ppm=ppm))
    truth = np.linspace(5e6, (SECONDS - 5) * 1e6, 5000)
    shown = np.asarray(browser(truth, ppm))
    wrong = np.abs(clock.to_server(shown) - truth)
    assert (wrong <= clock.error(shown) + 1).all()
    assert wrong.max() < worst_ms * 1000


def test_unequal_directions_shift_by_half_their_difference_as_the_docs_say() -> None:
    samples = exchange(np.random.default_rng(2), up_ms=40, down_ms=10, jitter_ms=0.01, ppm=0)
    clock = ClockAlignment(samples)
    shift = clock.to_server([SHIFT_US + 60e6])[0] - 60e6
    assert shift == pytest.approx(15_000, abs=200)


def test_without_samples_nothing_is_claimed() -> None:
    clock = ClockAlignment([])
    assert len(clock) == 0
    assert np.isnan(clock.to_server([1.0])).all()
    assert np.isinf(clock.error([1.0])).all()


def test_a_single_sample_is_enough_to_start() -> None:
    clock = ClockAlignment([{"asked_ms": 1000.0, "received_us": 500.0, "answered_us": 600.0, "back_ms": 1001.1}])
    assert clock.round_trip_us == pytest.approx([1000.0])
    assert clock.to_server([1_000_550.0])[0] == pytest.approx(550.0)
    assert clock.error([1_000_550.0])[0] == pytest.approx(500.0)
