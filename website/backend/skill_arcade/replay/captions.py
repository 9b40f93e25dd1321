"""The texts that a game shows beside its picture, from the recorded observations."""

from collections.abc import Iterable

from skill_arcade.recording.observation import read_npz

MAX_CAPTION_CHARACTERS = 500


def read_captions(segment: bytes, leaf: str, first_frame: int) -> list[tuple[int, str]]:
    """Return the texts of a segment's observations (NPZ) by frame; empty if the observation has no such leaf."""
    column = read_npz(segment).get(leaf)
    if column is None:
        return []
    return [(first_frame + index, shorten(str(value))) for index, value in enumerate(column.tolist())]


def shorten(text: str) -> str:
    """Return a text as it is shown: at most `MAX_CAPTION_CHARACTERS`, and valid UTF-8."""
    return text[:MAX_CAPTION_CHARACTERS].encode(errors="backslashreplace").decode()


def keep_changes(texts: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return only the texts that differ from the one before."""
    changes: list[tuple[int, str]] = []
    for frame, text in texts:
        if not changes or changes[-1][1] != text:
            changes.append((frame, text))
    return changes
