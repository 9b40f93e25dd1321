"""Builds a segment's objects: its frames as an APNG, and its observations if they are not the frames."""

from functools import partial
from uuid import UUID

from skill_arcade.frames.apng import write_apng
from skill_arcade.ids import STEP_BITS
from skill_arcade.recording.observation import write_npz
from skill_arcade.recording.segment import Segment

EPISODES = "episodes/"
"""Prefix of all objects of episodes."""


def object_key(episode_id: UUID, number: int, kind: str, fence: int = 0) -> str:
    """Return the key of a segment's object. `kind` is png (frames) or npz (observations).

    Two random digits of the id precede it: ids are ordered by time, and a bucket takes only about 1,000 writes a second
    into one range of ordered keys. Of two servers that write a segment of one number, the fence tells the keys apart.
    """
    name = f"{number:06d}-{fence}" if fence else f"{number:06d}"
    return f"{EPISODES}{(episode_id.int >> STEP_BITS) & 0xFF:02x}/{episode_id}/{name}.{kind}"


def superseded_key(episode_id: UUID, number: int, fence: int) -> str:
    """Return the key of the copy of a segment without which another server has continued the episode (rule R27)."""
    return f"{EPISODES}{episode_id}/superseded-{number:06d}-{fence}.segment"


def is_set_aside(key: str) -> bool:
    """Return whether an object is the copy of a segment that is no part of its episode, or the reason of that."""
    return key.rpartition("/")[2].startswith(("quarantine-", "superseded-"))


def quarantine_key(episode_id: UUID, number: int, kind: str) -> str:
    """Return the key of a quarantined segment's copy (`kind` segment) or of its reason (`kind` json)."""
    return f"{EPISODES}{episode_id}/quarantine-{number:06d}.{kind}"


def list_prefixes(episode_id: UUID) -> tuple[str, str]:
    """Return the prefixes of all keys of an episode. Segments of earlier versions are under the second too."""
    return object_key(episode_id, 0, "").rpartition("/")[0] + "/", f"{EPISODES}{episode_id}/"


def find_episode(key: str) -> UUID | None:
    """Return the episode that a key below `EPISODES` belongs to, or None for a foreign object."""
    try:
        return UUID(key.split("/")[-2])
    except ValueError:
        return None


def build_objects(segment: Segment) -> dict[str, bytes]:
    """Return the objects by key, empty for a segment without frames. The same segment gives the same bytes."""
    head, frames = segment.header, segment.frames
    if not frames:
        return {}
    text = {"Title": f"{head.game_id} {head.episode_id} {head.number}", "Software": "Skill Arcade"}
    delays = [head.frame_ms] * len(frames)
    key = partial(object_key, head.episode_id, head.number, fence=head.fence)
    objects = {key("png"): write_apng(frames, (head.width, head.height), delays, text)}
    if head.leaves:
        objects[key("npz")] = write_npz(segment.observations, head.leaves)
    return objects
