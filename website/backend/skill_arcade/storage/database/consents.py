"""Queries about consent: documents, answers of players, withdrawals, and what an episode may be used for.

The caller owns the transaction. A scope is a purpose that a player allows: see `skill_arcade.consent.documents`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Row,
    and_,
    cast,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.consent.documents import SCOPES
from skill_arcade.errors import ConsentRequired, ConsentWithdrawn, SettingsError
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.boards import remove_player
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.work import WorkKind, request_work

_table = Table.metadata.tables
_document, _consent, _decision = _table["consent_document"], _table["consent"], _table["consent_decision"]
_episode, _user, _share = _table["episode"], _table["user"], _table["share"]
_participant = _table["participant"]
_answers = (_table["participant_answer"], _table["participant_exclusion"], _table["judgement"])
# The view, which the migrations own, so it is no part of the metadata.
_view = table("episode_consent", column("episode_id"), column("scope"), column("is_allowed", Boolean))
_IS_PENDING = (_consent.c.withdrawn != text("'{}'::jsonb"), _consent.c.time_processed.is_(None))
GIVEN, DECLINED, UNDERAGE = "given", "declined", "underage"
RESEARCH, PUBLICATION, BOARDS = SCOPES


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """A player's newest answer. `scopes` are those that are not withdrawn; `is_synthetic` is true for a program.

    `study` is the study whose document was answered, or None for the arcade's.
    """

    id: UUID | None
    decision: str | None
    version: int | None
    scopes: tuple[str, ...]
    time_decided: datetime | None
    is_synthetic: bool
    study: str | None = None


async def add_document(
    connection: AsyncConnection, sha256: str, content: Mapping[str, Any], study: str | None = None
) -> None:
    """Store a document on its first use: the arcade's, or that of a study.

    Raises:
        SettingsError: another text has the same version and language.
    """
    version, language = content["version"], content["language"]
    values = {"sha256": sha256, "version": version, "language": language, "content": dict(content)}
    await connection.execute(insert(_document).values(**values, study_name=study).on_conflict_do_nothing())
    stored = select(_document.c.sha256).where(
        _document.c.version == version,
        _document.c.language == language,
        _document.c.study_name.is_not_distinct_from(study),
    )
    if (await connection.execute(stored)).scalar_one() != sha256:
        raise SettingsError(
            f"The text of version {version} ({language}) in consent.yaml differs from the one that players have been "
            "asked with. Raise `version`, so that they are asked again."
        )


async def read_answer(connection: AsyncConnection, user_id: str) -> ConsentAnswer:
    """Return a player's newest answer, with None in its fields if there is none."""
    newest = (
        select(_consent, _document.c.version, _document.c.study_name)
        .join(_document, _document.c.sha256 == _consent.c.document_sha256)
        .where(_consent.c.user_id == _user.c.id)
        .order_by(_consent.c.id.desc())
        .limit(1)
        .lateral()
    )
    query = select(newest, _user.c.is_synthetic).select_from(_user).outerjoin(newest, text("true"))
    row = (await connection.execute(query.where(_user.c.id == user_id))).one_or_none()
    if row is None:
        return ConsentAnswer(None, None, None, (), None, is_synthetic=False)
    scopes = tuple(scope for scope in row.scopes or () if scope not in (row.withdrawn or {}))
    return ConsentAnswer(
        row.id,
        row.decision,
        row.version,
        scopes,
        row.time_decided,
        is_synthetic=row.is_synthetic,
        study=row.study_name,
    )


async def is_underage(connection: AsyncConnection, user_id: str) -> bool:
    """Return whether the player has once given a year of birth that does not allow recording."""
    query = select(_consent.c.id).where(_consent.c.user_id == user_id, _consent.c.decision == UNDERAGE).limit(1)
    return (await connection.execute(query)).first() is not None


async def list_active_scopes(connection: AsyncConnection, user_id: str) -> set[str]:
    """Return the scopes that some recording of the player may be used for: what can be withdrawn."""
    query = select(_consent.c.scopes, _consent.c.withdrawn).where(_consent.c.user_id == user_id)
    return {scope for row in await connection.execute(query) for scope in row.scopes if scope not in row.withdrawn}


