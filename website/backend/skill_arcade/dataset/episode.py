"""One episode, as arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from skill_arcade.dataset.checks import check_rows, find_modified_rows
from skill_arcade.dataset.clock import ClockAlignment
from skill_arcade.dataset.frames import Frames, Pictures
from skill_arcade.dataset.source import Rows, Source
from skill_arcade.errors import RecordingDamaged
from skill_arcade.exact_json import decode_value
from skill_arcade.frames.apng import read_apng, read_pictures
from skill_arcade.frames.picture import Picture
from skill_arcade.recording.observation import read_npz
from skill_arcade.storage.database.queries import EpisodeListItem
from skill_arcade.storage.database.tables import EpisodeStatus

T = TypeVar("T")
Observations = Frames | NDArray[Any] | dict[str, NDArray[Any]]

_TIMES = np.dtype(
    [
        ("time_created", "datetime64[us]"),
        ("server_us", np.int64),
        ("late_us", np.float64),
        ("shown_us", np.float64),
        ("input_us", np.float64),
        ("input_received_us", np.float64),
        ("input_frame", np.float64),
    ]
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened beside the steps: a key, a change of focus, a pause, a clock sample, ...

    `server_us`: it arrived, microseconds since the episode's start on the server's monotonic clock;
    `client_us`: it happened, microseconds since the origin of the browser's clock, None: not in the browser;
    `step`: steps taken when it arrived.
    """

    number: int
    kind: str
    server_us: int
    client_us: int | None
    step: int
    data: dict[str, Any]


