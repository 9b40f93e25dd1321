"""Reads frames and clips back, for the test of the replay (arcade: SKILL_ARCADE_HOME); JSON on standard output.

`read_frames.py frames EPISODE` writes the SHA-256 of each frame, its RGB bytes row by row, and the captions.
`read_frames.py clip EPISODE FILE FIRST COUNT` compares a clip with the frames.
"""

import hashlib
import json
import sys
import time
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skill_arcade import dataset

UPLOAD_TIMEOUT_SECONDS = 90.0


def main(command: str, id_: str, *more: str) -> None:
    """Print what the command asks for, once the episode has ended and all of it is kept."""
    deadline = time.monotonic() + UPLOAD_TIMEOUT_SECONDS
    with dataset.open() as recordings:
        while not (found := [one for one in recordings.episodes() if str(one.id) == id_ and one.time_ended]):
            if time.monotonic() > deadline:
                sys.exit(f"after {UPLOAD_TIMEOUT_SECONDS:g} s the episode {id_} has not ended")
            time.sleep(0.1)
        result = describe_frames(found[0]) if command == "frames" else compare_clip(found[0], *more)
    sys.stdout.write(json.dumps(result))


def describe_frames(episode: dataset.Episode) -> dict[str, Any]:
    """Hashes by frame, and what the page shows beside the picture."""
    lives = [info.get("lives") for info in [episode.reset_info, *episode.infos]]
    return {
        "hashes": [hashlib.sha256(frame.tobytes()).hexdigest() for frame in episode.frames],
        "sizes": sorted({frame.shape[:2] for frame in episode.frames}),
        "scores": [0.0, *np.cumsum(episode.rewards).tolist()],
        "lives": lives,
        "actions": episode.actions.tolist(),
        "times_us": read_picture_times(episode).tolist(),
        "infos": [episode.stored_reset_info, *episode.stored_infos],
        "latencies": read_latencies(episode),
        "mode": episode.provenance["mode"],
        "seed": episode.seed,
        "ghost": episode.provenance.get("ghost"),
        "branch": episode.branch,
        "human_steps": None if (takeover := episode.takeover) is None else takeover.is_intervention.tolist(),
        "reasons": None if takeover is None else [one.reason for one in takeover.interventions],
        "actors": None if takeover is None else takeover.actors.tolist(),
        "watch": episode.provenance.get("watch", False),
        "watch_events": [
            {"kind": event.kind, "data": event.data} for event in episode.events if event.kind in ("watch", "watchers")
        ],
        "shown_us": [None if np.isnan(at) else float(at) for at in episode.times["shown_us"]],
        "mission": mission(episode),
        "notes": [[note.step_from, note.step_to, note.tag, note.time_retracted is not None] for note in episode.notes],
    }


def read_picture_times(episode: dataset.Episode) -> NDArray[np.float64]:
    """Time of each frame from that of frame 0 on, microseconds, of an episode whose mode does not change.

    In lockstep the browser's clock counts. The server verifies steps in groups, so its clock says when they arrived.
    """
    server, stepped = episode.times["server_us"].astype(float), episode.times["stepped_us"]
    if np.isnan(stepped[0]):
        return np.concatenate([[0.0], server])
    return np.concatenate([[0.0], server[0] + stepped - stepped[0]])


def read_latencies(episode: dataset.Episode) -> dict[int, float]:
    """By step: from the input that came into force to the paint of the next observation, ms."""
    shown, inputs = episode.times["shown_us"], episode.times["input_us"]
    latencies: dict[int, float] = {}
    before = np.nan
    for step in range(len(inputs) - 1):
        changed = not np.isnan(inputs[step]) and inputs[step] != before  # none: an agent acts
        if changed and np.isfinite(shown[step + 1]):
            latencies[step] = float((shown[step + 1] - inputs[step]) / 1000)
        before = inputs[step]
    return latencies


def mission(episode: dataset.Episode) -> str | None:
    """The text of the first observation, if it has one."""
    observations = episode.observations
    return str(observations["mission"][0]) if isinstance(observations, dict) and "mission" in observations else None


def compare_clip(episode: dataset.Episode, file: str, first: str, count: str) -> dict[str, Any]:
    """How far a clip is from the frames: its pictures and times, and the greatest and the mean error of a colour."""
    frames = [episode.frames[int(first) + index] for index in range(int(count))]
    if file.endswith(".mp4"):
        with av.open(file, "r") as video:
            decoded = list(video.decode(video=0))
            pictures = [one.to_ndarray(format="rgb24") for one in decoded]
            times = [float(one.time or 0) for one in decoded]
        scale = pictures[0].shape[0] // frames[0].shape[0]
    else:
        image: Any = Image.open(file)
        pictures, durations = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGB")))
            durations.append(image.info.get("duration", 0))
        times = [0.0, *(np.cumsum(durations) / 1000).tolist()]
        scale = pictures[0].shape[0] // frames[0].shape[0]
    enlarged = [frame.repeat(scale, 0).repeat(scale, 1) for frame in frames]
    if len(pictures) == len(frames):
        errors = [np.abs(a.astype(int) - b) for a, b in zip(pictures, enlarged, strict=True)]
        worst, mean = int(max(e.max() for e in errors)), float(np.mean([e.mean() for e in errors]))
    else:  # fewer pictures: each must be one of the frames
        errors = [np.min([np.abs(a.astype(int) - b).max() for b in enlarged]) for a in pictures]
        worst, mean = int(max(errors)), float(np.mean(errors))
    return {"count": len(pictures), "seconds": times[-1], "scale": scale, "worst": worst, "mean": mean}


if __name__ == "__main__":
    main(*sys.argv[1:])
