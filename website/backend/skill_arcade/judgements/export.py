"""Writes judgements to Parquet, with their clips as arrays for libraries that learn rewards from preferences."""

import io
import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Row

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.reader import Dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.judgements.results import read_preference
from skill_arcade.storage.database.dataset_versions import get_version, make_pseudonym
from skill_arcade.storage.database.judgements import get_set, list_allowed_items, list_clips, list_results

KEY_BYTES = 32
_TIME = pa.timestamp("us", "UTC")
_CLIP_FIELDS = [("episode_id", pa.string()), ("frame_from", pa.int32()), ("frame_to", pa.int32())]
_SIDE_FIELDS = [*_CLIP_FIELDS, ("is_program", pa.bool_()), ("is_branch", pa.bool_())]
JUDGEMENT_SCHEMA = pa.schema(
    [
        ("judgement_id", pa.string()),
        ("set_name", pa.string()),
        ("set_sha256", pa.string()),
        ("number", pa.int32()),
        ("item", pa.int32()),
        ("is_repeat", pa.bool_()),
        ("gold", pa.string()),
        ("judge_id", pa.string()),
        ("judge_is_program", pa.bool_()),
        ("position", pa.int32()),
        ("is_swapped", pa.bool_()),
        ("answer", pa.string()),
        ("preferred", pa.string()),
        ("rating", pa.float64()),
        ("reaction_ms", pa.int32()),
        ("n_plays", pa.int32()),
        ("build", pa.string()),
        ("time_created", _TIME),
        ("time_retracted", _TIME),
        *((f"{side}_{name}", type_) for side in ("first", "second") for name, type_ in _SIDE_FIELDS),
    ]
)
CLIP_SCHEMA = pa.schema(
    [
        ("item", pa.int32()),
        ("side", pa.string()),
        *_CLIP_FIELDS,
        ("actions", pa.list_(pa.int64())),
        ("rewards", pa.list_(pa.float64())),
        ("terminal", pa.bool_()),
        ("observations", pa.binary()),
    ]
)


def clips_path(path: Path) -> Path:
    """Return the path of the file of clips that belongs to a file of judgements."""
    return path.with_name(f"{path.stem}-clips{path.suffix}")


def export_judgements(
    dataset: Dataset, name: str, path: Path, scopes: Sequence[str], *, has_clips: bool, has_programs: bool
) -> int:
    """Write the judgements of a set, and their clips to a second file. Return the number of judgements.

    Judges and episodes have pseudonyms: those of the set's saved dataset, or new ones in each export.

    Args:
        dataset: source of the recordings.
        name: the set.
        path: new file of judgements; `clips_path` has the clips.
        scopes: scopes that the players of the clips must allow.
        has_clips: write the clips as well.
        has_programs: include the answers of programs.

    Raises:
        InvalidRequest: a file exists, or a player has withdrawn consent meanwhile.
        NotFound: there is no such set.
    """
    paths = [path, *([clips_path(path)] if has_clips else [])]
    for one in paths:
        if one.exists():
            raise InvalidRequest(f"{one} exists. Choose another name, or move the file away.")
    source = dataset.source
    found = source.run(partial(get_set, name=name))
    key = _find_key(dataset, found)
    results = partial(list_results, name=name, scopes=scopes, has_programs=has_programs, has_retracted=True)
    rows = source.run(results)
    clips = source.run(partial(list_clips, name=name))
    allowed = source.run(partial(list_allowed_items, name=name, scopes=scopes))
    usable = [clip for clip in clips if clip.number in allowed]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(path, JUDGEMENT_SCHEMA, _describe_judgements(found, rows, usable, key))
        if has_clips:
            judged = {_item_of(row) for row in rows}
            _write(
                paths[1], CLIP_SCHEMA, _describe_clips(dataset, [one for one in usable if one.number in judged], key)
            )
        still_allowed = source.run(partial(list_allowed_items, name=name, scopes=scopes))
        if allowed.keys() - still_allowed.keys():
            raise InvalidRequest("A player has withdrawn consent meanwhile, so nothing was written. Export again.")
    except BaseException:
        for one in paths:
            one.unlink(missing_ok=True)
        raise
    return len(rows)


def _find_key(dataset: Dataset, found: Row[Any]) -> str:
    """Return the key of the pseudonyms."""
    reference = found.content.get("dataset")
    if reference is None:
        return secrets.token_hex(KEY_BYTES)
    saved, _, number = reference.partition("@")
    return str(dataset.source.run(partial(get_version, name=saved, number=int(number))).key)


def _item_of(row: Row[Any]) -> int:
    """Return the number of the item, for a repeat that of the item that it repeats."""
    return int(row.number if row.repeat_of is None else row.repeat_of)


def _describe_judgements(
    found: Row[Any], rows: Sequence[Row[Any]], clips: Sequence[Row[Any]], key: str
) -> Iterator[dict[str, Any]]:
    by_item: dict[int, dict[str, Row[Any]]] = {}
    for clip in clips:
        by_item.setdefault(clip.number, {})[clip.side] = clip
    for row in rows:
        item = _item_of(row)
        if item not in by_item:
            continue  # withdrawn or erased since the answers were read
        copied = ("number", "gold", "position", "is_swapped", "answer", "rating", "reaction_ms", "n_plays", "build")
        yield {
            **{name: getattr(row, name) for name in (*copied, "time_created", "time_retracted")},
            "judgement_id": str(row.id),
            "set_name": found.name,
            "set_sha256": found.sha256,
            "item": item,
            "is_repeat": row.repeat_of is not None,
            "judge_id": make_pseudonym(key, "player", row.user_id),
            "judge_is_program": row.is_synthetic,
            "preferred": read_preference(row.answer, row.is_swapped),
            **{
                f"{side}_{name}": value
                for side, clip in by_item[item].items()
                for name, value in (
                    *_locate(clip, key).items(),
                    ("is_program", clip.is_synthetic),
                    ("is_branch", clip.is_branch),
                )
            },
        }


def _locate(clip: Row[Any], key: str) -> dict[str, Any]:
    episode = make_pseudonym(key, "episode", str(clip.episode_id))
    return {"episode_id": episode, "frame_from": clip.frame_from, "frame_to": clip.frame_to}


def _describe_clips(dataset: Dataset, clips: Sequence[Row[Any]], key: str) -> Iterator[dict[str, Any]]:
    """Yield the clips, those of one episode together, so that each episode is read once."""
    ordered = sorted(clips, key=lambda clip: (str(clip.episode_id), clip.number, clip.side))
    for episode_id, of_episode in groupby(ordered, lambda clip: clip.episode_id):
        episode = dataset.episode(episode_id)
        for clip in of_episode:
            steps = slice(clip.frame_from, clip.frame_to - 1)
            yield {
                "item": clip.number,
                "side": clip.side,
                **_locate(clip, key),
                "actions": episode.actions[steps].tolist(),
                "rewards": episode.rewards[steps].tolist(),
                "terminal": bool(episode.terminations[steps][-1:].any()),
                "observations": _pack(_slice_observations(episode, clip.frame_from, clip.frame_to)),
            }


def _slice_observations(episode: Episode, start: int, end: int) -> dict[str, NDArray[Any]]:
    observations = episode.observations
    if isinstance(observations, dict):
        return {name: values[start:end] for name, values in observations.items()}
    return {"observation": np.asarray(observations[start:end])}


def _pack(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Return arrays as NPZ, which NumPy reads without this package."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _write(path: Path, schema: pa.Schema, rows: Iterator[dict[str, Any]], batch_size: int = 100) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == batch_size:
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
                batch = []
        if batch:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