class Episode:
    """One play of a game, of T steps. What is more than a line of a list is read when it is first asked for."""

    def __init__(self, source: Source, line: EpisodeListItem) -> None:
        self._source = source
        self._line = line

    @property
    def id(self) -> UUID:
        """Its id; sorts by start."""
        return self._line.id

    @property
    def source(self) -> Source:
        """Where it is read from, for what reads many episodes at once."""
        return self._source

    @property
    def user_id(self) -> str:
        """Pseudonym of the player: the same in all of the player's episodes."""
        return self._line.user_id

    @property
    def game_id(self) -> str:
        """Which game."""
        return self._line.game_id

    @property
    def status(self) -> EpisodeStatus:
        """`won`, `lost` or `incomplete` (still running, or left before its end), when it was listed."""
        return self._line.status

    @property
    def end_reason(self) -> str | None:
        """Why it ended; None: it was running when it was listed."""
        return self._line.end_reason

    @property
    def score(self) -> float:
        """Sum of rewards, when it was listed."""
        return self._line.score

    @property
    def n_steps(self) -> int:
        """T, when it was listed: a running episode grows until its arrays are first read."""
        return self._line.n_steps

    @property
    def time_created(self) -> datetime:
        """When `reset` returned, by the server's wall clock, with time zone."""
        return self._line.time_created

    @property
    def time_ended(self) -> datetime | None:
        """When it ended, likewise; None: it was running when it was listed."""
        return self._line.time_ended

    @cached_property
    def seed(self) -> int:
        """Argument of `reset(seed=...)`, 1 to 2**31 - 1."""
        return int(self._row.seed)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """All that a bit-exact re-run needs beside seed and actions: id, kwargs, packages with versions."""
        return dict(self._row.environment)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What recorded it: version of this package, manifest, browser, screen."""
        return dict(self._row.provenance)

    @cached_property
    def reset_info(self) -> dict[str, Any]:
        """Info that `reset` returned."""
        return dict(decode_value(self.stored_reset_info))

    @cached_property
    def stored_reset_info(self) -> dict[str, Any]:
        """Info that `reset` returned, as it is stored: JSON in the encoding of `skill_arcade.exact_json`."""
        return dict(self._row.reset_info)

    @cached_property
    def actions(self) -> NDArray[np.int64]:
        """Shape (T,): action i was taken on observation i."""
        return self._column("action", np.int64)

    @cached_property
    def rewards(self) -> NDArray[np.float64]:
        """Shape (T,)."""
        return self._column("reward", np.float64)

    @cached_property
    def terminations(self) -> NDArray[np.bool_]:
        """Shape (T,): the environment's own end, Gymnasium's `terminated`."""
        return self._column("terminated", np.bool_)

    @cached_property
    def truncations(self) -> NDArray[np.bool_]:
        """Shape (T,): an end from outside of the task, Gymnasium's `truncated`."""
        return self._column("truncated", np.bool_)

    @cached_property
    def infos(self) -> list[dict[str, Any]]:
        """T infos: the stored part of what step i returned. Equal neighbours are the same object."""
        decoded: dict[int, Any] = {}
        return [decoded.setdefault(id(info), decode_value(info)) for info in self.stored_infos]

    @cached_property
    def stored_infos(self) -> list[dict[str, Any]]:
        """T infos as they are stored: JSON in the encoding of `skill_arcade.exact_json`."""
        infos, newest = [], self.stored_reset_info
        for row in self._rows.transitions:
            newest = newest if row.info is None else row.info
            infos.append(newest)
        return infos

    @cached_property
    def times(self) -> NDArray[np.void]:
        """Shape (T,), structured: when the parts of step i happened. `times["shown_us"]` is a plain array.

        - `time_created`: datetime64[us], UTC: step returned, server's wall clock.
        - `server_us`: int64: step began, microseconds since the episode's start, server's monotonic clock.
        - `late_us`: float64: that was so many microseconds after its deadline; NaN: turn-based.
        - `shown_us`: float64: observation i was painted, microseconds on the browser's clock; NaN: never.
        - `input_us`: float64: the input in force happened, same clock; NaN: none yet.
        - `input_received_us`: float64: that input arrived, same clock as `server_us`; NaN: none yet.
        - `input_frame`: float64: index of the observation on the screen when that input happened; NaN: none.

        Microseconds of a century are exact in a float64. The two clocks are tied by the events of kind `clock`.
        """
        times = np.empty(len(self._rows.transitions), _TIMES)
        for name in _TIMES.names or ():
            values = [getattr(row, name) for row in self._rows.transitions]
            if name == "time_created":
                values = [value.replace(tzinfo=None) - value.utcoffset() for value in values]
            times[name] = [np.nan if value is None else value for value in values]
        return times

    @cached_property
    def events(self) -> list[Event]:
        """What happened beside the steps, in order of arrival."""
        return [
            Event(row.number, row.kind, row.server_us, row.client_us, row.step, row.data) for row in self._rows.events
        ]

    @property
    def inputs(self) -> list[Event]:
        """What the player pressed and let go, in order: events of kind `input`.

        `data` of each: `control`, `down`, `device`, `code`, and `frame`, the observation that was on the screen.
        """
        return [event for event in self.events if event.kind == "input"]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The episode's line of the view `episode_summary`: certified, latencies, dropped frames, device, ..."""
        return self._source.read_summary(self.id)

    @cached_property
    def clock(self) -> ClockAlignment:
        """The map from the browser's clock (`shown_us`, `input_us`, events' `client_us`) to the server's."""
        return ClockAlignment([event.data for event in self.events if event.kind == "clock"])

    @cached_property
    def frames(self) -> Frames:
        """T + 1 pictures (height, width, 3) uint8, exactly as the player saw them; frame i is before step i."""
        return Frames([segment.n_frames for segment in self._filled], self._decode_frames)

    def pictures(self) -> Iterator[Picture]:
        """The frames in order as they are kept, palette and all; each is gone when the next one is asked for."""
        for segment in self._filled:
            count = 0
            pictures = self._read(segment, ".png", read_pictures)
            while (picture := self._next_picture(segment, pictures)) is not None:
                yield picture
                count += 1
            self._require_count(segment, count, "frames")

    @cached_property
    def observations(self) -> Observations:
        """T + 1 observations; number i is the one that action i was taken on.

        The frames when the environment observes its picture. Otherwise an array of shape (T + 1, ...), or for
        dictionaries and tuples one such array for each part, by its path (`"agent/position"`, `"0"`).
        """
        keys = [self._key(segment.objects, ".npz") for segment in self._filled]
        if not any(keys):
            return self.frames
        parts = [self._read_arrays(segment) for segment in self._filled]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return joined["observation"] if list(joined) == ["observation"] else joined

    def find_changes(self) -> list[str]:
        """A phrase for each segment whose rows were changed since they were recorded; none: as it should be."""
        return find_modified_rows(self._rows)

    def __len__(self) -> int:
        """T, when it was listed."""
        return self.n_steps

    def __repr__(self) -> str:
        """Which one it is."""
        return f"<Episode {self.id} of {self.game_id}: {self.status}, {self.n_steps} steps, score {self.score:g}>"

    @cached_property
    def _row(self) -> Any:
        """Its own row; a question that costs nothing, beside those for its steps."""
        return self._rows.episode if "_rows" in self.__dict__ else self._source.read_episode(self.id)

    @cached_property
    def _rows(self) -> Rows:
        rows = self._source.read_rows(self.id)
        check_rows(rows)
        return rows

    @property
    def _filled(self) -> list[Any]:
        """Segments that have frames: the last one may hold nothing but the end."""
        return [segment for segment in self._rows.segments if segment.n_frames]

    def _column(self, name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(row, name) for row in self._rows.transitions], dtype)

    def _decode_frames(self, place: int) -> Pictures:
        segment = self._filled[place]
        frames = self._read(segment, ".png", read_apng)
        self._require_count(segment, len(frames), "frames")
        return frames

    def _read_arrays(self, segment: Any) -> dict[str, NDArray[Any]]:
        arrays = self._read(segment, ".npz", read_npz)
        for name, array in arrays.items():
            self._require_count(segment, len(array), f"observations ({name})")
        return arrays

    def _read(self, segment: Any, suffix: str, decode: Callable[[bytes], T]) -> T:
        key = self._key(segment.objects, suffix)
        if key is None:
            raise RecordingDamaged(f"Episode {self.id}: segment {segment.number} has no object {suffix}.")
        try:
            return decode(self._source.read_object(key, segment.objects[key]))
        except ValueError as error:
            raise RecordingDamaged(f"Object {key} does not read back: {error}.") from error

    def _next_picture(self, segment: Any, pictures: Iterator[Picture]) -> Picture | None:
        try:
            return next(pictures, None)
        except ValueError as error:
            key = self._key(segment.objects, ".png")
            raise RecordingDamaged(f"Object {key} does not read back: {error}.") from error

    def _require_count(self, segment: Any, found: int, what: str) -> None:
        if found != segment.n_frames:
            raise RecordingDamaged(
                f"Episode {self.id}: segment {segment.number} holds {found} {what}, its row says {segment.n_frames}."
            )

    @staticmethod
    def _key(objects: dict[str, str], suffix: str) -> str | None:
        return next((key for key in sorted(objects) if key.endswith(suffix)), None)
