"""Makes one clip in a process of its own (`python -m skill_arcade.replay.clip_process`), at low priority.

Standard input has one line of JSON with `format`, `first`, `count`, `delays_us`, `crop` (or null) and the `sizes` of
the segments, and then the segments. Standard output is the clip. With exit code 1, standard error has
`{"error": ..., "message": ...}`.
"""

import json
import os
import sys

from skill_arcade.errors import ArcadeError
from skill_arcade.replay.clips import ClipFormat, make_clip

NICENESS = 10


def main() -> None:
    """Make the clip that standard input requests."""
    os.nice(NICENESS)
    source = sys.stdin.buffer
    request = json.loads(source.readline())
    segments = [source.read(size) for size in request["sizes"]]
    frames = range(request["first"], request["first"] + request["count"])
    crop = None if request["crop"] is None else tuple(request["crop"])
    try:
        clip = make_clip(ClipFormat(request["format"]), segments, frames, request["delays_us"], crop)
    except ArcadeError as error:
        sys.stderr.write(json.dumps({"error": type(error).__name__, "message": str(error)}) + "\n")
        sys.exit(1)
    sys.stdout.buffer.write(clip)


if __name__ == "__main__":
    main()
