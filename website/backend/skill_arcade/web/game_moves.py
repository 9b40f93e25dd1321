"""Moves a player's game to this server, if another one has it: the episode goes on here (rules O26 to O29)."""

import asyncio
import logging
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import AccountErased, ArcadeError, ConsentWithdrawn, NotReady, TakenOver
from skill_arcade.frames.apng import read_pictures
from skill_arcade.frames.picture import digest_picture
from skill_arcade.play.assignment import GameAssignment, RecordedInput, ResumedEpisode
from skill_arcade.play.connections.game_registry import OnWait
from skill_arcade.play.connections.player_connections import PlayerConnection
from skill_arcade.play.session.clock import now_us
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.recording.segment import Segment
from skill_arcade.recording.shipment import merge_records, pack_segments, select_continuation
from skill_arcade.storage.database import moved_episodes
from skill_arcade.storage.database.moved_episodes import Claim, LostServer, OpenEpisode
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.rows import build_episode_row, find_server_id
from skill_arcade.uploader.shipper import find_shipped
from skill_arcade.web.game_leases import RENEWALS_PER_LIFETIME, GameLeases
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Interval at which the server that waits for a game looks whether the other one has let it go."""
ANSWER_SECONDS = 3.0
"""Time that a server may take to let a game go, once a renewal has told it, at the latest, that the lease is lost."""
DATABASE_SECONDS = 10.0
"""Time for which a game waits for a database that does not answer, because another server may have the episode."""
SHIPMENT_SECONDS = 5.0
"""Time that the shipment of a lost server may take to be read. After it the episode goes on without it."""
UPLOAD_SECONDS = 15.0
"""Time that the upload of the episode's last segment may take. A page waits 20 s for an answer."""
_EPOCH = datetime.fromtimestamp(0, UTC)


