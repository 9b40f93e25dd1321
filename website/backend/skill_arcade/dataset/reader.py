"""The way in: which arcade, which episodes."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.source import Source
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.queries import EpisodeListItem
from skill_arcade.storage.database.tables import EpisodeStatus
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.storage.objects.disk import DiskObjects

PAGE = 200


class Dataset:
    """All episodes of an arcade. Close it, or use it in `with`; a process that ends closes it too."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def episodes(
        self,
        *,
        game: str | None = None,
        status: EpisodeStatus | str | None = None,
        user: str | None = None,
        certified: bool | None = None,
        where: str | None = None,
    ) -> Iterator[Episode]:
        """Episodes, newest first; read page by page, so a long list costs nothing until it is walked.

        Args:
            game: only of this game, by id.
            status: only `won`, `lost` or `incomplete`.
            user: only this player's, by id or e-mail.
            certified: True: only those whose newest re-run was the same in all; False: only the others.
            where: only those whose line of the view `episode_summary` fulfils this, in SQL: `"return > 10"`.

        Raises:
            ValueError: `status` is none of these.
            InvalidRequest: the database does not understand `where`.
            NotReady: the database does not answer.
        """
        wanted = None if status is None else EpisodeStatus(status)
        conditions = [] if where is None else [where]
        if certified is not None:
            conditions.append("certified" if certified else "NOT certified")
        chosen = " AND ".join(f"({condition})" for condition in conditions) or None
        return self._walk(user=user, game=game, status=wanted, where=chosen)

    def episode(self, id: UUID | str) -> Episode:
        """One episode, by its whole id or as many of its first digits as nobody else has.

        Raises:
            NotFound: there is none.
            InvalidRequest: several begin like this, or this is no id.
        """
        return Episode(self._source, self._source.find_episode(str(id)))

    def close(self) -> None:
        """Let go of the database; the embedded one stops if nobody else uses it."""
        self._source.close()

    def __enter__(self) -> Self:
        """Use it in `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _walk(self, **asked: Any) -> Iterator[Episode]:
        page: list[EpisodeListItem] = []
        while True:
            page = self._source.list_episodes(**asked, before=page[-1].id if page else None, limit=PAGE)
            yield from (Episode(self._source, line) for line in page)
            if len(page) < PAGE:
                return


def open_dataset(
    database_url: str | None = None,
    objects: str | Path | ObjectStore | None = None,
    *,
    settings: Settings | None = None,
) -> Dataset:
    """Open the recordings of an arcade. Only reads.

    Args:
        database_url: address of its Postgres; None: as the settings say (with none set, this machine's arcade).
        objects: its folder of objects, or an object store; None: as the settings say.
        settings: those that count; None: the environment's.

    Raises:
        SettingsError: a setting does not fit.
        NotReady: the database does not answer, or has no tables.
    """
    if settings is None:
        settings = read_settings() if database_url is None else read_settings(database_url=database_url)
    return Dataset(Source(settings, _choose_objects(settings, objects)))


def _choose_objects(settings: Settings, objects: str | Path | ObjectStore | None) -> ObjectStore:
    if objects is None:
        return open_objects(settings)
    return DiskObjects(Path(objects)) if isinstance(objects, str | Path) else objects
