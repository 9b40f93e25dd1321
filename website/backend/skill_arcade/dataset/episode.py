"""Reads one episode as arrays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
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
from skill_arcade.dataset.takeover import Takeover, read_takeover
from skill_arcade.errors import RecordingDamaged
from skill_arcade.exact_json import decode_info
from skill_arcade.frames.apng import read_apng, read_pictures
from skill_arcade.frames.picture import Picture
from skill_arcade.recording.observation import read_npz
from skill_arcade.storage.database.queries import EpisodeListItem
from skill_arcade.storage.database.tables import EpisodeStatus
from skill_arcade.storage.database.transition_columns import TIMES

T = TypeVar("T")
Observations = Frames | NDArray[Any] | dict[str, NDArray[Any]]

_TIMES = np.dtype([(column.name, column.time_dtype) for column in TIMES])


@dataclass(frozen=True, slots=True)
class Event:
    """An event other than a step: an input, a focus change, a pause, a clock sample, ...

    `server_us` is the arrival, in microseconds since the episode's start on the server's monotonic clock. `client_us`
    is the time of the event in microseconds on the browser's clock, or None if it does not come from the browser.
    `step` is the number of steps taken before the arrival.
    """

    number: int
    kind: str
    server_us: int
    client_us: int | None
    step: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A tag, a text or both on the steps `step_from` to `step_to` (exclusive).

    `author_role` is `player` if `user_id`, the author, played the episode, otherwise `researcher`. `vocabulary` is the
    version of the vocabulary of tags. A note that was retracted has `time_retracted`.
    """

    step_from: int
    step_to: int
    tag: str | None
    vocabulary: int
    text: str
    user_id: str
    author_role: str
    time_created: datetime
    time_retracted: datetime | None


