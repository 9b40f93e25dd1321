"""Read recordings back: what researchers call.

```python
import skill_arcade.dataset as sa

with sa.open() as ds:                        # this machine's arcade; or sa.open(database_url=..., objects=...)
    for episode in ds.episodes(game="breakout", status="won"):
        episode.actions                      # (T,) int64: what the player did
        episode.rewards                      # (T,) float64
        episode.frames[10]                   # (height, width, 3) uint8: what the player saw before step 10
        episode.observations                 # T + 1 of them: frames, or arrays where the observation is no picture
        episode.times["shown_us"]            # (T,) float64: when that was painted, NaN: never
        episode.inputs                       # keys down and up, with the observation that was on the screen
    windows = sa.Windows(ds.episodes(game="breakout", certified=True), length=4, align="shift_15")
    windows[0]["observations"]               # (4, height, width, 3): to learn windows[0]["actions"] from
```

Of an episode of T steps, step i acts on observation i and leads to observation i + 1, so there are T + 1
observations. All is read when it is first asked for, and checked: what is missing or does not fit raises
`RecordingDamaged`; nothing is ever guessed or left out.
"""

from skill_arcade.dataset.episode import Episode, Event
from skill_arcade.dataset.frames import Frames
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.dataset.windows import Windows

open = open_dataset

__all__ = ["Dataset", "Episode", "Event", "Frames", "Windows", "open"]
