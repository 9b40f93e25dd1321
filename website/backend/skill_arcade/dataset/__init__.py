"""Python interface for reading recordings.

```python
import skill_arcade.dataset as sa

with sa.open() as ds:                        # this machine's recordings; or sa.open(database_url=..., objects=...)
    for episode in ds.episodes(game="breakout", status="won"):
        episode.actions                      # (T,) int64: the player's actions
        episode.rewards                      # (T,) float64
        episode.frames[10]                   # (height, width, 3) uint8: the frame that the player saw before step 10
        episode.observations                 # T + 1 observations: frames, or arrays if the environment has others
        episode.times["shown_us"]            # (T,) float64: paint time of each frame, NaN if it was not painted
        sa.agent_view(episode.frames)        # (n, 4, 84, 84) uint8: grey, skip 4, stack 4, as an Atari agent sees it
        episode.inputs                       # presses and releases, with the index of the observation on the screen
    table = ds.episodes(game="breakout").to_arrow()    # one row per episode; also to_pandas() and to_polars()
    windows = sa.Windows(ds.episodes(game="breakout", certified=True), length=4, align="shift_15")
    windows[0]["observations"]               # (4, height, width, 3): training inputs for windows[0]["actions"]
```

In an episode of T steps, step i acts on observation i and leads to observation i + 1, so there are T + 1
observations. Data is read on first access and verified. Missing or inconsistent data raises `RecordingDamaged`.
"""

from skill_arcade.dataset.agent_view import agent_view
from skill_arcade.dataset.agent_views import AgentViews
from skill_arcade.dataset.episode import Episode, Event
from skill_arcade.dataset.episodes import Episodes
from skill_arcade.dataset.frames import Frames
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.dataset.windows import Windows

open = open_dataset

__all__ = ["AgentViews", "Dataset", "Episode", "Episodes", "Event", "Frames", "Windows", "agent_view", "open"]
