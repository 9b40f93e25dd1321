"""Stores a segment's frames as one animated PNG, which browsers play and Pillow reads.

PNG, third edition (W3C 2025) includes acTL, fcTL and fdAT. A keyframe replaces the canvas (blend SOURCE); any other
frame is laid over it (blend OVER), so that "unchanged" is transparent.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.decoder import Decoder
from skill_arcade.frames.encoder import UNCHANGED_INDEX, EncodedFrame
from skill_arcade.frames.picture import Picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FCTL = struct.Struct(">IIIIIHHBB")
_NOTHING = {
    False: zlib.compress(bytes([0, UNCHANGED_INDEX])),
    True: zlib.compress(bytes([0, 0, 0, 0, 0])),
}
"""A rectangle of one pixel that changes nothing, because APNG has no empty frame."""


def write_apng(
    pieces: Sequence[EncodedFrame],
    size: tuple[int, int],
    delays_ms: Sequence[int],
    text: dict[str, str] | None = None,
) -> bytes:
    """Return the APNG of a segment. `size` is (width, height); the first frame must be a keyframe.

    All frames have one colour type. `text` becomes tEXt chunks (Latin-1).
    """
    if not pieces or not pieces[0].key:
        raise ValueError("a segment starts with a key piece")
    true_colour = pieces[0].true_colour
    out = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6 if true_colour else 3, 0, 0, 0))]
    out += [_chunk(b"tEXt", f"{key}\0{value}".encode("latin-1")) for key, value in (text or {}).items()]
    out.append(_chunk(b"acTL", struct.pack(">II", len(pieces), 1)))
    if not true_colour:
        out += _palette_chunks(pieces)
    sequence = 0
    for number, (piece, delay) in enumerate(zip(pieces, delays_ms, strict=True)):
        if piece.true_colour != true_colour:
            raise ValueError("a segment holds palette or true colour pieces, not both")
        rectangle = (piece.width, piece.height, piece.x, piece.y) if piece.width else (1, 1, 0, 0)
        control = _FCTL.pack(sequence, *rectangle, min(delay, 65535), 1000, 0, 0 if piece.key else 1)
        out.append(_chunk(b"fcTL", control))
        data = piece.data if piece.width else _NOTHING[true_colour]
        if number == 0:
            out.append(_chunk(b"IDAT", data))
            sequence += 1
        else:
            out.append(_chunk(b"fdAT", struct.pack(">I", sequence + 1) + data))
            sequence += 2
    out.append(_chunk(b"IEND", b""))
    return b"".join(out)


def _palette_chunks(pieces: Sequence[EncodedFrame]) -> list[bytes]:
    """Return PLTE and tRNS. A later keyframe repeats the palette, so only its additional entries are new."""
    palette = b""
    for piece in pieces:
        palette = piece.palette if piece.key and len(piece.palette) >= len(palette) else palette
        palette += b"" if piece.key else piece.palette
    full = palette.ljust(3 * 256, b"\0")
    return [_chunk(b"PLTE", full), _chunk(b"tRNS", b"\xff" * UNCHANGED_INDEX + b"\0")]


def read_apng(data: bytes) -> NDArray[np.uint8]:
    """Return the frames of a segment, (n, height, width, 3) uint8, exactly as they were shown.

    Each frame is the one before with a rectangle painted on it, so only the rectangle is looked up in the palette.

    Raises:
        ValueError: the file is damaged or was not written by `write_apng`.
    """
    (width, height), true_colour, palette, frames = _parse(data)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(palette) // 3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    out = np.empty((len(frames), height, width, 3), np.uint8)
    for number, (control, stream) in enumerate(frames):
        _, across, down, x, y, _, _, _, blend = _FCTL.unpack(control)
        if number == 0 and blend:
            raise ValueError("the first frame is laid over nothing")
        # a keyframe is painted on an empty canvas
        out[number] = out[number - 1] if blend else 0 if true_colour else colours[0]
        target = out[number, y : y + down, x : x + across]
        rows = np.frombuffer(zlib.decompress(stream), np.uint8).reshape(down, -1)[:, 1:]
        if true_colour:
            pixels = rows.reshape(down, across, 4)
            np.copyto(target, pixels[..., :3], where=pixels[..., 3:] != 0)
        elif blend:
            painted = rows != UNCHANGED_INDEX
            target[painted] = colours[rows[painted]]
        else:
            np.take(colours, rows, axis=0, out=target, mode="clip")
    return out


def read_pictures(data: bytes) -> Iterator[Picture]:
    """Yield the frames as pictures; each is overwritten when the next one is requested."""
    size, true_colour, palette, frames = _parse(data)
    decoder = Decoder(*size)
    for number, (control, stream) in enumerate(frames):
        _, width, height, x, y, _, _, _, blend = _FCTL.unpack(control)
        key = blend == 0
        if number == 0 and not key:
            raise ValueError("the first frame is laid over nothing")
        yield decoder.apply(EncodedFrame(key, true_colour, x, y, width, height, palette if key else b"", stream))


def count_frames(data: bytes) -> int:
    """Return the number of frames in the header of a segment."""
    for kind, body in _chunks(data):
        if kind == b"acTL":
            return int(struct.unpack(">II", body)[0])
    raise ValueError("not an animated PNG")


def _parse(data: bytes) -> tuple[tuple[int, int], bool, bytes, list[tuple[bytes, bytes]]]:
    size, true_colour, palette = (0, 0), False, b""
    frames: list[tuple[bytes, bytes]] = []
    control, expected = b"", -1
    for kind, body in _chunks(data):
        match kind:
            case b"IHDR":
                width, height, _, colour = struct.unpack(">IIBB", body[:10])
                size, true_colour = (width, height), colour == 6
            case b"acTL":
                expected = struct.unpack(">II", body)[0]
            case b"PLTE":
                palette = body[: 3 * UNCHANGED_INDEX]
            case b"fcTL":
                control = body
            case b"IDAT":
                frames.append((control, body))
            case b"fdAT":
                frames.append((control, body[4:]))
    if expected != len(frames):
        raise ValueError(f"the file says {expected} frames and holds {len(frames)}")
    return size, true_colour, palette, frames


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data[:8] != SIGNATURE:
        raise ValueError("not a PNG file")
    place = 8
    while place < len(data):
        if place + 12 > len(data):
            raise ValueError("the file is cut off")
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise ValueError("the file is cut off")
        body = data[place + 8 : place + 8 + length]
        if zlib.crc32(data[place + 4 : place + 8 + length]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise ValueError(f"chunk {kind!r} at byte {place} is damaged")
        yield kind, body
        place = end


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))))
