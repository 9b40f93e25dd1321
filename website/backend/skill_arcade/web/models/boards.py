"""Models of leaderboards and the daily challenge."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from skill_arcade.web.models.base import RequestModel, ResponseModel
from skill_arcade.wire.numbers import Score


class BoardSummary(ResponseModel):
    """A board: a game with certain settings."""

    game_id: str
    game_name: str
    settings: dict[str, str] = Field(description="option values; empty: the game's defaults")


class BoardRow(ResponseModel):
    """A row of a board. It names neither the account nor the device."""

    rank: int
    name: str
    score: Score
    time_reached: datetime
    episode_id: UUID = Field(description="episode that the replay shows")
    is_own: bool


class BoardPage(ResponseModel):
    """The first rows of a board in one season, and the user's own row."""

    game_id: str
    game_name: str
    settings: dict[str, str]
    day: date | None = Field(description="day of a daily challenge; null: an ordinary board")
    season: str = Field(description="all, a day or an ISO week, UTC")
    time_ends: datetime | None = Field(description="end of the season; null: it has none")
    is_frozen: bool = Field(description="true: ranks and names are fixed; missing ranks were removed or erased")
    n_players: int = Field(description="number of ranked players; of a frozen season, when it was frozen")
    rows: list[BoardRow]
    own: BoardRow | None = Field(description="the user's row, also below the last of `rows`; null: none")
    is_listed: bool = Field(description="true: the user is on leaderboards")
    boards: list[BoardSummary] = Field(description="all boards of this game")


class BoardMembership(ResponseModel):
    """Whether the user is on leaderboards, and their name there."""

    is_listed: bool
    name: str | None = Field(description="null: not listed")
    is_chosen: bool = Field(description="false: a neutral name, given by the server")


class BoardMembershipRequest(RequestModel):
    """Opt in to leaderboards, or change the name."""

    name: str | None = Field(max_length=80, description="name, 3 to 20 characters; null: a neutral name")


class EpisodeStanding(ResponseModel):
    """What became of an episode of the user on leaderboards."""

    state: Literal["not-listed", "pending", "rejected", "hidden", "obsolete", "ranked"] = Field(
        description="obsolete: a better episode of the user stands on the board"
    )
    reason: str | None = Field(description="rejected: code of the rule; hidden: reason of the maintainer; else null")
    game_id: str | None
    settings: dict[str, str]
    day: date | None
    today: int | None = Field(description="rank of this episode in the season of the day; null: it does not rank there")
    week: int | None
    all: int | None = Field(description="rank of all time, or of the daily challenge")
    n_players: int = Field(description="players in the shortest season in which it ranks")


class DailyReveal(ResponseModel):
    """A past daily challenge with its key, by which anyone can check the seed."""

    day: date
    game_id: str
    commitment: str
    key: str
    seed: int


class DailyChallenge(ResponseModel):
    """Today's challenge. The seed is secret until the day is over; its commitment is published."""

    day: date
    game_id: str
    game_name: str
    time_ends: datetime
    sticky_actions: bool
    commitment: str = Field(description="SHA-256 of the key that the seed follows from, hexadecimal")
    next_commitment: str = Field(description="commitment of tomorrow's challenge")
    previous: DailyReveal | None = Field(description="yesterday's challenge; null: there was none")
    has_tried: bool | None = Field(description="true: the user has had their try; null: not signed in")
    own_episode: UUID | None = Field(description="the user's try, once it is uploaded")
    n_players: int = Field(description="ranked players so far")
    own: BoardRow | None


class DailyTicketRequest(RequestModel):
    """Request a play ticket for the daily challenge."""

    day: date = Field(description="day of the challenge: today, or that of a try that is to be continued")
