"""Trials of a study: how much of a games stage is played, which trial comes next, and what it plays."""

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import InvalidRequest, NotReady, NotSignedIn, TooManyRequests
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Ghost, StudyAssignment
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.recording.pending import has_pending_recordings, list_pending_users
from skill_arcade.storage.database.studies import (
    ACTIVE,
    add_pending_journal,
    list_pending,
    list_trials,
    read_participant,
    remove_pending_journal,
    request_seal,
    update_participant,
)
from skill_arcade.studies.allocation import derive_seed
from skill_arcade.studies.progress import COMPLETE_ENDS, GamesProgress, PlayedTrial, limit_trial, measure_games
from skill_arcade.studies.schema import GamesStage
from skill_arcade.web.ghosts import find_ghost
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.studies.rows import NO_PARTICIPANT, parse_study, plan_of, require_participant

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.5
"""Interval at which it is noted whose recordings are stored."""
SETTLE_RETRY_SECONDS = 5.0
MIN_PENDING_SECONDS = 10.0
"""Time after the start of a trial for which its recordings count as not stored: its first bytes may not be written."""
MAX_CACHED_TRIALS = 1000
STILL_SAVING = "The last game is still being saved. Try again in a moment."


@dataclass(frozen=True, slots=True)
class AssignedTrial:
    """What a trial plays.

    Attributes:
        game: manifest, with the limit of the trial.
        options: options of the study.
        study: the part that the game process gets, and that is recorded.
        ghost: episode that the page shows, or None.
        uses_lockstep: whether the page may step the game itself.
    """

    game: Manifest
    options: dict[str, str]
    study: StudyAssignment
    ghost: Ghost | None
    uses_lockstep: bool


