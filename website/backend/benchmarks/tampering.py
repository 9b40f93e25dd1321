"""Changes to what is kept of an episode, each of which a re-run must find: a byte, an action, two frames swapped."""

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


@dataclass(frozen=True, slots=True)
class Tampered:
    """What was changed, and a word that the verdict on it must have."""

    episode: UUID
    kind: str
    named: str

    def is_named(self, verdict: Verdict) -> bool:
        """Whether the verdict says that something is wrong, and what."""
        return verdict.result is not CertificateResult.certified and self.named in verdict.reason


async def change_byte(episode: UUID, objects: Path) -> Tampered:
    """Flip a bit in the middle of the middle object."""
    paths = sorted((objects / "episodes" / str(episode)).glob("*.png"))
    path = paths[len(paths) // 2]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return Tampered(episode, "byte", path.name)


async def change_action(episode: UUID, connection: AsyncConnection, n_actions: int) -> Tampered:
    """Another action in the row of the middle step. What it leads to may be the same: then only the rows tell."""
    given = {"id": episode, "n": n_actions}
    query = text("""UPDATE transition SET action = (action + 1) % :n WHERE episode_id = :id
        AND step = (SELECT n_steps / 2 FROM episode WHERE id = :id) RETURNING step""")
    step = (await connection.execute(query, given)).scalar_one()
    query = text(
        "SELECT number FROM segment WHERE episode_id = :id AND first_step <= :step ORDER BY number DESC LIMIT 1"
    )
    number = (await connection.execute(query, {"id": episode, "step": step})).scalar_one()
    return Tampered(episode, "action", f"rows of segment {number} ")


async def swap_frames(episode: UUID, connection: AsyncConnection, objects: Path) -> Tampered | None:
    """Swap the first two neighbours that differ, in an object whose checksum fits again; None: all are the same."""
    query = text("SELECT number, first_step, objects FROM segment WHERE episode_id = :id ORDER BY number")
    for number, first_step, kept in (await connection.execute(query, {"id": episode})).all():
        key = next((key for key in kept if key.endswith(".png")), None)
        if key is None:
            continue
        path = objects / key
        frames = [frame.copy() for frame in read_apng(path.read_bytes())]
        place = next((i for i in range(len(frames) - 1) if (frames[i] != frames[i + 1]).any()), None)
        if place is None:
            continue
        frames[place], frames[place + 1] = frames[place + 1], frames[place]
        data = _encode(frames)
        path.write_bytes(data)
        statement = text(
            "UPDATE segment SET objects = jsonb_set(objects, ARRAY[:key], to_jsonb(CAST(:sha256 AS text))) "
            "WHERE episode_id = :id AND number = :number"
        )
        told = {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "id": episode, "number": number}
        await connection.execute(statement, told)
        observation = first_step + place + (number > 0)
        where = "the reset" if observation == 0 else f"step {observation - 1}"
        return Tampered(episode, "frame", f"{where}: the frame differs")
    return None


def _encode(frames: list[NDArray[np.uint8]]) -> bytes:
    encoder = Encoder()
    for _ in range(2):  # too many colours for a palette may show at a late frame only; the second time it is known
        pieces = [encoder.encode(Picture(frame), key=number == 0) for number, frame in enumerate(frames)]
    return write_apng(pieces, (frames[0].shape[1], frames[0].shape[0]), [17] * len(frames))
