"""Writes journals with synthetic steps, as a game process writes them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.ids import new_episode_id
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import (
    ActiveInput,
    EpisodeEnd,
    RecordedEvent,
    RecordedStep,
    SegmentHeader,
    pack_info,
)

SIZE = 16, 8


def picture(number: int) -> NDArray[np.uint8]:
    """Return a picture that differs from that of the number before."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[number % SIZE[1], number % SIZE[0]] = 255
    return pixels


def make_header(**changes: object) -> SegmentHeader:
    """Return the header of segment 0 of a new episode."""
    fields = {
        "episode_id": new_episode_id(),
        "number": 0,
        "first_step": 0,
        "first_event": 0,
        "user_id": "user",
        "game_id": "breakout",
        "seed": 7,
        "width": SIZE[0],
        "height": SIZE[1],
        "true_colour": False,
        "frame_ms": 17,
        "started_wall_us": 1_700_000_000_000_000,
        "started_us": 5,
        "environment": {"id": "E"},
        **changes,
    }
    return SegmentHeader(**fields)  # type: ignore[arg-type]


def write_episode(
    folder: Path,
    *,
    segments: tuple[int, ...] = (4,),
    infos: dict[int, dict[str, Any]] | None = None,
    **header: object,
) -> tuple[SegmentHeader, NDArray[np.uint8]]:
    """Write an episode with `segments[i]` steps in segment i. Return its header and frames (T + 1, height, width, 3).

    `infos` replaces the info of some steps; `header` replaces fields of the header.
    """
    episode_header, rng, encoder = make_header(**header), np.random.default_rng(3), Encoder()
    colours = rng.integers(0, 256, (9, 3), np.uint8)
    pictures = [colours[rng.integers(0, 9, (SIZE[1], SIZE[0]))]]
    journal = Journal(folder, episode_header)
    journal.reset(encoder.encode(Picture(pictures[0])))
    step, last = 0, sum(segments) - 1
    for number, count in enumerate(segments):
        if number:
            journal.rotate(true_colour=False)
        for index in range(count):
            pictures.append(np.roll(pictures[-1], 1, axis=1))
            encoded_frame = encoder.encode(Picture(pictures[-1]), key=number > 0 and index == 0)
            info: dict[str, Any] | None = {"lives": step} if step % 3 == 0 else None
            info = (infos or {}).get(step, info)
            source = ActiveInput(step * 10, step * 11, step) if step else None
            journal.step(
                RecordedStep(
                    step,
                    step % 4,
                    0.5,
                    step == last,
                    False,
                    None if info is None else pack_info(info),
                    step * 16_667,
                    step,
                    source,
                    encoded_frame,
                )
            )
            journal.event(RecordedEvent(journal.n_events, "input", step * 11, step, step * 10, {"control": "left"}))
            step += 1
        journal.shown([(frame, frame * 100) for frame in range(max(0, step - count - 1), step - 1)])
    journal.end(EpisodeEnd("lost", "terminated", 0.5 * step, step, step * 16_667))
    return episode_header, np.stack(pictures)