async def add_answer(
    connection: AsyncConnection,
    user_id: str,
    *,
    document: str,
    decision: str,
    build: str,
    scopes: Sequence[str] = (),
    time_shown: datetime | None = None,
) -> UUID:
    """Store an answer, and return its id."""
    id_ = new_episode_id()
    values = {
        "id": id_,
        "user_id": user_id,
        "document_sha256": document,
        "decision": decision,
        "scopes": list(scopes),
        "withdrawn": {},
        "time_shown": time_shown,
        "build": build,
    }
    await connection.execute(insert(_consent).values(**values))
    return id_


async def withdraw_scopes(
    connection: AsyncConnection, user_id: str, scopes: Iterable[str], *, document: str, build: str
) -> None:
    """Withdraw scopes of everything that was recorded of a player. It takes effect with the end of the transaction.

    A consent without a scope left is erased by the eraser, with its episodes. Withdrawing all scopes also erases the
    episodes that have no consent on record. Withdrawing research ends a participation in a study, and deletes what the
    participant answered.
    """
    moment = datetime.now(UTC)
    stamps = {scope: moment.isoformat() for scope in sorted(set(scopes))}
    own = select(_consent).where(_consent.c.user_id == user_id).order_by(_consent.c.id).with_for_update()
    rows = (await connection.execute(own)).all()
    is_anything_left = False
    for row in rows:
        # The last row takes them all: episodes without a consent go by it (see the view `episode_consent`).
        is_last = row is rows[-1]
        new = {scope: at for scope, at in stamps.items() if scope not in row.withdrawn}
        new = new if is_last else {scope: at for scope, at in new.items() if scope in row.scopes}
        remaining = set(row.scopes) - set(row.withdrawn) - set(new)
        is_anything_left |= bool(remaining)
        if new:
            values: dict[str, Any] = {"withdrawn": {**row.withdrawn, **new}, "time_processed": None}
            if row.scopes and not remaining:
                values["time_withdrawn"] = moment
            await connection.execute(update(_consent).where(_consent.c.id == row.id).values(**values))
    if not is_anything_left:
        id_ = await add_answer(connection, user_id, document=document, decision=DECLINED, build=build)
        is_full = any(row.scopes for row in rows) or set(SCOPES) <= set(stamps)
        own_row = update(_consent).where(_consent.c.id == id_)
        await connection.execute(own_row.values(withdrawn=stamps, time_withdrawn=moment if is_full else None))
    await _request_withdrawals(connection, user_id)
    if BOARDS in stamps:
        await _end_sharing(connection, user_id)
    if RESEARCH in stamps:
        await _end_participation(connection, user_id)


async def has_withdrawal_since(connection: AsyncConnection, moment: datetime) -> bool:
    """Return whether anybody has withdrawn research, or closed their account, after a moment."""
    withdrawn = select(_consent.c.id).where(cast(_consent.c.withdrawn[RESEARCH].astext, DateTime(True)) > moment)
    erasure = _table["erasure"].c
    erased = select(erasure.user_id).where(erasure.time_created > moment)
    return bool(await connection.scalar(select(or_(exists(withdrawn), exists(erased)))))


async def check_consent(connection: AsyncConnection, consent_id: UUID, user_id: str) -> UUID | None:
    """Return the consent of a segment that is stored now; a withdrawal waits for the transaction's end.

    None if this player has no such consent: the episode then counts as without consent on record.

    Raises:
        ConsentWithdrawn: nothing of it is allowed any more.
    """
    query = select(_consent.c.time_withdrawn).where(_consent.c.id == consent_id, _consent.c.user_id == user_id)
    row = (await connection.execute(query.with_for_update(read=True))).one_or_none()
    if row is None:
        return None
    if row.time_withdrawn is not None:
        raise ConsentWithdrawn(f"The consent {consent_id} was withdrawn; its recordings are deleted and not stored.")
    return consent_id


def is_allowed(scope: str) -> ColumnElement[bool]:
    """Return a condition on `episode`: the episode may be used for this scope."""
    return exists(
        select(_view.c.episode_id).where(
            _view.c.episode_id == _episode.c.id, _view.c.scope == scope, _view.c.is_allowed
        )
    )


async def allows(connection: AsyncConnection, episode_id: UUID, scope: str) -> bool:
    """Return whether an episode may be used for this scope; False if it does not exist."""
    query = text("SELECT is_allowed FROM episode_consent WHERE episode_id = :episode AND scope = :scope")
    return bool((await connection.execute(query, {"episode": episode_id, "scope": scope})).scalar())