class GameMoves:
    """Finds out which server has a player's game, and continues its episode on this one."""

    def __init__(
        self,
        engine: AsyncEngine,
        objects: ObjectStore,
        leases: GameLeases,
        server_id: UUID,
        *,
        lost_seconds: float,
        resume_seconds: float,
        has_other_servers: Callable[[], bool],
    ) -> None:
        self._engine, self._objects, self._leases, self._server_id = engine, objects, leases, server_id
        self._has_other_servers = has_other_servers
        self._answer_seconds = lost_seconds / RENEWALS_PER_LIFETIME + ANSWER_SECONDS
        self._lost_within = timedelta(seconds=resume_seconds)
        self.n_moved, self.n_incomplete = 0, 0
        """Episodes that were continued here, and those of them that another server had not handed over."""

    async def keep_game(self, connection: PlayerConnection) -> bool:
        """See `GameRegistry`. If the database does not answer, the game goes on."""
        if not (fence := self._leases.find_fence(connection.user_id)):
            return True
        try:
            async with request_transaction(self._engine) as database:
                is_kept = await moved_episodes.keep_game(database, connection.user_id, self._server_id, fence)
        except NotReady:
            return True
        if is_kept is None:
            raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
        return is_kept

    async def claim_game(
        self, connection: PlayerConnection, assignment: GameAssignment, on_wait: OnWait
    ) -> ResumedEpisode | None:
        """See `GameRegistry`. If the database does not answer, a new game starts, at once if no other server runs."""
        started_at, has_told = time.monotonic(), False
        answered_at = started_at
        while True:
            connection.ensure_latest()
            now = time.monotonic()
            waited_s = now - started_at
            try:
                fence = await self._leases.find_or_take_fence(connection)
                found = await self._try_claim(connection.user_id, fence, assignment, waited_s)
                answered_at = now
            except NotReady:
                if not self._has_other_servers() or now - answered_at >= DATABASE_SECONDS:
                    log.warning("cannot look for a game on other servers, starting one user=%s", connection.user_id)
                    return None
                found = Claim.waits
            if found is Claim.lost:
                raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
            if isinstance(found, Claim):
                if not has_told:
                    has_told = True
                    await on_wait()
                await asyncio.sleep(POLL_SECONDS)
                continue
            if isinstance(found, LostServer):
                return await self._continue_unstored(found, connection.user_id, fence, assignment)
            return None if found is None else await self._prepare(found, fence, waited_s)

    async def release_game(self, user_id: str, episode_id: UUID | None) -> None:
        """See `GameRegistry`."""
        await self._leases.let_go(user_id, episode_id)

    async def return_episode(self, user_id: str, episode_id: UUID) -> None:
        """See `GameRegistry`."""
        try:
            async with request_transaction(self._engine) as connection:
                await moved_episodes.return_game(connection, user_id, self._server_id, episode_id)
        except NotReady:
            log.warning("cannot hand an episode over again, another server will end it episode=%s", episode_id)

    async def end_episode(self, episode_id: UUID) -> None:
        """See `GameRegistry`."""
        try:
            async with request_transaction(self._engine) as connection:
                await moved_episodes.end_moved_episode(connection, episode_id)
        except NotReady:
            log.warning("cannot end an episode that could not be continued episode=%s", episode_id)

    async def _try_claim(
        self, user_id: str, fence: int, assignment: GameAssignment, waited_s: float
    ) -> OpenEpisode | Claim | LostServer | None:
        async with request_transaction(self._engine) as database:
            return await moved_episodes.claim_game(
                database,
                user_id,
                self._server_id,
                fence,
                partial(can_continue, assignment),
                is_silent=waited_s >= self._answer_seconds,
                is_overdue=waited_s >= UPLOAD_SECONDS,
                lost_within=self._lost_within,
            )

    async def _prepare(self, episode: OpenEpisode, fence: int, waited_s: float) -> ResumedEpisode | None:
        """Make what the game process needs to continue an episode; None: its last picture cannot be read."""
        tail = await self._find_tail(episode)
        try:
            picture_sha256 = await self.digest_last_picture(episode)
        except (ArcadeError, ValueError) as error:
            log.warning("cannot continue an episode, ending it episode=%s: %s", episode.id, error)
            await self.end_episode(episode.id)
            return None
        self.n_moved += 1
        self.n_incomplete += not episode.is_whole
        log.info(
            "game moved here episode=%s fence=%d steps=%d waited_s=%.2f is_whole=%s",
            episode.id,
            fence,
            len(episode.actions),
            waited_s,
            episode.is_whole,
        )
        return describe_stored(episode, fence, picture_sha256, tail)

    async def _find_tail(self, episode: OpenEpisode) -> list[Segment]:
        """Return what the server before has shipped of an episode that it did not hand over."""
        return [] if episode.is_whole else find_tail(await self._find_shipped(episode.journal_id), episode)

    async def _find_shipped(self, journal_id: UUID | None) -> list[Segment]:
        if journal_id is None:
            return []
        try:
            async with asyncio.timeout(SHIPMENT_SECONDS):
                return await find_shipped(self._objects, journal_id)
        except (ArcadeError, TimeoutError) as error:
            log.warning("cannot read what a lost server has shipped journal=%s: %s", journal_id, error)
            return []

    async def _continue_unstored(
        self, lost: LostServer, user_id: str, fence: int, assignment: GameAssignment
    ) -> ResumedEpisode | None:
        """Continue the player's newest episode that a lost server has shipped, and of which nothing is stored."""
        shipped = await self._find_shipped(lost.journal_id)
        of_user = [one for one in shipped if one.header.user_id == user_id and one.header.number == 0]
        if not of_user:
            return None
        header = max((segment.header for segment in of_user), key=lambda one: one.episode_id)
        if not fits(assignment, header.game_id, header.provenance) or header.provenance.get("mode") == "lockstep":
            return None
        row = build_episode_row(header) | {"server_id": self._server_id}
        try:
            async with request_transaction(self._engine) as database:
                if not await moved_episodes.add_lost_episode(database, row, fence):
                    return None
        except (NotReady, AccountErased, ConsentWithdrawn):
            return None
        self.n_moved += 1
        self.n_incomplete += 1
        log.info("game moved here episode=%s fence=%d steps=0 is_whole=False", header.episode_id, fence)
        return describe_unstored(header, shipped, fence)

    async def digest_last_picture(self, episode: OpenEpisode) -> str:
        """Return the digest of the picture of the last observation, which is the last one of its segment."""
        key = next(key for key in sorted(episode.objects) if key.endswith(".png"))
        data = await self._objects.get(key)
        return await asyncio.to_thread(_digest_last, data)


