"""Bytes and microseconds a frame, exactly: what we send and keep, against what others would.

Real environments with random play in the way of a person (an action is held for some frames). "Wire" is the whole
WebSocket frame; "kept" is the recorded APNG over segments of 300 frames. Every frame of both is compared with the
environment's own picture.
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
from skill_arcade.play.session.client_channel import pack_frame
from skill_arcade.play.session.episode_recorder import FrameUpdate

ATARI = (
    "Breakout", "Pong", "Seaquest", "MsPacman", "SpaceInvaders", "Qbert",
    "MontezumaRevenge", "Enduro", "BeamRider", "Freeway", "Asteroids", "Riverraid",
)  # fmt: skip
OTHERS = {
    "Cart Pole": EnvironmentSpec(id="CartPole-v1"),
    "Tower of Hanoi": EnvironmentSpec(id="SkillArcade/TowerOfHanoi-v0", kwargs={"disks": 3}),
    "Lunar Lander": EnvironmentSpec(id="LunarLander-v3"),
}
SEGMENT = 300
RIVALS_EVERY = 10
"""PNG and JPEG do not depend on the frame before, so a tenth of the frames tells."""
XZ_BYTES = 24 * 2**20
"""The whole-recording archives take so much of the recording: they are slow."""
COLUMNS = (
    "environment", "frames", "wire B", "wire p99 B", "kept B", "encode us", "encode p99 us", "decode us", "PNG B",
    "PNG us", "JPEG-95 B", "JPEG-95 us", "JPEG-95 exact", "npz B", "xz B", "differ",
)  # fmt: skip


@dataclass(slots=True)
class Sums:
    """What one environment's frames took. `differ`: frames that did not come back equal; 0 or it is a fault."""

    wire: list[int] = field(default_factory=list)
    encode: list[float] = field(default_factory=list)
    decode: list[float] = field(default_factory=list)
    rivals: dict[str, list[float]] = field(default_factory=dict)
    jpeg_exact: int = 0
    kept: int = 0
    differ: int = 0


def choose_environments() -> dict[str, EnvironmentSpec]:
    """Twelve Atari games as they are played here, and three that are drawn by code."""
    kwargs = {"frameskip": 1, "repeat_action_probability": 0.0}
    atari = {name: EnvironmentSpec(id=f"ALE/{name}-v5", kwargs=kwargs) for name in ATARI}
    return {**atari, **OTHERS}


def run(n_frames: int = 600, names: tuple[str, ...] | None = None) -> Report:
    """Measure each environment over so many frames."""
    report = Report("frames", COLUMNS)
    for name, environment in choose_environments().items():
        if names is None or name in names:
            _add_row(report, name, environment, n_frames)
    atari = [dict(zip(COLUMNS, row, strict=True)) for row in report.rows if row[0] in ATARI]
    for column in ("wire B", "kept B", "encode us", "decode us", "PNG B", "JPEG-95 B", "npz B", "xz B"):
        report.facts[f"Atari, mean of {column}"] = float(np.mean([row[column] for row in atari])) if atari else None
    return report


def _add_row(report: Report, name: str, environment: EnvironmentSpec, n_frames: int) -> None:
    sums, raw = Sums(), bytearray()
    pieces: list[EncodedFrame] = []
    segment: list[NDArray[np.uint8]] = []
    encoder, decoder = Encoder(), None
    env = make_environment(environment)
    for number, picture in enumerate(_play(env, n_frames)):
        true = picture.rgb().copy()
        if len(pieces) == SEGMENT:
            _keep(sums, pieces, segment)
        began = time.perf_counter()
        piece = encoder.encode(picture, key=not pieces)
        sums.encode.append(1e6 * (time.perf_counter() - began))
        if pieces and piece.true_colour != pieces[0].true_colour:
            _keep(sums, pieces, segment)
        packet = pack_frame(FrameUpdate(number, 0, piece, 0.0, 0), piece)
        sums.wire.append(len(packet) + (2 if len(packet) < 126 else 4 if len(packet) < 65536 else 10))
        decoder = decoder or Decoder(true.shape[1], true.shape[0])
        began = time.perf_counter()
        shown = decoder.decode(piece)
        sums.decode.append(1e6 * (time.perf_counter() - began))
        sums.differ += not np.array_equal(shown, true)
        pieces.append(piece)
        segment.append(true)
        if number % RIVALS_EVERY == 0:
            _try_rivals(sums, true)
        if len(raw) < XZ_BYTES:
            raw += true.tobytes()
    env.close()
    _keep(sums, pieces, segment)
    n_raw = len(raw) / true.nbytes
    packed = io.BytesIO()
    np.savez_compressed(packed, frames=np.frombuffer(raw, np.uint8).reshape(-1, *true.shape))
    mean = {key: float(np.mean(values)) for key, values in sums.rivals.items()}
    report.add(
        name, n_frames, float(np.mean(sums.wire)), int(quantile(sums.wire, 0.99)), sums.kept / n_frames,
        quantile(sums.encode, 0.5), quantile(sums.encode, 0.99), quantile(sums.decode, 0.5),
        mean["PNG"], quantile(sums.rivals["PNG us"], 0.5), mean["JPEG"], quantile(sums.rivals["JPEG us"], 0.5),
        f"{sums.jpeg_exact} of {len(sums.rivals['JPEG'])}", packed.tell() / n_raw,
        len(lzma.compress(bytes(raw), preset=6)) / n_raw, sums.differ,
    )  # fmt: skip


def _play(env: PlayableEnv, n_frames: int) -> Iterator[Picture]:
    """Pictures of `n_frames` observations, from seed 1 on; an episode that ends is followed by the next."""
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


def _keep(sums: Sums, pieces: list[EncodedFrame], segment: list[NDArray[np.uint8]]) -> None:
    """Write a segment as it is recorded, read it back, and compare. A segment begins with a key piece."""
    if not pieces:
        return
    height, width = segment[0].shape[:2]
    data = write_apng(pieces, (width, height), [17] * len(pieces))
    sums.kept += len(data)
    sums.differ += sum(not np.array_equal(a, b) for a, b in zip(read_apng(data), segment, strict=True))
    pieces.clear()
    segment.clear()


def _try_rivals(sums: Sums, picture: NDArray[np.uint8]) -> None:
    image = Image.fromarray(picture)
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 95})):
        out = io.BytesIO()
        began = time.perf_counter()
        image.save(out, kind, **options)
        sums.rivals.setdefault(f"{kind} us", []).append(1e6 * (time.perf_counter() - began))
        sums.rivals.setdefault(kind, []).append(out.tell())
    sums.jpeg_exact += np.array_equal(np.asarray(Image.open(out)), picture)