async def may_research(connection: AsyncConnection, episode_id: UUID) -> bool:
    """Return whether researchers may see an episode: its player allows research, or is a program."""
    query = text('SELECT u.is_synthetic FROM episode e JOIN "user" u ON u.id = e.user_id WHERE e.id = :episode')
    is_program = (await connection.execute(query, {"episode": episode_id})).scalar()
    return bool(is_program) or await allows(connection, episode_id, RESEARCH)


async def require_scope(connection: AsyncConnection, episode_id: UUID, scope: str, message: str) -> None:
    """Raise ConsentRequired with this message unless an episode may be used for this scope."""
    if not await allows(connection, episode_id, scope):
        raise ConsentRequired(message)


async def find_pending(connection: AsyncConnection, consent_id: UUID) -> Row[Any] | None:
    """Return a consent with a withdrawal that is not carried out yet, with its document; None if it has none."""
    query = select(_consent, _document.c.content).join(_document, _document.c.sha256 == _consent.c.document_sha256)
    return (await connection.execute(query.where(_consent.c.id == consent_id, *_IS_PENDING))).one_or_none()


async def list_consents(connection: AsyncConnection, user_id: str) -> list[UUID]:
    """Return the ids of a player's consents."""
    return list((await connection.execute(select(_consent.c.id).where(_consent.c.user_id == user_id))).scalars())


async def is_withdrawn(connection: AsyncConnection, episode_id: UUID) -> bool:
    """Return whether the consent of an episode was withdrawn, so that the episode is being erased."""
    own = or_(
        _consent.c.id == _episode.c.consent_id,
        and_(
            _episode.c.consent_id.is_(None),
            _consent.c.user_id == _episode.c.user_id,
            _consent.c.decision == DECLINED,
            _consent.c.time_decided >= _episode.c.time_created,
        ),
    )
    query = select(_episode.c.id).join(_consent, own)
    query = query.where(_episode.c.id == episode_id, _consent.c.time_withdrawn.is_not(None))
    return (await connection.execute(query.limit(1))).first() is not None


async def list_withdrawn_episodes(connection: AsyncConnection, consent: Row[Any], limit: int) -> list[UUID]:
    """Return up to `limit` episodes that a fully withdrawn consent (a row of `consent`) does not allow to keep."""
    of_consent: ColumnElement[bool] = _episode.c.consent_id == consent.id
    if consent.decision == DECLINED:
        without = and_(
            _episode.c.consent_id.is_(None),
            _episode.c.user_id == consent.user_id,
            _episode.c.time_created <= consent.time_decided,
        )
        of_consent = or_(of_consent, without)
    query = select(_episode.c.id).where(of_consent).order_by(_episode.c.id).limit(limit)
    return list((await connection.execute(query)).scalars())


async def finish_withdrawal(connection: AsyncConnection, consent: Row[Any]) -> None:
    """Note that a withdrawal was carried out, unless a newer one has been made meanwhile."""
    same = (_consent.c.id == consent.id, _consent.c.withdrawn == consent.withdrawn)
    await connection.execute(update(_consent).where(*same).values(time_processed=func.now()))


WITHDRAWAL_FIELDS = ("id", "user_id", "document_sha256", "decision", "scopes", "withdrawn", "build")
WITHDRAWAL_TIMES = ("time_decided", "time_withdrawn")


def describe_withdrawal(consent: Row[Any]) -> dict[str, Any]:
    """Return a consent of `find_pending` as JSON, for `reopen_withdrawal`."""
    fields = {name: consent._mapping[name] for name in WITHDRAWAL_FIELDS}
    times = {name: None if (at := consent._mapping[name]) is None else at.isoformat() for name in WITHDRAWAL_TIMES}
    return {**fields, **times, "id": str(consent.id), "content": consent.content}


