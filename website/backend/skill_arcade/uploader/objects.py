"""A segment's objects: its frames as an APNG, and its observations where they are not the frames."""

from uuid import UUID

from skill_arcade.frames.apng import write_apng
from skill_arcade.recording.observation import write_npz
from skill_arcade.recording.segment import Segment


def object_key(episode_id: UUID, number: int, kind: str) -> str:
    """Key of a segment's object; `kind` is png or npz."""
    return f"episodes/{episode_id}/{number:06d}.{kind}"


def build_objects(segment: Segment) -> dict[str, bytes]:
    """Object key to bytes; the same bytes for the same segment. None for a segment without frames."""
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
