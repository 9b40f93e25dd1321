"""Bytes and microseconds per frame of our encoding, and of PNG, JPEG, npz and xz.

Real environments are played with random actions that are held for some frames. "Wire" is the whole WebSocket frame;
"kept" is the recorded APNG with segments of 300 frames. Every frame of both is compared with the environment's
picture.
"""

import io
import lzma
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import Report, quantile
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.frames.apng import read_apng, write_apng
from skill_arcade.frames.decoder import Decoder
from skill_arcade.frames.encoder import EncodedFrame, Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.wire.packet import FramePacket

ATARI = (
    "Breakout", "Pong", "Seaquest", "MsPacman", "SpaceInvaders", "Qbert",
    "MontezumaRevenge", "Enduro", "BeamRider", "Freeway", "Asteroids", "Riverraid",
)  # fmt: skip
OTHERS = {
    "Cart Pole": EnvironmentSpec(id="CartPole-v1"),
    "Tower of Hanoi": EnvironmentSpec(id="SkillArcade/TowerOfHanoi-v0", kwargs={"disks": 3}),
    "Lunar Lander": EnvironmentSpec(id="LunarLander-v3"),
}
SEGMENT_FRAMES = 300
OTHER_FORMATS_INTERVAL = 10
"""One of ten frames is encoded as PNG and JPEG, which do not depend on the previous frame."""
MAX_ARCHIVE_BYTES = 24 * 2**20
"""Bytes of the recording that npz and xz compress; they are slow."""
COLUMNS = (
    "environment", "frames", "wire B", "wire p99 B", "kept B", "encode us", "encode p99 us", "decode us", "PNG B",
    "PNG us", "JPEG-95 B", "JPEG-95 us", "JPEG-95 exact", "npz B", "xz B", "differ",
)  # fmt: skip


@dataclass(slots=True)
class FrameStats:
    """Measurements of one environment. `differ` counts frames that decode to another picture; it must be 0."""

    wire: list[int] = field(default_factory=list)
    encode: list[float] = field(default_factory=list)
    decode: list[float] = field(default_factory=list)
    other_formats: dict[str, list[float]] = field(default_factory=dict)
    jpeg_exact: int = 0
    kept: int = 0
    differ: int = 0


def choose_environments() -> dict[str, EnvironmentSpec]:
    """Return twelve Atari games with the settings of the arcade, and three environments that draw by code."""
    kwargs = {"frameskip": 1, "repeat_action_probability": 0.0}
    atari = {name: EnvironmentSpec(id=f"ALE/{name}-v5", kwargs=kwargs) for name in ATARI}
    return {**atari, **OTHERS}


def run(n_frames: int = 600, names: tuple[str, ...] | None = None) -> Report:
    """Measure each environment over `n_frames` frames."""
    report = Report("frames", COLUMNS)
    for name, environment in choose_environments().items():
        if names is None or name in names:
            _add_row(report, name, environment, n_frames)
    atari = [dict(zip(COLUMNS, row, strict=True)) for row in report.rows if row[0] in ATARI]
    for column in ("wire B", "kept B", "encode us", "decode us", "PNG B", "JPEG-95 B", "npz B", "xz B"):
        report.facts[f"Atari, mean of {column}"] = float(np.mean([row[column] for row in atari])) if atari else None
    return report


def _add_row(report: Report, name: str, environment: EnvironmentSpec, n_frames: int) -> None:
    stats, raw = FrameStats(), bytearray()
    encoded_frames: list[EncodedFrame] = []
    segment: list[NDArray[np.uint8]] = []
    encoder, decoder = Encoder(), None
    env = make_environment(environment)
    for number, picture in enumerate(_play(env, n_frames)):
        rgb = picture.rgb().copy()
        if len(encoded_frames) == SEGMENT_FRAMES:
            _check_segment(stats, encoded_frames, segment)
        started = time.perf_counter()
        encoded = encoder.encode(picture, key=not encoded_frames)
        stats.encode.append(1e6 * (time.perf_counter() - started))
        if encoded_frames and encoded.true_colour != encoded_frames[0].true_colour:
            _check_segment(stats, encoded_frames, segment)
        packet = FramePacket(number, 0, encoded).pack()
        stats.wire.append(len(packet) + (2 if len(packet) < 126 else 4 if len(packet) < 65536 else 10))
        decoder = decoder or Decoder(rgb.shape[1], rgb.shape[0])
        started = time.perf_counter()
        decoded = decoder.decode(encoded)
        stats.decode.append(1e6 * (time.perf_counter() - started))
        stats.differ += not np.array_equal(decoded, rgb)
        encoded_frames.append(encoded)
        segment.append(rgb)
        if number % OTHER_FORMATS_INTERVAL == 0:
            _encode_other_formats(stats, rgb)
        if len(raw) < MAX_ARCHIVE_BYTES:
            raw += rgb.tobytes()
    env.close()
    _check_segment(stats, encoded_frames, segment)
    n_raw = len(raw) / rgb.nbytes
    archive = io.BytesIO()
    np.savez_compressed(archive, frames=np.frombuffer(raw, np.uint8).reshape(-1, *rgb.shape))
    mean = {key: float(np.mean(values)) for key, values in stats.other_formats.items()}
    report.add(
        name, n_frames, float(np.mean(stats.wire)), int(quantile(stats.wire, 0.99)), stats.kept / n_frames,
        quantile(stats.encode, 0.5), quantile(stats.encode, 0.99), quantile(stats.decode, 0.5),
        mean["PNG"], quantile(stats.other_formats["PNG us"], 0.5),
        mean["JPEG"], quantile(stats.other_formats["JPEG us"], 0.5),
        f"{stats.jpeg_exact} of {len(stats.other_formats['JPEG'])}", archive.tell() / n_raw,
        len(lzma.compress(bytes(raw), preset=6)) / n_raw, stats.differ,
    )  # fmt: skip


def _play(env: PlayableEnv, n_frames: int) -> Iterator[Picture]:
    """Yield the pictures of `n_frames` observations, from seed 1 on. The next episode starts when one ends."""
    rng, action, seed, over = random.Random(1), 0, 0, True
    for _ in range(n_frames):
        if over:
            seed += 1
            env.reset(seed)
            over = False
        else:
            if rng.random() < 0.1:
                action = rng.randrange(env.n_actions)
            outcome = env.step(action)
            over = outcome.terminated or outcome.truncated
        yield env.picture()


def _check_segment(stats: FrameStats, encoded_frames: list[EncodedFrame], segment: list[NDArray[np.uint8]]) -> None:
    """Encode a segment as it is recorded, and compare the decoded frames. A segment starts with a keyframe."""
    if not encoded_frames:
        return
    height, width = segment[0].shape[:2]
    data = write_apng(encoded_frames, (width, height), [17] * len(encoded_frames))
    stats.kept += len(data)
    stats.differ += sum(not np.array_equal(a, b) for a, b in zip(read_apng(data), segment, strict=True))
    encoded_frames.clear()
    segment.clear()


def _encode_other_formats(stats: FrameStats, picture: NDArray[np.uint8]) -> None:
    image = Image.fromarray(picture)
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 95})):
        out = io.BytesIO()
        started = time.perf_counter()
        image.save(out, kind, **options)
        stats.other_formats.setdefault(f"{kind} us", []).append(1e6 * (time.perf_counter() - started))
        stats.other_formats.setdefault(kind, []).append(out.tell())
    stats.jpeg_exact += np.array_equal(np.asarray(Image.open(out)), picture)
