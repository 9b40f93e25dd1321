"""Artificial episodes whose study results can be computed by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.ids import transition_id
from skill_arcade.storage.database.tables import Table

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FRAME_US = 100_000
ORIGIN_US = 1_000_000
PLAYER = {"player": {"browser": "Firefox 140", "refresh_hz": 60.0}}
TRIAL = {"name": "ice", "version": 2, "arm": "a", "sequence": None, "stage": "play", "trial": 3, "attempt": 0} | {
    "practice": True
}
"""The trial of a study that Bob's episodes are."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press `delay_us` after the paint of observation `frame`, which acts from step `step` on."""

    frame: int
    delay_us: int
    step: int


@dataclass(frozen=True, slots=True)
class StudyEpisode:
    """An episode. Picture i is painted at 1 s + i * 100 ms of the browser's clock, unless it is in `dropped`."""

    player: str
    game: str
    minute: float
    actions: Sequence[int]
    rewards: Sequence[float]
    seconds: float = 60
    presses: Sequence[Press] = ()
    dropped: Sequence[int] = ()
    certificates: Sequence[str] = ("certified",)
    end_reason: str = "terminated"
    infos: Sequence[dict[str, int] | None] | None = None


def two_presses(delay_us: int) -> list[Press]:
    """One press 30 ms after the first picture, and one `delay_us` after the fourth, which follows the
    reward of step 1.
    """
    return [Press(0, 30_000, 1), Press(3, delay_us, 4)]


ANN, BOB = two_presses(40_000), two_presses(80_000)
STUDY_EPISODES = [
    StudyEpisode("ann", "breakout", 0, [0, 2, 2, 3, 3, 3], [0, 1, 0, 0, 0, 1], presses=ANN),
    StudyEpisode(
        "ann",
        "breakout",
        5,
        [2, 2, 2, 2, 2, 2],
        [0, 2, 0, 0, 0, 2],
        presses=ANN,
        certificates=("mismatch", "certified"),
    ),
    StudyEpisode(
        "ann",
        "breakout",
        120,
        [0, 2, 0, 2, 0, 2],
        [0, 5, 0, 0, 0, 5],
        presses=ANN,
        certificates=("certified", "mismatch"),
    ),
    StudyEpisode("bob", "breakout", 0, [0] * 6, [0] * 6, 120, BOB, dropped=[1], certificates=(), end_reason="left"),
    StudyEpisode("bob", "breakout", 60, [3, 3, 3, 2, 2, 2], [0, 3, 0, 0, 0, 3], presses=BOB),
    StudyEpisode(
        "cat",
        "tower-of-hanoi",
        0,
        [0, 1, 2],
        [0, 0, 1],
        presses=[Press(0, 15_000_000, 0), Press(1, 50_000, 1), Press(2, 70_000, 2)],
        infos=[{"moves": 1}, {"moves": 2}, {"moves": 3}],
    ),
]
CONFIG = {
    "breakout": {"name": "Breakout", "environment": {"id": "ALE/Breakout-v5"}},
    "tower-of-hanoi": {"name": "Tower of Hanoi", "environment": {"id": "skill_arcade/Hanoi-v0"}},
}
LEFT = {"number": 99, "kind": "focus", "server_us": 9_000_000, "client_us": 1, "step": 6, "data": {"state": "hidden"}}


def episode_id(index: int) -> UUID:
    """Return the id of episode number `index`, with space for the ids of its transitions."""
    return UUID(int=(index + 1) << 64)


async def insert_plays(connection: AsyncConnection, plays: Sequence[StudyEpisode] = STUDY_EPISODES) -> None:
    """Insert the episodes into the database."""
    rows: dict[str, list[dict[str, Any]]] = {
        "user": [
            {"id": player, "email": f"{player}@example.org"} for player in sorted({play.player for play in plays})
        ],
        "game": [{"id": game, "config": CONFIG[game]} for game in sorted({play.game for play in plays})],
    }
    for index, play in enumerate(plays):
        for table, new_rows in build_rows(episode_id(index), play).items():
            rows.setdefault(table, []).extend(new_rows)
    for table in ("user", "game", "episode", "transition", "event", "certificate"):
        await connection.execute(insert(Table.metadata.tables[table]), rows[table])


def build_rows(id_: UUID, play: StudyEpisode) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one episode by table."""
    started_at = NOON + timedelta(minutes=play.minute)
    episode = {
        "id": id_,
        "user_id": play.player,
        "game_id": play.game,
        "seed": 7,
        "n_steps": len(play.actions),
        "status": "incomplete" if play.end_reason == "left" else "lost",
        "score": float(sum(play.rewards)),
        "end_reason": play.end_reason,
        "environment": CONFIG[play.game]["environment"],
        "provenance": PLAYER | ({"study": TRIAL} if play.player == "bob" else {}),
        "reset_info": {},
        "time_created": started_at,
        "time_ended": started_at + timedelta(seconds=play.seconds),
    }
    certificates: list[dict[str, Any]] = [
        {
            "episode_id": id_,
            "time_created": started_at + timedelta(hours=1 + number),
            "result": result,
            "step": None if result == "certified" else 3,
            "reason": "" if result == "certified" else "other reward",
            "n_steps": len(play.actions),
            "seconds": 0.1,
            "versions": {},
        }
        for number, result in enumerate(play.certificates)
    ]
    return {
        "episode": [episode],
        "transition": [_transition(id_, play, step, started_at) for step in range(len(play.actions))],
        "event": [*_events(id_, play), *([LEFT | {"episode_id": id_}] if play.end_reason == "left" else [])],
        "certificate": certificates,
    }


def _transition(id_: UUID, play: StudyEpisode, step: int, started_at: datetime) -> dict[str, Any]:
    press = next((press for press in reversed(play.presses) if press.step <= step), None)
    return {
        "id": transition_id(id_, step),
        "episode_id": id_,
        "step": step,
        "action": play.actions[step],
        "reward": float(play.rewards[step]),
        "time_created": started_at + timedelta(microseconds=FRAME_US * step),
        "server_us": FRAME_US * step,
        "late_us": 0,
        "shown_us": None if step in play.dropped else ORIGIN_US + FRAME_US * step,
        "input_us": press and _moment(press),
        "input_received_us": press and _moment(press) - ORIGIN_US,
        "input_frame": press and press.frame,
        "terminated": step == len(play.actions) - 1 and play.end_reason == "terminated",
        "truncated": False,
        "obs_key": f"0/{step}",
        "next_obs_key": f"0/{step + 1}",
        "info": play.infos[step] if play.infos else None,
    }


def _events(id_: UUID, play: StudyEpisode) -> list[dict[str, Any]]:
    return [
        {
            "episode_id": id_,
            "number": number,
            "kind": "input",
            "server_us": _moment(press) - ORIGIN_US,
            "client_us": _moment(press),
            "step": press.step,
            "data": {"frame": press.frame, "control": "left", "down": True, "device": "keyboard", "code": "KeyA"},
        }
        for number, press in enumerate(play.presses)
    ]


def _moment(press: Press) -> int:
    return ORIGIN_US + FRAME_US * press.frame + press.delay_us
