"""Changes to stored episodes that a re-run must detect: a byte, an action, two swapped frames."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.certify.rerun import Verdict
from skill_arcade.frames.apng import read_apng, write_apng
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.uploader.objects import list_prefixes


@dataclass(frozen=True, slots=True)
class Tampered:
    """A change, and text that the reason of its verdict must contain."""

    episode: UUID
    kind: str
    expected_reason: str

    def is_detected(self, verdict: Verdict) -> bool:
        """Return whether the verdict rejects the episode for this change."""
        return verdict.result is not CertificateResult.certified and self.expected_reason in verdict.reason


async def change_byte(episode: UUID, objects: Path) -> Tampered:
    """Flip a bit in the middle of the middle object."""
    paths = sorted((objects / list_prefixes(episode)[0]).glob("*.png"))
    path = paths[len(paths) // 2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return Tampered(episode, "byte", path.name)


async def change_action(episode: UUID, connection: AsyncConnection, n_actions: int) -> Tampered:
    """Change the action of the middle step. If it has the same effect, only the digest of the rows differs."""
    parameters = {"id": episode, "n": n_actions}
    query = text("""UPDATE transition SET action = (action + 1) % :n WHERE episode_id = :id
        AND step = (SELECT n_steps / 2 FROM episode WHERE id = :id) RETURNING step""")
    step = (await connection.execute(query, parameters)).scalar_one()
    query = text(
        "SELECT number FROM segment WHERE episode_id = :id AND first_step <= :step ORDER BY number DESC LIMIT 1"
    )
    number = (await connection.execute(query, {"id": episode, "step": step})).scalar_one()
    return Tampered(episode, "action", f"rows of segment {number} ")


async def swap_frames(episode: UUID, connection: AsyncConnection, objects: Path) -> Tampered | None:
    """Swap the first two neighbouring frames that differ, and update the checksum of their object.

    Returns None if all frames are equal.
    """
    query = text("SELECT number, first_step, objects FROM segment WHERE episode_id = :id ORDER BY number")
    for number, first_step, objects_by_key in (await connection.execute(query, {"id": episode})).all():
        key = next((key for key in objects_by_key if key.endswith(".png")), None)
        if key is None:
            continue
        path = objects / key
        frames = [frame.copy() for frame in read_apng(path.read_bytes())]
        position = next((i for i in range(len(frames) - 1) if (frames[i] != frames[i + 1]).any()), None)
        if position is None:
            continue
        frames[position], frames[position + 1] = frames[position + 1], frames[position]
        data = _encode(frames)
        path.write_bytes(data)
        statement = text(
            "UPDATE segment SET objects = jsonb_set(objects, ARRAY[:key], to_jsonb(CAST(:sha256 AS text))) "
            "WHERE episode_id = :id AND number = :number"
        )
        parameters = {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "id": episode, "number": number}
        await connection.execute(statement, parameters)
        observation = first_step + position + (number > 0)
        where = "the reset" if observation == 0 else f"step {observation - 1}"
        return Tampered(episode, "frame", f"{where}: the frame differs")
    return None


def _encode(frames: list[NDArray[np.uint8]]) -> bytes:
    encoder = Encoder()
    for _ in range(2):  # if a late frame has too many colours for a palette, the second pass knows it
        encoded = [encoder.encode(Picture(frame), key=number == 0) for number, frame in enumerate(frames)]
    return write_apng(encoded, (frames[0].shape[1], frames[0].shape[0]), [17] * len(frames))
