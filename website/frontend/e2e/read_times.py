"""Reads the times of an episode back: `read_times.py EPISODE`, JSON on standard output (arcade: SKILL_ARCADE_HOME)."""

import json
import sys
import time
from typing import Any

import numpy as np

from skill_arcade import dataset

UPLOAD_TIMEOUT_SECONDS = 60.0


def main(id_: str) -> None:
    """Print them, once the episode has ended and all of it is kept."""
    deadline = time.monotonic() + UPLOAD_TIMEOUT_SECONDS
    with dataset.open() as recordings:
        while not (found := [one for one in recordings.episodes() if str(one.id) == id_ and one.time_ended]):
            if time.monotonic() > deadline:
                sys.exit(f"after {UPLOAD_TIMEOUT_SECONDS:g} s the episode {id_} has not ended")
            time.sleep(0.1)
        sys.stdout.write(json.dumps(describe_times(found[0])))


def describe_times(episode: dataset.Episode) -> dict[str, Any]:
    """What a witness in the page can hold against what it saw."""
    shown, sources = episode.times["shown_us"], episode.times["input_us"]
    downs = [event for event in episode.inputs if event.data["down"]]
    at = np.array([event.client_us for event in downs], float)
    return {
        "shown": {step: int(us) for step, us in enumerate(shown) if np.isfinite(us)},
        "taps": [[event.client_us, event.data["frame"]] for event in downs],
        "acted": sorted({int(us) for us in sources[np.diff(episode.actions, prepend=0) == 1]}),
        "placed": episode.clock.to_server(at).tolist(),
        "stated": episode.clock.error(at).tolist(),
        "player": episode.provenance["player"],
        "events": sorted({event.kind for event in episode.events}),
    }


if __name__ == "__main__":
    main(sys.argv[1])
