"""Judges episodes of players on leaderboards, and keeps the standings. The certifier runs it."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.boards.edition import BoardKey, find_board
from skill_arcade.boards.rules import DailyFacts, EpisodeFacts, find_rejection
from skill_arcade.boards.seasons import ALL_TIME, season_bounds, seasons_of, start_of_day
from skill_arcade.boards.signals import find_signals, pair_presses
from skill_arcade.storage.database.board_facts import (
    count_before_shown,
    list_event_kinds,
    list_events,
    read_episode_facts,
    read_pace,
)
from skill_arcade.storage.database.boards import (
    enqueue_later_tries,
    freeze_seasons,
    lock_player,
    next_queued,
    postpone,
    remove_from_queue,
    review_entry,
    update_standing,
    upsert_board,
    upsert_entry,
)
from skill_arcade.storage.database.consents import BOARDS, allows
from skill_arcade.storage.database.daily import get_daily, list_tries
from skill_arcade.storage.database.engine import transaction

log = logging.getLogger(__name__)
RETRY_DELAY = timedelta(minutes=5)
FREEZE_DELAY = timedelta(hours=24)
"""Time after the end of a season in which late uploads and certificates still count."""


async def judge_queue(engine: AsyncEngine, limit: int = 100) -> int:
    """Judge up to `limit` queued episodes, each in its own transaction. Return their number.

    An episode that cannot be judged waits `RETRY_DELAY` and does not hold up the others.
    """
    for number in range(limit):
        episode_id = None
        try:
            async with transaction(engine) as connection:
                episode_id = await next_queued(connection)
                if episode_id is None:
                    return number
                await judge_episode(connection, episode_id)
                await remove_from_queue(connection, episode_id)
        except Exception as error:
            if episode_id is None:
                raise
            log.exception("cannot judge episode, retrying episode=%s error=%s", episode_id, type(error).__name__)
            async with transaction(engine) as connection:
                await postpone(connection, episode_id, RETRY_DELAY)
    return limit


async def freeze_ended_seasons(engine: AsyncEngine, now: datetime) -> int:
    """Fix the ranks of seasons that ended more than `FREEZE_DELAY` ago. Return their number."""
    async with transaction(engine) as connection:
        return await freeze_seasons(connection, now - FREEZE_DELAY)


async def judge_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """Decide whether an episode ranks, and update the standings of its player."""
    row = await read_episode_facts(connection, episode_id)
    if row is None or row.time_ended is None or await lock_player(connection, row.user_id) is None:
        return
    facts = await _read_facts(connection, row)
    rejection = find_rejection(facts)
    board = None if rejection is not None else _find_board(facts)
    signals: list[str] = []
    if board is not None:
        await upsert_board(
            connection,
            {
                "id": board.id,
                "game_id": board.game_id,
                "settings": board.settings,
                "edition": board.edition,
                "contents": board.contents,
                "day": board.day,
                "newest_id": episode_id,
            },
        )
        signals = await _find_signals(connection, facts)
    entry = {
        "episode_id": episode_id,
        "user_id": row.user_id,
        "board_id": None if board is None else board.id,
        "score": row.score,
        "time_ended": row.time_ended,
        "rejection": rejection,
        "signals": signals,
    }
    old_board = await upsert_entry(connection, entry)
    for board_id in {board and board.id, old_board} - {None}:
        await update_standings(connection, str(board_id), row.user_id, row.time_ended)
    if isinstance(claimed := row.provenance.get("daily"), str):
        await enqueue_later_tries(connection, row.user_id, claimed, episode_id)


async def update_standings(connection: AsyncConnection, board_id: str, user_id: str, moment: datetime) -> None:
    """Update a player's standings on a board in the seasons that contain `moment`."""
    for season, bounds in _list_seasons(board_id, moment):
        await update_standing(connection, board_id, user_id, season, bounds)


def _list_seasons(board_id: str, moment: datetime) -> Iterable[tuple[str, tuple[datetime | None, datetime | None]]]:
    settings = board_id.partition("?")[2].partition("#")[0]
    if settings.startswith("daily="):
        day = date.fromisoformat(settings.partition("=")[2])
        return [(ALL_TIME, (None, start_of_day(day) + timedelta(days=1)))]
    return [(season, season_bounds(season)) for season in seasons_of(moment)]


async def decide(connection: AsyncConnection, entry: Row[Any], decision: str, reason: str) -> None:
    """Store a maintainer's decision on an entry (a row of `board_entry`), and update the standings."""
    await review_entry(connection, entry.episode_id, decision, reason)
    if entry.board_id is not None and await lock_player(connection, entry.user_id) is not None:
        await update_standings(connection, entry.board_id, entry.user_id, entry.time_ended)


async def _read_facts(connection: AsyncConnection, row: Row[Any]) -> EpisodeFacts:
    pace = await read_pace_or_none(connection, row)
    manifest_pace = row.config.get("pace") or {}
    return EpisodeFacts(
        id=row.id,
        user_id=row.user_id,
        game_id=row.game_id,
        seed=row.seed,
        score=row.score,
        end_reason=row.end_reason,
        environment=row.environment,
        provenance=row.provenance,
        time_created=row.time_created,
        time_ended=row.time_ended,
        is_synthetic=row.is_synthetic,
        certificate=None if row.result is None else str(row.result.value),
        certified_packages=(row.versions or {}).get("packages") or {},
        is_real_time=manifest_pace.get("kind") != "turn-based",
        nominal_hz=pace and pace.nominal_hz,
        active_speed=pace and pace.active_speed,
        overall_speed=pace and pace.overall_speed,
        pauses=0 if pace is None else pace.pauses,
        n_steps=row.n_steps,
        event_kinds=await list_event_kinds(connection, row.id),
        daily=await _read_daily(connection, row),
        alias_of=row.alias_of,
        alias_options=row.alias_options,
        has_consent=await allows(connection, row.id, BOARDS),
    )


async def read_pace_or_none(connection: AsyncConnection, row: Row[Any]) -> Row[Any] | None:
    """Return the pace of an episode; None for a synthetic player, whose episodes no view has."""
    return None if row.is_synthetic else await read_pace(connection, row.id)


async def _read_daily(connection: AsyncConnection, row: Row[Any]) -> DailyFacts | None:
    try:
        day = date.fromisoformat(str(row.provenance.get("daily")))
    except ValueError:
        return None
    challenge = await get_daily(connection, day)
    if challenge is None:
        return None
    tries = await list_tries(connection, row.user_id, day)
    return DailyFacts(
        day, challenge.game_id, challenge.key, challenge.arguments, has_earlier_try=bool(tries) and tries[0] != row.id
    )


def _find_board(facts: EpisodeFacts) -> BoardKey:
    day = None if facts.daily is None else facts.daily.day
    options = {**facts.alias_options, **(facts.provenance.get("options") or {})}
    return find_board(facts.alias_of or facts.game_id, facts.environment, options, facts.nominal_hz, day)


async def _find_signals(connection: AsyncConnection, facts: EpisodeFacts) -> list[str]:
    events = await list_events(connection, facts.id)
    presses, n_unfocused = pair_presses((row.kind, row.client_us, row.data) for row in events)
    return find_signals(
        presses,
        n_unfocused=n_unfocused,
        n_before_shown=await count_before_shown(connection, facts.id),
        tick_us=None if facts.nominal_hz is None else 1e6 / facts.nominal_hz,
        active_speed=facts.active_speed,
        overall_speed=facts.overall_speed,
        pauses=facts.pauses,
    )
