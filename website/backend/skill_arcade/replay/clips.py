"""Clips of an episode in four formats. PNG and APNG are exact; GIF and MP4 are for showing.

The browser makes the same clips; the server makes them for browsers that cannot.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skill_arcade.errors import InvalidRequest
from skill_arcade.frames.apng import read_apng, write_apng
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture

Pictures = NDArray[np.uint8]
MAX_CLIP_FRAMES = 3600
"""Maximum number of frames of a clip: one minute at 60 frames per second."""
MAX_DELAY_US = 65_000_000
"""Maximum duration of a frame. Longer ones are cut, because APNG cannot say them."""
GIF_FRAME_MS = 30
"""Duration of a frame of a GIF. Browsers slow down anything below 20 ms, and GIF counts in units of 10 ms."""
MIN_VIDEO_SCALE = 4
"""Video halves the resolution of colours, which is invisible if each pixel is drawn as 4 x 4 pixels."""
MICROSECOND = Fraction(1, 1_000_000)


class ClipFormat(StrEnum):
    """File format of a clip."""

    png = "png"
    apng = "apng"
    gif = "gif"
    mp4 = "mp4"


MEDIA_TYPES = {
    ClipFormat.png: "image/png",
    ClipFormat.apng: "image/apng",
    ClipFormat.gif: "image/gif",
    ClipFormat.mp4: "video/mp4",
}


Crop = tuple[int, int, int, int]
"""Part of a picture: x, y, width and height in pixels. What is beyond the picture is left out."""


def make_clip(
    format_: ClipFormat,
    segments: Sequence[bytes],
    frames: range,
    delays_us: Sequence[int],
    crop: Crop | None = None,
) -> bytes:
    """Return a clip.

    Args:
        format_: file format. A PNG has the first frame only.
        segments: consecutive APNG objects that contain the frames.
        frames: indices of the frames, counted from the first frame of `segments`.
        delays_us: duration of each frame in microseconds.
        crop: part of the picture, or None for all of it.

    Raises:
        InvalidRequest: the crop is beyond the picture, or the picture changes its size within the frames, which the
            format cannot hold.
        ValueError: a segment is damaged.
    """
    delays = [min(max(delay, 1), MAX_DELAY_US) for delay in delays_us]
    pictures = _cut(segments, frames)
    if crop is not None:
        pictures = _crop(pictures, crop)
    if format_ is ClipFormat.png:
        return encode_png(next(pictures))
    pictures = _require_one_size(pictures)
    if format_ is ClipFormat.apng:
        return _encode_apng(list(pictures), delays)
    if format_ is ClipFormat.gif:
        return _encode_gif(pictures, delays)
    return _encode_mp4(pictures, delays)


def encode_png(picture: Pictures) -> bytes:
    """Return one frame as a PNG in its own size."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def make_preview(picture: Pictures, size: tuple[int, int] = (1200, 630)) -> bytes:
    """Return a PNG for link previews: the frame as large as whole pixels allow, centred on a dark ground."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    scale = int(scale) if scale >= 1 else scale
    image = Image.fromarray(picture)
    scaled = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.NEAREST)
    canvas = Image.new("RGB", size, (10, 7, 6))
    canvas.paste(scaled, ((size[0] - scaled.width) // 2, (size[1] - scaled.height) // 2))
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _cut(segments: Sequence[bytes], frames: range) -> Iterator[Pictures]:
    place = 0
    for segment in segments:
        pictures = read_apng(segment)
        for index in range(max(frames.start - place, 0), min(frames.stop - place, len(pictures))):
            yield pictures[index]
        place += len(pictures)


def _crop(pictures: Iterator[Pictures], crop: Crop) -> Iterator[Pictures]:
    x, y, width, height = crop
    for picture in pictures:
        part = picture[y : y + height, x : x + width]
        if not part.size:
            raise InvalidRequest(f"The part of the picture begins at {x}, {y}, and the picture ends before.")
        yield np.ascontiguousarray(part)


def _require_one_size(pictures: Iterator[Pictures]) -> Iterator[Pictures]:
    shape = None
    for picture in pictures:
        shape = shape or picture.shape
        if picture.shape != shape:
            raise InvalidRequest(
                "The picture changes its size within this range, and a clip has one size. Choose a shorter range."
            )
        yield picture


def _encode_apng(pictures: Sequence[Pictures], delays_us: Sequence[int]) -> bytes:
    encoder = Encoder()
    pieces = [encoder.encode(Picture(picture)) for picture in pictures]
    if encoder.true_colour and not pieces[0].true_colour:  # the colours of all frames do not fit one palette
        encoder = Encoder(true_colour=True)
        pieces = [encoder.encode(Picture(picture)) for picture in pictures]
    height, width = pictures[0].shape[:2]
    return _set_delays(write_apng(pieces, (width, height), [0] * len(pieces)), delays_us)


def _set_delays(apng: bytes, delays_us: Sequence[int]) -> bytes:
    """Write the delays with a resolution of 1/60,000 s where 16 bits suffice, otherwise in milliseconds."""
    out, place, frame = bytearray(apng), 8, 0
    while place < len(out):
        length, kind = struct.unpack_from(">I4s", out, place)
        if kind == b"fcTL":
            ticks = round(delays_us[frame] * 60_000 / 1_000_000)
            delay = (ticks, 60_000) if ticks < 65_536 else (round(delays_us[frame] / 1000), 1000)
            struct.pack_into(">HH", out, place + 8 + 20, *delay)
            struct.pack_into(">I", out, place + 8 + length, zlib.crc32(out[place + 4 : place + 8 + length]))
            frame += 1
        place += 12 + length
    return bytes(out)


def _encode_gif(pictures: Iterator[Pictures], delays_us: Sequence[int]) -> bytes:
    """Return a GIF with a frame every 30 ms, so that its time is right although GIF cannot say 1/60 s."""
    images: list[Image.Image] = []
    durations: list[int] = []
    time_us = 0
    for picture, delay in zip(pictures, delays_us, strict=True):
        before, time_us = time_us, time_us + delay
        ticks = time_us // (1000 * GIF_FRAME_MS) - before // (1000 * GIF_FRAME_MS)
        if ticks or not images:
            images.append(Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE))
            durations.append(max(ticks, 1) * GIF_FRAME_MS)
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, disposal=1)
    return buffer.getvalue()


def _encode_mp4(pictures: Iterator[Pictures], delays_us: Sequence[int]) -> bytes:
    import av  # noqa: PLC0415  (takes 0.1 s, and is needed by this format only)

    buffer = io.BytesIO()
    with av.open(buffer, "w", "mp4", options={"video_track_timescale": "1000000"}) as file:
        stream = file.add_stream("libx264", rate=60, options={"crf": "16", "preset": "veryfast", "threads": "2"})
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", MICROSECOND
        time_us = 0
        for picture, delay in zip(pictures, delays_us, strict=True):
            large = picture.repeat(MIN_VIDEO_SCALE, 0).repeat(MIN_VIDEO_SCALE, 1)
            if time_us == 0:
                stream.height, stream.width = large.shape[:2]
            frame = av.VideoFrame.from_ndarray(large, format="rgb24")
            frame.pts, frame.time_base, frame.duration = time_us, MICROSECOND, delay
            time_us += delay
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return buffer.getvalue()
