"""Tests of the clock alignment: it follows offset and drift, and its error bound holds."""

import numpy as np
import pytest

from skill_arcade.dataset.clock import ClockAlignment, Floats

SHIFT_US = 123_456_789.0
DURATION_SECONDS = 600


def exchange(
    rng: np.random.Generator, *, up_ms: float, down_ms: float, jitter_ms: float, ppm: float
) -> list[dict[str, float]]:
    """Return one clock sample per second. The browser's clock has an offset and is fast by `ppm`."""
    samples = []
    for second in range(DURATION_SECONDS):
        sent = second * 1e6
        received = sent + 1000 * (up_ms + rng.exponential(jitter_ms))
        answered = received + 50
        returned = answered + 1000 * (down_ms + rng.exponential(jitter_ms))
        samples.append(
            {
                "asked_ms": float(to_browser(sent, ppm)) / 1000,
                "received_us": received,
                "answered_us": answered,
                "back_ms": float(to_browser(returned, ppm)) / 1000,
            }
        )
    return samples


def to_browser(server_us: float | Floats, ppm: float) -> float | Floats:
    return server_us * (1 + ppm / 1e6) + SHIFT_US


@pytest.mark.parametrize("ppm", [0, 50, -50])
@pytest.mark.parametrize(
    ("up_ms", "down_ms", "jitter_ms", "max_error_ms"),
    [(0.1, 0.1, 0.1, 2), (20, 20, 5, 6), (60, 15, 10, 30), (150, 0, 20, 90)],
)
def test_clock_error_stays_within_bound(
    up_ms: float, down_ms: float, jitter_ms: float, max_error_ms: float, ppm: float
) -> None:
    rng = np.random.default_rng(1)
    clock = ClockAlignment(exchange(rng, up_ms=up_ms, down_ms=down_ms, jitter_ms=jitter_ms, ppm=ppm))
    truth = np.linspace(5e6, (DURATION_SECONDS - 5) * 1e6, 5000)
    shown = np.asarray(to_browser(truth, ppm))
    error_us = np.abs(clock.to_server(shown) - truth)
    assert (error_us <= clock.error(shown) + 1).all()
    assert error_us.max() < max_error_ms * 1000


def test_asymmetric_network_shifts_clock_by_half_the_difference() -> None:
    samples = exchange(np.random.default_rng(2), up_ms=40, down_ms=10, jitter_ms=0.01, ppm=0)
    clock = ClockAlignment(samples)
    shift = clock.to_server([SHIFT_US + 60e6])[0] - 60e6
    assert shift == pytest.approx(15_000, abs=200)


def test_clock_without_samples_returns_nan() -> None:
    clock = ClockAlignment([])
    assert len(clock) == 0
    assert np.isnan(clock.to_server([1.0])).all()
    assert np.isinf(clock.error([1.0])).all()


def test_clock_with_one_sample_converts_times() -> None:
    clock = ClockAlignment([{"asked_ms": 1000.0, "received_us": 500.0, "answered_us": 600.0, "back_ms": 1001.1}])
    assert clock.round_trip_us == pytest.approx([1000.0])
    assert clock.to_server([1_000_550.0])[0] == pytest.approx(550.0)
    assert clock.error([1_000_550.0])[0] == pytest.approx(500.0)


def test_R28_clock_of_a_moved_episode_is_aligned_for_each_server() -> None:
    rng, jump_us = np.random.default_rng(3), 700_000
    samples = exchange(rng, up_ms=20, down_ms=20, jitter_ms=5, ppm=0)
    moved_us = samples[300]["received_us"] - jump_us
    for sample in samples[300:]:  # the second server's clock lags behind the first one's
        sample["received_us"] -= jump_us
        sample["answered_us"] -= jump_us
    before, after = samples[:300], samples[300:]
    clock = ClockAlignment(samples, [moved_us])
    for part, offset in ((before, 0), (after, jump_us)):
        sent = np.array([sample["asked_ms"] for sample in part]) * 1000
        error_us = np.abs(clock.to_server(sent) - (sent - SHIFT_US - offset))
        assert (error_us <= clock.error(sent) + 1).all()
        assert error_us.max() < 6000
