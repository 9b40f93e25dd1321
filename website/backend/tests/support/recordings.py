"""Reads what a running arcade has recorded."""

import time
from contextlib import suppress

import skill_arcade.dataset as sa
from skill_arcade.errors import NotFound


def wait_for_episode(recordings: sa.Dataset, id_: str) -> sa.Episode:
    """Return an episode once it has ended and is stored."""
    deadline = time.monotonic() + 60
    while True:
        with suppress(NotFound):
            episode = recordings.episode(id_)
            if episode.time_ended:
                return episode
        assert time.monotonic() < deadline, id_
        time.sleep(0.1)
