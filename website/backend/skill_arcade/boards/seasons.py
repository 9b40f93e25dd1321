"""Seasons of a board: a day, an ISO week and all time. Days begin at midnight UTC."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

Period = Literal["today", "week", "all"]
ALL_TIME = "all"


def start_of_day(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def name_season(period: Period, now: datetime) -> str:
    """Return the name of the season of this kind that contains `now`."""
    if period == "all":
        return ALL_TIME
    day = now.astimezone(UTC).date()
    if period == "today":
        return day.isoformat()
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def season_bounds(season: str) -> tuple[datetime | None, datetime | None]:
    """Return begin and end (exclusive) of a season; None: unbounded. Raises ValueError for another text."""
    if season == ALL_TIME:
        return None, None
    if "W" in season:
        year, _, week = season.partition("-W")
        first = date.fromisocalendar(int(year), int(week), 1)
        return start_of_day(first), start_of_day(first + timedelta(days=7))
    day = date.fromisoformat(season)
    return start_of_day(day), start_of_day(day + timedelta(days=1))


def seasons_of(moment: datetime) -> list[str]:
    """Return the three seasons that contain this moment."""
    return [name_season(period, moment) for period in ("today", "week", "all")]