class Episode:
    """An episode of T steps. Anything beyond the fields of a list item is read on first access."""

    def __init__(self, source: Source, list_item: EpisodeListItem) -> None:
        self._source = source
        self._list_item = list_item

    @property
    def id(self) -> UUID:
        """The episode's id. Ids sort by start time."""
        return self._list_item.id

    @property
    def source(self) -> Source:
        """The source of the episode, for callers that read many episodes at once."""
        return self._source

    @property
    def user_id(self) -> str:
        """Pseudonym of the player. It is the same in all episodes of the player."""
        return self._list_item.user_id

    @property
    def game_id(self) -> str:
        """Id of the game."""
        return self._list_item.game_id

    @property
    def status(self) -> EpisodeStatus:
        """`won`, `lost` or `incomplete` (still running, or ended without a result), at the time of listing."""
        return self._list_item.status

    @property
    def end_reason(self) -> str | None:
        """Reason of the end; None if the episode was running at the time of listing."""
        return self._list_item.end_reason

    @property
    def score(self) -> float:
        """Sum of rewards, at the time of listing."""
        return self._list_item.score

    @property
    def n_steps(self) -> int:
        """T, at the time of listing. A running episode grows until its arrays are read."""
        return self._list_item.n_steps

    @property
    def time_created(self) -> datetime:
        """Time at which `reset` returned, server wall clock, with time zone."""
        return self._list_item.time_created

    @property
    def time_ended(self) -> datetime | None:
        """Time of the end, server wall clock; None if the episode was running at the time of listing."""
        return self._list_item.time_ended

    @cached_property
    def seed(self) -> int:
        """Argument of `reset(seed=...)`, 1 to 2**31 - 1."""
        return int(self._row.seed)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """All data for a bit-exact re-run besides seed and actions: id, kwargs, packages with versions."""
        return dict(self._row.environment)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Origin of the recording: version of the server, manifest, browser, screen."""
        return dict(self._row.provenance)

    @property
    def study(self) -> dict[str, Any] | None:
        """Condition, stage and trial of a study, and delays in milliseconds; None if it was played for no study."""
        return self.provenance.get("study")

    @property
    def agent(self) -> dict[str, Any] | None:
        """The version of an agent that played: `name`, `version`, `sha256` and `version_id`; None for a person."""
        return self.provenance.get("agent")

    @property
    def branch(self) -> dict[str, Any] | None:
        """The recorded frame with which the episode begins; None if it begins with a reset.

        `parent` and `step` are the episode and the number of steps before the frame; `root` and `root_step` are the
        episode that began with a reset and the number of steps since; `score` is the sum of their rewards.
        """
        return self.provenance.get("branch")

    @cached_property
    def prefix_actions(self) -> NDArray[np.int64]:
        """Actions from `reset(seed=...)` to observation 0: none, unless the episode branches from another one.

        Raises:
            NotFound: an episode that it branches from was erased.
        """
        if (branch := self.branch) is None:
            return np.empty(0, np.int64)
        return np.array(self._source.read_line(UUID(branch["parent"]), int(branch["step"])).actions, np.int64)

    @property
    def with_agent(self) -> bool:
        """Whether an agent acted in it until the person took over."""
        return self._list_item.with_agent

    @cached_property
    def takeover(self) -> Takeover | None:
        """Who acted at each step, if an agent played until the person took over; None if nobody else acted."""
        if (described := self.provenance.get("takeover")) is None:
            return None
        # A turn-based game has no rate, so the agent has an interval of its own.
        steps_us = self.times["server_us"].astype(np.int64) if "interval_ms" in described else None
        return read_takeover(described["agent"], self.actions, self.events, steps_us)

    @cached_property
    def reset_info(self) -> dict[str, Any]:
        """Info returned by `reset`."""
        return decode_info(self.stored_reset_info)

    @cached_property
    def stored_reset_info(self) -> dict[str, Any]:
        """Info returned by `reset` in its stored form: JSON in the encoding of `skill_arcade.exact_json`."""
        return dict(self._row.reset_info)

    @cached_property
    def actions(self) -> NDArray[np.int64]:
        """Actions, shape (T,). Action i was taken on observation i."""
        return self._column("action", np.int64)

    @cached_property
    def rewards(self) -> NDArray[np.float64]:
        """Rewards, shape (T,)."""
        return self._column("reward", np.float64)

    @cached_property
    def terminations(self) -> NDArray[np.bool_]:
        """Gymnasium's `terminated`, shape (T,): the episode reached an end state of the environment."""
        return self._column("terminated", np.bool_)

    @cached_property
    def truncations(self) -> NDArray[np.bool_]:
        """Gymnasium's `truncated`, shape (T,): the episode was cut off for a reason outside the task."""
        return self._column("truncated", np.bool_)

    @cached_property
    def infos(self) -> list[dict[str, Any]]:
        """The stored keys of the infos returned by `step`, T dictionaries. Equal neighbours are the same object."""
        decoded: dict[int, Any] = {}
        return [decoded.setdefault(id(info), decode_info(info)) for info in self.stored_infos]

    @cached_property
    def stored_infos(self) -> list[dict[str, Any]]:
        """The T infos in their stored form: JSON in the encoding of `skill_arcade.exact_json`."""
        infos, current = [], self.stored_reset_info
        for row in self._rows.transitions:
            current = current if row.info is None else row.info
            infos.append(current)
        return infos

    @cached_property
    def times(self) -> NDArray[np.void]:
        """Times of the steps, a structured array of shape (T,). `times["shown_us"]` is a plain array.

        - `time_created`: datetime64[us], UTC: `step` returned, server wall clock.
        - `server_us`: int64: start of `step`, microseconds since the episode's start, server monotonic clock.
        - `late_us`: float64: delay of that start after its deadline, microseconds; NaN if turn-based.
        - `shown_us`: float64: paint of observation i, microseconds, browser clock; NaN if it was not painted.
        - `input_us`: float64: input that determined the action, microseconds, browser clock; NaN if there is none yet.
        - `input_received_us`: float64: arrival of that input, same clock as `server_us`; NaN if there is none yet.
        - `input_frame`: float64: index of the observation on the screen at that input; NaN if there is none yet.
        - `stepped_us`: float64: in lockstep, start of the step in the browser, microseconds, browser clock; the page
          takes the step, and `server_us` is when the server verified it, in groups. NaN if the game is streamed.

        A float64 holds microseconds of a century exactly. Events of kind `clock` relate the two clocks to each other.
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
        """Events other than steps, in order of arrival."""
        return [
            Event(row.number, row.kind, row.server_us, row.client_us, row.step, row.data) for row in self._rows.events
        ]

    @property
    def inputs(self) -> list[Event]:
        """Presses and releases of controls in order: the events of kind `input`.

        The `data` of each event has `control`, `down`, `device`, `code`, and `frame`, the index of the observation on
        the screen.
        """
        return [event for event in self.events if event.kind == "input"]

    @cached_property
    def notes(self) -> list[Note]:
        """Notes on steps, also the retracted ones, in the order of their steps."""
        names = [field.name for field in fields(Note)]
        return [Note(**{name: getattr(row, name) for name in names}) for row in self._source.read_notes(self.id)]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The episode's row of the view `episode_summary`: certified, latencies, dropped frames, device, ..."""
        return self._source.read_summary(self.id)

    @cached_property
    def clock(self) -> ClockAlignment:
        """The mapping of the browser's clock (`shown_us`, `input_us`, `client_us` of events) to the server's."""
        moves_us = [event.server_us for event in self.events if event.kind in ("moved", "rewound")]
        return ClockAlignment([event.data for event in self.events if event.kind == "clock"], moves_us)

    @cached_property
    def frames(self) -> Frames:
        """T + 1 frames (height, width, 3) uint8, exactly as the player saw them. Frame i is before step i."""
        return Frames([segment.n_frames for segment in self._filled], self._decode_frames)

    def pictures(self) -> Iterator[Picture]:
        """Yield the frames in their stored form, with palette. Each one is released before the next one is decoded."""
        for segment in self._filled:
            count = 0
            pictures = self._read(segment, ".png", read_pictures)
            while (picture := self._next_picture(segment, pictures)) is not None:
                yield picture
                count += 1
            self._require_count(segment, count, "frames")

    @cached_property
    def observations(self) -> Observations:
        """T + 1 observations. Action i was taken on observation i.

        These are the frames if the environment observes its picture. Otherwise it is an array of shape (T + 1, ...) or,
        for dictionary and tuple spaces, a dictionary of such arrays by path (`"agent/position"`, `"0"`).
        """
        keys = [self._key(segment.objects, ".npz") for segment in self._filled]
        if not any(keys):
            return self.frames
        segment_arrays = [self._read_arrays(segment) for segment in self._filled]
        joined = {name: np.concatenate([part[name] for part in segment_arrays]) for name in segment_arrays[0]}
        return joined["observation"] if list(joined) == ["observation"] else joined

    def find_changes(self) -> list[str]:
        """Return one message per segment whose rows were modified after the upload; an empty list means none."""
        return find_modified_rows(self._rows)

    def __len__(self) -> int:
        """Return T, at the time of listing."""
        return self.n_steps

    def __repr__(self) -> str:
        return f"<Episode {self.id} of {self.game_id}: {self.status}, {self.n_steps} steps, score {self.score:g}>"

    @cached_property
    def _row(self) -> Any:
        """The episode's own row, read without its steps unless those were read already."""
        return self._rows.episode if "_rows" in self.__dict__ else self._source.read_episode(self.id)

    @cached_property
    def _rows(self) -> Rows:
        rows = self._source.read_rows(self.id)
        check_rows(rows)
        return rows

    @property
    def _filled(self) -> list[Any]:
        """Segments with frames. The last segment may contain only the end of the episode."""
        return [segment for segment in self._rows.segments if segment.n_frames]

    def _column(self, name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(row, name) for row in self._rows.transitions], dtype)

    def _decode_frames(self, index: int) -> Pictures:
        segment = self._filled[index]
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
            raise RecordingDamaged(f"Episode {self.id}: segment {segment.number} has no {suffix} object.")
        try:
            return decode(self._source.read_object(key, segment.objects[key]))
        except ValueError as error:
            raise RecordingDamaged(f"Cannot decode object {key}: {error}.") from error

    def _next_picture(self, segment: Any, pictures: Iterator[Picture]) -> Picture | None:
        try:
            return next(pictures, None)
        except ValueError as error:
            key = self._key(segment.objects, ".png")
            raise RecordingDamaged(f"Cannot decode object {key}: {error}.") from error

    def _require_count(self, segment: Any, found: int, content: str) -> None:
        if found != segment.n_frames:
            raise RecordingDamaged(
                f"Episode {self.id}: segment {segment.number} has {found} {content}, but its row says "
                f"{segment.n_frames}."
            )

    @staticmethod
    def _key(objects: dict[str, str], suffix: str) -> str | None:
        return next((key for key in sorted(objects) if key.endswith(suffix)), None)