async def reopen_withdrawal(connection: AsyncConnection, fields: Mapping[str, Any]) -> bool:
    """Withdraw again what a restored database has as allowed. Return False if it has nothing of it.

    `fields` are those of `describe_withdrawal`. The consent itself may be newer than the restored database.
    """
    known = select(_user.c.id).where(_user.c.id == fields["user_id"])
    if (await connection.execute(known)).first() is None:
        return False
    times = {name: fields[name] and datetime.fromisoformat(fields[name]) for name in WITHDRAWAL_TIMES}
    row = {name: fields[name] for name in WITHDRAWAL_FIELDS} | times | {"id": UUID(fields["id"])}
    document = {name: fields["content"][name] for name in ("version", "language")}
    document |= {"sha256": fields["document_sha256"], "content": fields["content"]}
    await connection.execute(insert(_document).values(**document).on_conflict_do_nothing())
    inserted = insert(_consent).values(**row).on_conflict_do_nothing().returning(_consent.c.id)
    if (await connection.execute(inserted)).first() is None:
        stored = select(_consent).where(_consent.c.id == row["id"]).with_for_update()
        old = (await connection.execute(stored)).one()
        if fields["withdrawn"].items() <= old.withdrawn.items():
            return False
        values: dict[str, Any] = {"withdrawn": {**old.withdrawn, **fields["withdrawn"]}, "time_processed": None}
        if times["time_withdrawn"] is not None:
            values["time_withdrawn"] = times["time_withdrawn"]
        await connection.execute(update(_consent).where(_consent.c.id == row["id"]).values(**values))
    await _request_withdrawals(connection, fields["user_id"])
    if BOARDS in fields["withdrawn"]:
        await _end_sharing(connection, fields["user_id"])
    if RESEARCH in fields["withdrawn"]:
        await _end_participation(connection, fields["user_id"])
    return True


async def _request_withdrawals(connection: AsyncConnection, user_id: str) -> None:
    pending = select(_consent.c.id).where(_consent.c.user_id == user_id, *_IS_PENDING).order_by(_consent.c.id)
    consents = (await connection.execute(pending)).scalars()
    await request_work(connection, WorkKind.WITHDRAW, *(str(consent) for consent in consents))


async def _end_sharing(connection: AsyncConnection, user_id: str) -> None:
    """Take a player off leaderboards, and revoke the links to their episodes."""
    await remove_player(connection, user_id)
    links = update(_share).where(_share.c.user_id == user_id, _share.c.time_revoked.is_(None))
    await connection.execute(links.values(time_revoked=func.now()))


async def _end_participation(connection: AsyncConnection, user_id: str) -> None:
    """Delete the answers of a participant of a study, and free their place. An outcome that they have stays.

    Their judgements of clips are deleted, too. The stratum is made of answers, and exclusions of judgements on them.
    """
    own = _participant.c.user_id == user_id
    forgotten = {"stratum": None, "failed_checks": 0, "holds_slot": False}
    await connection.execute(update(_participant).where(own).values(**forgotten))
    is_running = _participant.c.time_ended.is_(None)
    ended = {"status": "no-consent", "time_ended": func.now()}
    await connection.execute(update(_participant).where(own, is_running).values(**ended))
    for answers in _answers:
        await connection.execute(delete(answers).where(answers.c.user_id == user_id))


async def add_decision(connection: AsyncConnection, scopes: Sequence[str], reason: str, before: datetime) -> None:
    """Store the owner's decision on episodes without a consent on record, and judge their leaderboards again."""
    values = {"id": new_episode_id(), "scopes": list(scopes), "reason": reason, "before": before}
    await connection.execute(insert(_decision).values(**values))
    await connection.execute(
        text(
            "INSERT INTO board_queue (episode_id) SELECT e.id FROM episode e JOIN board_player p USING (user_id) "
            "WHERE e.consent_id IS NULL AND e.time_ended IS NOT NULL "
            "AND EXISTS (SELECT FROM certificate c WHERE c.episode_id = e.id) ON CONFLICT DO NOTHING"
        )
    )


async def read_decision(connection: AsyncConnection) -> Row[Any] | None:
    """Return the owner's newest decision, or None."""
    return (await connection.execute(select(_decision).order_by(_decision.c.id.desc()).limit(1))).one_or_none()


async def count_consents(connection: AsyncConnection) -> list[Row[Any]]:
    """Return one row per scope: episodes that `allowed`, `refused` it, and that have `none` on record."""
    query = text(
        """
        SELECT scope, count(*) FILTER (WHERE is_allowed) AS allowed,
            count(*) FILTER (WHERE NOT is_allowed AND consent_id IS NOT NULL) AS refused,
            count(*) FILTER (WHERE NOT is_allowed AND consent_id IS NULL) AS none
        FROM episode_consent JOIN played_episode p ON p.id = episode_id
        GROUP BY scope ORDER BY scope DESC
        """
    )
    return list(await connection.execute(query))


async def forget_age(connection: AsyncConnection, user_id: str) -> int:
    """Delete a player's remembered refusals by age, so that they are asked again. Return their number."""
    own = delete(_consent).where(_consent.c.user_id == user_id, _consent.c.decision == UNDERAGE)
    return (await connection.execute(own)).rowcount
