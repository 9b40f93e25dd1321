"""Adds to the episodes of lost servers what those have shipped and not uploaded, and ends them (rule R35)."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import AccountErased, ArcadeError, ConsentWithdrawn
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import Manifest, hash_manifest
from skill_arcade.play.assignment import ResumedEpisode
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.recording.segment import Segment
from skill_arcade.storage.database import moved_episodes, servers
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.moved_episodes import LostEpisode
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.rows import build_episode_row
from skill_arcade.uploader.shipper import delete_shipments, find_shipped
from skill_arcade.web.game_moves import GameMoves, describe_stored, describe_unstored, find_tail

log = logging.getLogger(__name__)

MAX_CONCURRENT_RECOVERIES = 2
"""Episodes that are recovered at once: each uses a core for as long as its steps take to repeat."""


class LostGames:
    """Recovers the last steps of games whose server was lost together with its disk.

    The episodes were ended before, by the heartbeat, so that none stays open whatever happens here.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        objects: ObjectStore,
        catalogue: Catalogue,
        sessions: SessionManager,
        moves: GameMoves,
    ) -> None:
        self._engine, self._objects, self._catalogue = engine, objects, catalogue
        self._sessions, self._moves = sessions, moves
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_RECOVERIES)
        self._done: set[UUID] = set()
        self.n_recovered = 0
        """Episodes to which something was added that their server had shipped."""

    async def recover(self) -> None:
        """Recover what lost servers have shipped. What cannot be read or ended now is tried again by the next call."""
        async with transaction(self._engine) as connection:
            journals = await servers.list_lost_journals(connection)
        self._done &= journals
        for journal_id in journals - self._done:
            try:
                await self._recover_journal(journal_id)
            except (ArcadeError, DBAPIError, OSError) as error:
                log.warning("cannot recover a lost journal, retrying journal=%s: %s", journal_id, error)

    async def _recover_journal(self, journal_id: UUID) -> None:
        shipped = await find_shipped(self._objects, journal_id)
        by_episode: dict[UUID, list[Segment]] = {}
        for segment in shipped:
            by_episode.setdefault(segment.header.episode_id, []).append(segment)
        await asyncio.gather(*(self._recover_episode(segments) for segments in by_episode.values()))
        async with transaction(self._engine) as connection:
            if await moved_episodes.has_open_episodes(connection, journal_id):
                return  # one was uploaded a short time ago, so that the heartbeat has not ended it yet
        await delete_shipments(self._objects, journal_id)
        self._done.add(journal_id)

    async def _recover_episode(self, segments: Sequence[Segment]) -> None:
        header = segments[0].header
        if (game := self._find_game(header)) is None:
            log.warning(
                "cannot recover an episode, it cannot be repeated from its seed here episode=%s", header.episode_id
            )
            return
        async with self._slots:
            try:
                async with transaction(self._engine) as connection:
                    row = build_episode_row(header)
                    claimed = await moved_episodes.claim_lost_episode(connection, row, header.fence)
            except (AccountErased, ConsentWithdrawn):
                return
            if claimed is None:
                return
            is_recovered = False
            try:
                resumed = await self._describe(claimed, segments)
                if resumed is not None:
                    is_recovered = await self._sessions.recover(header.user_id, game, _find_options(header), resumed)
            except (ArcadeError, OSError) as error:
                log.warning("cannot recover an episode episode=%s: %s", header.episode_id, error)
            if is_recovered:
                self.n_recovered += 1
                log.info("recovered what a lost server had shipped episode=%s", header.episode_id)
                return
            async with transaction(self._engine) as connection:
                await moved_episodes.end_lost_episode(connection, header.episode_id)

    def _find_game(self, header: SegmentHeader) -> Manifest | None:
        """Return the game of an episode; None: this server has another version, or it does not begin at its seed."""
        game = self._catalogue.games.get(header.game_id)
        if (
            game is None
            or "branch" in header.provenance
            or hash_manifest(game, _find_options(header)) != header.provenance.get("manifest_sha256")
        ):
            return None
        return game

    async def _describe(self, claimed: LostEpisode, segments: Sequence[Segment]) -> ResumedEpisode | None:
        """Describe the episode for a game process; None: nothing was shipped that is not stored."""
        stored = claimed.stored
        if stored is not None:
            tail = find_tail(segments, stored)
            picture = await self._moves.digest_last_picture(stored)
            return describe_stored(stored, claimed.fence, picture, tail, is_over=True) if tail else None
        resumed = describe_unstored(segments[0].header, segments, claimed.fence, is_over=True)
        return resumed if resumed.tail else None


def _find_options(header: SegmentHeader) -> dict[str, str]:
    return dict(header.provenance.get("options", {}))
