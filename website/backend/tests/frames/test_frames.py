"""Encoded frames decode exactly."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from skill_arcade.frames.apng import count_frames, read_apng, write_apng
from skill_arcade.frames.change import changed_rectangle
from skill_arcade.frames.decoder import Decoder
from skill_arcade.frames.encoder import EncodedFrame, Encoder
from skill_arcade.frames.picture import Picture, pack_colours, unpack_colours

Pictures = list[Picture]


def indexed_pictures(rng: np.random.Generator) -> Iterator[Picture]:
    palette = rng.integers(0, 256, (256, 3), np.uint8)
    pixels = rng.integers(0, 255, (21, 16), np.uint8)
    for _ in range(30):
        yield Picture(pixels.copy(), palette)
        y, x = rng.integers(0, 15, 2)
        pixels[y : y + rng.integers(0, 6), x : x + rng.integers(0, 6)] = rng.integers(0, 255)


def few_colours(rng: np.random.Generator) -> Iterator[Picture]:
    pixels = np.zeros((17, 13, 3), np.uint8)
    for _ in range(60):
        yield Picture(pixels.copy())
        pixels[rng.integers(0, 17), rng.integers(0, 13)] = rng.integers(0, 256, 3)


def many_colours(rng: np.random.Generator) -> Iterator[Picture]:
    for _ in range(8):
        yield Picture(rng.integers(0, 256, (20, 24, 3), np.uint8))


def colours_that_overflow(rng: np.random.Generator) -> Iterator[Picture]:
    yield from few_colours(rng)
    yield Picture(rng.integers(0, 256, (17, 13, 3), np.uint8))
    yield from few_colours(rng)


def packed_colours(rng: np.random.Generator) -> Iterator[Picture]:
    for picture in few_colours(rng):
        yield Picture(pack_colours(picture.pixels))


def packed_colours_that_overflow(rng: np.random.Generator) -> Iterator[Picture]:
    for picture in colours_that_overflow(rng):
        yield Picture(pack_colours(picture.pixels))


def alternating_forms(rng: np.random.Generator) -> Iterator[Picture]:
    for number, picture in enumerate(few_colours(rng)):
        yield picture if number % 3 else Picture(pack_colours(picture.pixels))


KINDS = [indexed_pictures, few_colours, many_colours, packed_colours, alternating_forms]


@pytest.mark.parametrize("kind", [*KINDS, colours_that_overflow, packed_colours_that_overflow])
def test_encoder_pictures_decode_to_equal_pixels(kind: Callable[[np.random.Generator], Iterator[Picture]]) -> None:
    pictures = list(kind(np.random.default_rng(1)))
    height, width = pictures[0].pixels.shape[:2]
    encoder, decoder = Encoder(), Decoder(width, height)
    for number, picture in enumerate(pictures):
        shown = decoder.decode(encoder.encode(picture, key=number % 7 == 6))
        np.testing.assert_array_equal(shown, picture.rgb())


def test_encoder_packed_pictures_give_the_frames_of_rgb_pictures() -> None:
    pictures = [picture.pixels.repeat(2, axis=0).repeat(8, axis=1) for picture in few_colours(np.random.default_rng(1))]
    of_rgb, of_packed = Encoder(), Encoder()
    sizes = []
    for pixels in pictures:
        colours = pack_colours(pixels)
        np.testing.assert_array_equal(unpack_colours(colours), pixels)
        frame, other = of_rgb.encode(Picture(pixels)), of_packed.encode(Picture(colours))
        assert (frame.key, frame.palette) == (other.key, other.palette)
        sizes.append((frame.width, other.width))
    assert all(abs(width - other) <= 8 for width, other in sizes)
    assert len(set(sizes)) > 1


def test_decoder_picture_stays_after_later_frames_and_after_apply() -> None:
    pictures = list(few_colours(np.random.default_rng(5)))
    encoder, decoder = Encoder(), Decoder(13, 17)
    shown = []
    for number, picture in enumerate(pictures):
        frame = encoder.encode(picture, key=number == 20)
        shown.append(decoder.apply(frame).rgb() if number % 4 == 3 else decoder.decode(frame))
    for picture, pixels in zip(pictures, shown, strict=True):
        np.testing.assert_array_equal(pixels, picture.rgb())


@pytest.mark.parametrize("kind", KINDS)
def test_apng_segment_reads_back_equal_here_and_in_pillow(
    kind: Callable[[np.random.Generator], Iterator[Picture]],
) -> None:
    pictures = list(kind(np.random.default_rng(2)))
    data = apng_of(pictures)
    assert count_frames(data) == len(pictures)
    ours = list(read_apng(data))
    with Image.open(io.BytesIO(data)) as image:
        theirs = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    assert len(ours) == len(theirs) == len(pictures)
    for picture, mine, pillow in zip(pictures, ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, picture.rgb())
        np.testing.assert_array_equal(pillow, picture.rgb())


def test_encoder_unchanged_picture_is_empty() -> None:
    encoder, picture = Encoder(), Picture(np.ones((8, 8, 3), np.uint8))
    encoder.encode(picture)
    assert encoder.encode(picture) == EncodedFrame(False, False, 0, 0, 0, 0, b"", b"")


def test_encoder_palette_picture_with_index_255_uses_true_colour() -> None:
    palette = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(256, 3)
    picture = Picture(np.full((4, 8), 255, np.uint8), palette)
    piece = Encoder().encode(picture)
    assert piece.true_colour
    np.testing.assert_array_equal(Decoder(8, 4).decode(piece), picture.rgb())


@pytest.mark.parametrize("place", [0, 20, 60, -20])
def test_read_apng_with_flipped_bit_raises_value_error(place: int) -> None:
    data = bytearray(apng_of(list(indexed_pictures(np.random.default_rng(3)))))
    data[place] ^= 4
    with pytest.raises(ValueError, match=r"damaged|not a PNG|cut off|says"):
        list(read_apng(bytes(data)))


def test_read_apng_of_truncated_file_raises_value_error() -> None:
    data = apng_of(list(few_colours(np.random.default_rng(3))))
    with pytest.raises(ValueError, match="cut off"):
        list(read_apng(data[:-5]))


@pytest.mark.parametrize("shape", [(9, 16), (9, 13), (9, 8, 4), (5, 7, 4)])
def test_changed_rectangle_contains_every_change(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        before = rng.integers(0, 4, shape, np.uint8)
        after = before.copy()
        for _ in range(rng.integers(1, 4)):
            after[rng.integers(0, shape[0]), rng.integers(0, shape[1])] = 9
        x, y, width, height = changed_rectangle(before, after)
        outside: NDArray[np.bool_] = np.ones(shape[:2], bool)
        outside[y : y + height, x : x + width] = False
        assert not (before != after)[outside].any()


def apng_of(pictures: Pictures) -> bytes:
    encoder = Encoder()
    pieces = [encoder.encode(picture) for picture in pictures]
    height, width = pictures[0].pixels.shape[:2]
    return write_apng(pieces, (width, height), [17] * len(pieces))