def find_tail(shipped: Iterable[Segment], episode: OpenEpisode) -> list[Segment]:
    """Return the shipped segments that follow what is stored of an episode."""
    return select_continuation(
        shipped,
        episode.id,
        max_fence=episode.fence_before,
        n_segments=episode.n_segments,
        n_steps=len(episode.actions),
        n_events=episode.n_events,
    )


def encode_tail(tail: Iterable[Segment]) -> str:
    """Return the records of segments as a field of the message to the game process."""
    return b64encode(pack_segments(tail)).decode()


def describe_stored(
    episode: OpenEpisode, fence: int, picture_sha256: str, tail: list[Segment], *, is_over: bool = False
) -> ResumedEpisode:
    """Describe an episode for the game process that continues it. `is_over`: it only adds the tail, and ends."""
    tail_us = max((record.server_us for record in merge_records(tail)), default=0)
    return ResumedEpisode(
        id=episode.id,
        fence=fence,
        seed=episode.seed,
        actions=episode.actions,
        environment=episode.environment,
        provenance=episode.provenance,
        started_wall_us=(episode.time_created - _EPOCH) // timedelta(microseconds=1),
        started_us=now_us() - max(episode.elapsed_us, tail_us),
        score=episode.score,
        n_segments=episode.n_segments,
        n_events=episode.n_events,
        before=episode.before,
        picture_sha256=picture_sha256,
        server_before=episode.server_id,
        is_whole=episode.is_whole,
        lockstep_inputs=None
        if episode.lockstep_inputs is None or is_over
        else [RecordedInput(**asdict(one)) for one in episode.lockstep_inputs],
        tail=encode_tail(tail),
        is_over=is_over,
    )


def describe_unstored(
    header: SegmentHeader, shipped: Iterable[Segment], fence: int, *, is_over: bool = False
) -> ResumedEpisode:
    """Describe an episode of which nothing is stored, from what was shipped of it. `is_over` as in `describe_stored`.

    It goes on at once after its last record: no clock that two machines share has measured the time since then.
    """
    tail = select_continuation(shipped, header.episode_id, max_fence=header.fence, n_segments=0, n_steps=0, n_events=0)
    tail_us = max((record.server_us for record in merge_records(tail)), default=0)
    return ResumedEpisode(
        id=header.episode_id,
        fence=fence,
        seed=header.seed,
        actions=[],
        environment=header.environment,
        provenance=header.provenance,
        started_wall_us=header.started_wall_us,
        started_us=now_us() - tail_us,
        score=0.0,
        n_segments=0,
        n_events=0,
        before=None,
        picture_sha256=None,
        server_before=find_server_id(header),
        is_whole=False,
        tail=encode_tail(tail),
        is_over=is_over,
    )


def can_continue(assignment: GameAssignment, episode: OpenEpisode) -> bool:
    """Return whether an episode is one of the game that is assigned, with the same settings, and can be repeated.

    Trials, daily challenges and branches end with their server, and so do games in lockstep that it did not hand over,
    because steps of the page may have followed (rule O29).
    """
    provenance = episode.provenance
    can_repeat = episode.lockstep_inputs is None or (episode.is_whole and _has_emulator(assignment, provenance))
    return can_repeat and fits(assignment, episode.game_id, provenance)


def fits(assignment: GameAssignment, game_id: str, provenance: dict[str, Any]) -> bool:
    """Return whether an episode is one of the game that is assigned, with the same settings, and may move."""
    return (
        assignment.can_move
        and not {"daily", "study", "branch"} & provenance.keys()
        and game_id == assignment.game.id
        and provenance.get("manifest_sha256") == assignment.manifest_hash
        and provenance.get("options") == assignment.options
        and provenance.get("consent") == (None if assignment.consent.id is None else str(assignment.consent.id))
        and provenance.get("ghost") == (None if assignment.ghost is None else assignment.ghost.describe())
        and provenance.get("agent") == _describe_agent(assignment)
    )


def _describe_agent(assignment: GameAssignment) -> dict[str, Any] | None:
    agent = assignment.consent.agent
    return None if agent is None else agent.describe()


def _has_emulator(assignment: GameAssignment, provenance: dict[str, Any]) -> bool:
    """Return whether this server has the emulator with which the page plays."""
    return bool(provenance["lockstep"]["module_sha256"] == assignment.lockstep_module)


def _digest_last(data: bytes) -> str:
    (last,) = deque(read_pictures(data), maxlen=1)
    return digest_picture(last)
