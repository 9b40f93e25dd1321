"""Clips are read back with Pillow and PyAV and compared with the frames."""

import io
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from skill_arcade.errors import InvalidRequest
from skill_arcade.frames.apng import write_apng
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.replay.captions import keep_changes
from skill_arcade.replay.clips import ClipFormat, make_clip

HEIGHT, WIDTH, N = 30, 41, 24
TICK_US = 16_667


def draw_pictures(n_colours: int) -> NDArray[np.uint8]:
    """Return N pictures of a moving block; of `n_colours` colours in all, new ones in each picture."""
    random = np.random.default_rng(3)
    colours = random.integers(0, 256, (n_colours, 3), np.uint8)
    pictures = np.empty((N, HEIGHT, WIDTH, 3), np.uint8)
    for index in range(N):
        pictures[index] = colours[0]
        patch = random.integers(0, max(1, (index + 1) * n_colours // N), (9, 11))
        pictures[index, index % 20 : index % 20 + 9, index : index + 11] = colours[patch]
    return pictures


def store(pictures: NDArray[np.uint8]) -> bytes:
    true_colour = len(np.unique(pictures.reshape(-1, 3), axis=0)) > 255
    encoder = Encoder(true_colour=true_colour)
    pieces = [encoder.encode(Picture(picture)) for picture in pictures]
    return write_apng(pieces, (pictures.shape[2], pictures.shape[1]), [17] * len(pieces))


def read_animation(clip: bytes) -> tuple[NDArray[np.uint8], list[float]]:
    image: Any = Image.open(io.BytesIO(clip))
    frames, durations = [], []
    for index in range(image.n_frames):
        image.seek(index)
        frames.append(np.asarray(image.convert("RGB")))
        durations.append(image.info["duration"])
    return np.stack(frames), durations


@pytest.mark.parametrize("n_colours", [3, 200, 2000])
def test_apng_clip_read_by_pillow_has_no_differing_pixel(n_colours: int) -> None:
    pictures = draw_pictures(n_colours)
    segments = [store(pictures[:10]), store(pictures[10:])]
    clip = make_clip(ClipFormat.apng, segments, range(4, 20), [TICK_US] * 15 + [5_000_000])
    frames, durations = read_animation(clip)
    assert np.array_equal(frames, pictures[4:20])
    assert durations == pytest.approx([1000 / 60] * 15 + [5000], abs=0.02)


def test_png_clip_is_the_first_frame() -> None:
    pictures = draw_pictures(200)
    clip = make_clip(ClipFormat.png, [store(pictures)], range(7, 9), [TICK_US] * 2)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(clip)).convert("RGB")), pictures[7])


def test_gif_clip_keeps_the_time_of_the_recording() -> None:
    pictures = draw_pictures(60)
    clip = make_clip(ClipFormat.gif, [store(pictures)], range(N), [TICK_US] * N)
    frames, durations = read_animation(clip)
    assert sum(durations) == pytest.approx(N * TICK_US / 1000, abs=30)
    assert all(duration % 10 == 0 and duration >= 20 for duration in durations)
    assert all(any(np.array_equal(frame, picture) for picture in pictures) for frame in frames)


def test_mp4_clip_is_four_times_as_large_and_has_the_recorded_times() -> None:
    pictures = draw_pictures(60)
    delays = [TICK_US] * (N - 1) + [500_000]
    clip = make_clip(ClipFormat.mp4, [store(pictures)], range(N), delays)
    with av.open(io.BytesIO(clip), "r") as video:
        decoded = list(video.decode(video=0))
    assert [(frame.width, frame.height) for frame in decoded] == [(4 * WIDTH, 4 * HEIGHT)] * N
    times = [frame.time for frame in decoded]
    assert np.diff(times) == pytest.approx([TICK_US / 1e6] * (N - 1), abs=1e-4)
    shown = np.stack([frame.to_ndarray(format="rgb24") for frame in decoded])
    error = np.abs(shown.astype(int) - pictures.repeat(4, 1).repeat(4, 2))
    assert error.mean() < 4


def test_clip_of_pictures_of_two_sizes_is_refused_except_png() -> None:
    pictures = draw_pictures(3)
    segments = [store(pictures[:2]), store(pictures[2:, :20])]
    with pytest.raises(InvalidRequest, match="size"):
        make_clip(ClipFormat.gif, segments, range(4), [TICK_US] * 4)
    assert make_clip(ClipFormat.png, segments, range(2, 4), [TICK_US] * 2)


def test_caption_changes_keep_the_first_of_equal_texts() -> None:
    assert keep_changes([(0, "a"), (1, "a"), (2, "b"), (3, "a")]) == [(0, "a"), (2, "b"), (3, "a")]


@pytest.mark.parametrize("n_colours", [3, 2000])
def test_cropped_clip_has_the_exact_part_of_each_picture(n_colours: int) -> None:
    pictures = draw_pictures(n_colours)
    clip = make_clip(ClipFormat.apng, [store(pictures)], range(2, 9), [TICK_US] * 7, (5, 3, 20, 1000))
    frames, _ = read_animation(clip)
    assert np.array_equal(frames, pictures[2:9, 3:, 5:25])


def test_crop_beyond_the_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="the picture ends before"):
        make_clip(ClipFormat.apng, [store(draw_pictures(3))], range(2), [TICK_US] * 2, (WIDTH, 0, 5, 5))
