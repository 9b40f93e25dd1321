"""Builds a segment's objects: its frames as an APNG, and its observations if they are not the frames."""

from uuid import UUID

from skill_arcade.frames.apng import write_apng
from skill_arcade.recording.observation import write_npz
from skill_arcade.recording.segment import Segment


def object_key(episode_id: UUID, number: int, kind: str) -> str:
    """Return the key of a segment's object. `kind` is png (frames) or npz (observations)."""
    return f"episodes/{episode_id}/{number:06d}.{kind}"


def quarantine_key(episode_id: UUID, number: int, kind: str) -> str:
    """Return the key of a quarantined segment's copy (`kind` segment) or of its reason (`kind` json)."""
    return f"episodes/{episode_id}/quarantine-{number:06d}.{kind}"


def build_objects(segment: Segment) -> dict[str, bytes]:
    """Return the objects by key, empty for a segment without frames. The same segment gives the same bytes."""
    head, shots = segment.header, segment.frames
    if not shots:
        return {}
    text = {"Title": f"{head.game_id} {head.episode_id} {head.number}", "Software": "Skill Arcade"}
    delays = [head.frame_ms] * len(shots)
    pieces = [shot.encoded for shot in shots]
    objects = {
        object_key(head.episode_id, head.number, "png"): write_apng(pieces, (head.width, head.height), delays, text)
    }
    if head.leaves:
        packed = [shot.observation for shot in shots]
        objects[object_key(head.episode_id, head.number, "npz")] = write_npz(packed, head.leaves)
    return objects