class StudyTrials:
    """Trials of participants, measured by their stored episodes (decision 0032)."""

    def __init__(
        self, engine: AsyncEngine, catalogue: Catalogue, sessions: SessionManager, journal: Path, journal_id: UUID
    ) -> None:
        self._engine, self._catalogue = engine, catalogue
        self._sessions, self._journal, self._journal_id = sessions, journal, journal_id
        self._cache: dict[tuple[str, str], AssignedTrial] = {}
        self._started_at: dict[str, float] = {}
        """Participants who have played here, and of whom not everything is known to be stored, with the last start."""
        self._has_pending = True  # an earlier start of this server may have left some

    async def issue(self, user_id: str) -> tuple[str, str]:
        """Return game id and key of the trial that a participant may play now.

        Raises:
            InvalidRequest: the current stage has no game, or all of it is played.
            NotReady: the last trial is not stored yet.
            TooManyRequests: the pause between two trials is not over.
        """
        running = self._sessions.running_trial(user_id)
        is_saving = await self.is_saving(user_id)
        async with request_transaction(self._engine) as connection:
            row = await require_participant(connection, user_id)
            plan = plan_of(row)
            stage = plan[row.stage] if row.stage < len(plan) else None
            if row.status != ACTIVE or row.arm is None or not isinstance(stage, GamesStage):
                raise InvalidRequest("There is no game to play in this part of the study. Reload the page.")
            if running is not None and running.stage == stage.name:
                return stage.game, _trial_key(stage.name, running.trial, running.attempt)
            if is_saving:
                raise NotReady(STILL_SAVING)
            progress, ended_at = await self.measure(connection, row, stage)
            if progress.is_done:
                raise InvalidRequest("All games of this part of the study are played. Reload the page.")
            wait = pause_left(stage, ended_at, row.now)
            if wait > 0:
                raise TooManyRequests(f"Take a break: the next game starts in {wait:.0f} s.", wait)
            await update_participant(connection, user_id)
        return stage.game, _trial_key(stage.name, progress.trial, progress.attempt)

    async def assign(self, user_id: str, key: str) -> AssignedTrial:
        """Return what a trial plays.

        It is cached, so that a running game can be continued while the database is unavailable. That this server
        records the participant is noted first, so that another one waits for the recordings (decision 0053).

        Raises:
            NotSignedIn: the participant has withdrawn since the ticket was issued.
        """
        if user_id not in self._started_at:
            async with request_transaction(self._engine) as connection:
                await add_pending_journal(connection, user_id, self._journal_id)
        self._started_at[user_id] = time.monotonic()
        if (cached := self._cache.get((user_id, key))) is not None:
            return cached
        stage_name, trial, attempt = key.split("/")
        async with request_transaction(self._engine) as connection:
            row = await read_participant(connection, user_id)
            if row is None:
                raise NotSignedIn(NO_PARTICIPANT)
            stage = parse_study(row).find_stage(stage_name)
            progress, _ = await self.measure(connection, row, stage)
            found = self._catalogue.find(stage.game, stage.options)
            if found is None or row.arm is None:
                raise InvalidRequest(f"There is no game {stage.game!r} on this server any more.")
            game, options = found
            if (limit := limit_trial(stage, progress)) is not None:
                game = game.limit_steps(limit)
            seed = _choose_seed(stage, row, int(trial), int(attempt))
            ghost = None
            if (episode_id := await self.find_ghost_episode(connection, row, stage)) is not None:
                ghost = await find_ghost(connection, episode_id, self._catalogue, game, options)
                # The trial has its own seed, so the ghost starts in the same way only with the same one.
                ghost = Ghost(episode=ghost.episode, seed=seed if ghost.seed == seed else None)
        assignment = StudyAssignment(
            name=row.study_name,
            version=row.number,
            arm=row.arm,
            sequence=row.sequence,
            stage=stage.name,
            trial=int(trial),
            attempt=int(attempt),
            practice=stage.is_practice,
            seed=seed,
            input_delay_ms=stage.input_delay_ms,
            frame_delay_ms=stage.frame_delay_ms,
            sound=stage.sound,
            ghost=stage.ghost,
            lockstep=stage.lockstep,
        )
        result = AssignedTrial(game, options, assignment, ghost, uses_lockstep=stage.lockstep and limit is None)
        self._cache[user_id, key] = result
        if len(self._cache) > MAX_CACHED_TRIALS:
            del self._cache[next(iter(self._cache))]
        return result

    async def is_saving(self, user_id: str) -> bool:
        """Return whether recordings of games that have ended are still in the journal."""
        if self._sessions.running_trial(user_id) is not None:
            return False
        return await asyncio.to_thread(has_pending_recordings, self._journal, user_id)

    def running_trial(self, user_id: str) -> StudyAssignment | None:
        """Return the trial that the participant is playing now, or None."""
        return self._sessions.running_trial(user_id)

    async def seal_ended_game(self, user_id: str) -> None:
        """Seal the recording of the participant's last trial, unless one is running."""
        if self._sessions.running_trial(user_id) is None:
            await self._sessions.end_game(user_id)

    async def is_saving_elsewhere(self, user_id: str) -> bool:
        """Return whether another server may have recordings that are not stored. It is asked to seal and store them."""
        async with request_transaction(self._engine) as connection:
            return await request_seal(connection, user_id, self._journal_id)

    async def run(self) -> None:
        """Note regularly whose recordings are stored, and seal games that another server waits for, until cancelled."""
        while True:
            try:
                if self._has_pending or self._started_at:
                    await self._settle()
            except Exception as error:  # noqa: BLE001  (whatever it is, the next round tries again)
                log.warning("cannot note whose recordings are stored, retrying error=%s", type(error).__name__)
                await asyncio.sleep(SETTLE_RETRY_SECONDS)
            await asyncio.sleep(SETTLE_SECONDS)

    async def _settle(self) -> None:
        async with request_transaction(self._engine) as connection:
            rows = await list_pending(connection, self._journal_id)
        for row in rows:
            if row.is_seal_requested:
                await self.seal_ended_game(row.user_id)
        began = time.monotonic() - MIN_PENDING_SECONDS
        idle = [
            row.user_id
            for row in rows
            if not self._sessions.has_game(row.user_id) and self._started_at.get(row.user_id, -math.inf) < began
        ]
        if idle:
            pending = await asyncio.to_thread(list_pending_users, self._journal)
            # A game may have started meanwhile.
            stored = [one for one in idle if one not in pending and self._started_at.get(one, -math.inf) < began]
            if stored:
                async with request_transaction(self._engine) as connection:
                    await remove_pending_journal(connection, stored, self._journal_id)
            for one in stored:
                self._started_at.pop(one, None)
        known = {row.user_id for row in rows}
        for user_id in [one for one, at in self._started_at.items() if one not in known and at < began]:
            del self._started_at[user_id]  # the participant has withdrawn
        self._has_pending = bool(rows)

    async def measure(
        self, connection: AsyncConnection, row: Row[Any], stage: GamesStage
    ) -> tuple[GamesProgress, datetime | None]:
        """Return how much of a stage is played, and when its last stored episode ended."""
        ended = [one for one in await list_trials(connection, row.user_id, stage.name) if one.time_ended is not None]
        played = [PlayedTrial(one.n_steps, one.end_reason) for one in ended]
        return measure_games(stage.amount, self.find_hz(stage), played), ended[-1].time_ended if ended else None

    async def find_ghost_episode(self, connection: AsyncConnection, row: Row[Any], stage: GamesStage) -> UUID | None:
        """Return the participant's last complete episode of a stage that shows it as a ghost, or None."""
        if not stage.ghost:
            return None
        trials = await list_trials(connection, row.user_id, stage.name)
        complete = [one.id for one in trials if one.end_reason in COMPLETE_ENDS]
        return complete[-1] if complete else None

    def find_hz(self, stage: GamesStage) -> float | None:
        """Return the steps per second of a stage's game, or None if the game waits for the player."""
        found = self._catalogue.find(stage.game, stage.options)
        if found is None:
            return None
        pace = found[0].choose(found[1]).pace
        return pace.hz if pace.kind == "real-time" else None


def pause_left(stage: GamesStage, ended_at: datetime | None, now: datetime) -> float:
    """Return the seconds until the next trial may start."""
    if ended_at is None:
        return 0.0
    return max(0.0, stage.break_seconds - (now - ended_at).total_seconds())


def _trial_key(stage: str, trial: int, attempt: int) -> str:
    return f"{stage}/{trial}/{attempt}"


def _choose_seed(stage: GamesStage, row: Row[Any], trial: int, attempt: int) -> int:
    if stage.seed_list:
        return stage.seed_list[trial % len(stage.seed_list)]
    if stage.seeds == "shared":
        return derive_seed(row.secret, stage.name, trial)
    return derive_seed(row.secret, row.user_id, stage.name, trial, attempt)
