"""Opens a dataset and lists its episodes."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.episodes import Episodes
from skill_arcade.dataset.source import Source
from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.consents import RESEARCH
from skill_arcade.storage.database.tables import EpisodeStatus
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.storage.objects.disk import DiskObjects

if TYPE_CHECKING:
    import pyarrow as pa

BUCKET_SCHEME = "gs://"


class Dataset:
    """All episodes of a database. Close it, or use it in a `with` statement."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def source(self) -> Source:
        """The source of the episodes, for callers that read other tables."""
        return self._source

    def episodes(
        self,
        *,
        game: str | None = None,
        status: EpisodeStatus | str | None = None,
        user: str | None = None,
        certified: bool | None = None,
        where: str | None = None,
        scope: str | None = RESEARCH,
    ) -> Episodes:
        """Return the episodes that their players allow to use, newest first: an iterator, and tables of them.

        Args:
            game: limits the list to one game, by id.
            status: limits the list to `won`, `lost` or `incomplete`.
            user: limits the list to one player, by id or e-mail.
            certified: if True, only episodes whose newest certificate says `certified`; if False, only the others.
            where: SQL condition on the columns of `episode_summary`, such as `"return > 10"`.
            scope: what the episodes are for: `research`, `publication` or `boards`. None yields all episodes, also
                those without consent; use it for maintenance only.

        Raises:
            ValueError: `status` is not a status.
            InvalidRequest: the database rejects `where`.
            NotReady: the database does not answer.
        """
        episode_status = None if status is None else EpisodeStatus(status)
        conditions = [] if where is None else [where]
        if certified is not None:
            conditions.append("certified" if certified else "NOT certified")
        condition = " AND ".join(f"({part})" for part in conditions) or None
        filters = {"user": user, "game": game, "status": episode_status, "where": condition, "scope": scope}
        return Episodes(self._source, filters)

    def query(self, sql: str) -> "pa.Table":
        """Return the rows of an SQL query, such as that of a chart of the research page. It cannot change anything.

        Raises:
            InvalidRequest: the database rejects the query.
            NotReady: the database does not answer.
        """
        import pyarrow as pa  # noqa: PLC0415  (see the module `arrow_schema`)

        columns, rows = self._source.query(sql)
        # Without rows the types are unknown, but the columns are not.
        return pa.Table.from_pylist(rows) if rows else pa.table({name: pa.nulls(0) for name in columns})

    def count_without(self, scope: str, where: str) -> int:
        """Return the number of episodes that match a condition and may not be used for a scope."""
        return self._source.count_without(scope, where)

    def allows(self, id: UUID, scope: str) -> bool:
        """Return whether an episode may be used for a scope now."""
        return self._source.allows(id, scope)

    def episode(self, id: UUID | str) -> Episode:
        """Return one episode, by its id or a unique prefix of it.

        Raises:
            NotFound: no id starts with `id`.
            InvalidRequest: several ids start with `id`, or it is not hexadecimal.
        """
        return Episode(self._source, self._source.find_episode(str(id)))

    def close(self) -> None:
        """Close the connections. The embedded Postgres stops if no other process uses it."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_dataset(
    database_url: str | None = None,
    objects: str | Path | ObjectStore | None = None,
    *,
    settings: Settings | None = None,
) -> Dataset:
    """Open recordings for reading.

    Args:
        database_url: URL of the Postgres; None uses the settings, whose default is this machine's embedded Postgres.
        objects: folder of the objects, a bucket as `gs://BUCKET/PREFIX`, or an object store; None uses the settings.
            A bucket needs Google's credentials on this machine, which may be those of a user who can read it.
        settings: settings to use; None reads them from the environment.

    Raises:
        SettingsError: a setting is invalid.
        InvalidRequest: the address of the bucket has no name.
        NotReady: the database does not answer, or has no tables, or there are no credentials for the bucket.
    """
    if settings is None:
        settings = read_settings() if database_url is None else read_settings(database_url=database_url)
    return Dataset(Source(settings, _choose_objects(settings, objects)))


def _choose_objects(settings: Settings, objects: str | Path | ObjectStore | None) -> ObjectStore:
    if objects is None:
        return open_objects(settings)
    if isinstance(objects, str) and objects.startswith(BUCKET_SCHEME):
        bucket, _, prefix = objects.removeprefix(BUCKET_SCHEME).partition("/")
        if not bucket:
            raise InvalidRequest(f"{objects} names no bucket. Use gs://BUCKET or gs://BUCKET/PREFIX.")
        # Imported only if needed: Google's client takes 0.5 s to import.
        from skill_arcade.storage.objects.google import GoogleObjects  # noqa: PLC0415

        return GoogleObjects(bucket, prefix=prefix.strip("/"), project=settings.gcp_project_name)
    return DiskObjects(Path(objects)) if isinstance(objects, str | Path) else objects
