"""Queries about studies and their participants. The caller owns the transaction."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.consents import RESEARCH, is_allowed
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_study, _version, _code = _table["study"], _table["study_version"], _table["study_code"]
_participant, _identity, _answer = (
    _table["participant"],
    _table["participant_identity"],
    _table["participant_answer"],
)
_exclusion = _table["participant_exclusion"]
_episode, _consent = _table["episode"], _table["consent"]
TRIAL_COLUMNS = (
    *("episode_id", "player_id", "study", "version", "arm", "sequence", "stage", "trial", "attempt"),
    *("is_practice", "is_complete", "is_excluded", "input_delay_ms", "frame_delay_ms"),
    *("sound", "ghost", "lockstep"),
)
# The view, which the migrations own, so it is no part of the metadata.
_view = table("study_episode", *(column(name) for name in TRIAL_COLUMNS))
PARTICIPANT_COLUMNS = (
    *("status", "stage", "failed_checks", "stratum", "arm", "sequence"),
    *("time_created", "time_active", "time_ended"),
)
EXCLUSION_COLUMNS = ("is_excluded", "exclusion_reason")
_RESULT_COLUMNS = ("game_id", "seed", "n_steps", "score", "status", "end_reason", "time_created", "time_ended")
STUDY_TRIAL_COLUMNS = (*TRIAL_COLUMNS, *_RESULT_COLUMNS)
OPEN, CLOSED = "open", "closed"
ACTIVE, EXPIRED, COMPLETE = "active", "expired", "complete"


async def open_study(
    connection: AsyncConnection, name: str, *, sha256: str, content: Mapping[str, Any], secret: str
) -> tuple[int, bool]:
    """Open a study with this content. Return the number of its version, and whether the version is new.

    `secret` counts only for a study that was never opened before.
    """
    opened = insert(_study).values(name=name, status=OPEN, secret=secret)
    reopened = opened.on_conflict_do_update(index_elements=["name"], set_={"status": OPEN, "time_closed": None})
    await connection.execute(reopened)  # the row is locked until the transaction ends
    found = select(_version.c.id, _version.c.number, _version.c.sha256).where(_version.c.study_name == name)
    versions = (await connection.execute(found.order_by(_version.c.number))).all()
    if versions and versions[-1].sha256 == sha256:
        return versions[-1].number, False
    number = versions[-1].number + 1 if versions else 1
    values = {"id": new_episode_id(), "study_name": name, "number": number, "sha256": sha256, "content": dict(content)}
    await connection.execute(insert(_version).values(**values))
    return number, True


async def add_code(connection: AsyncConnection, name: str, outcome: str, code: str, *, replace: bool) -> None:
    """Store the completion code of an outcome. An existing one is kept unless `replace`."""
    values = insert(_code).values(study_name=name, outcome=outcome, code=code)
    keys = ["study_name", "outcome"]
    if replace:
        await connection.execute(values.on_conflict_do_update(index_elements=keys, set_={"code": code}))
    else:
        await connection.execute(values.on_conflict_do_nothing())


async def read_codes(connection: AsyncConnection, name: str) -> dict[str, str]:
    """Return the completion codes by outcome."""
    rows = await connection.execute(select(_code.c.outcome, _code.c.code).where(_code.c.study_name == name))
    return {row.outcome: row.code for row in rows}


async def close_study(connection: AsyncConnection, name: str) -> None:
    """Accept no new participants. Raises NotFound if the study was never opened."""
    change = update(_study).where(_study.c.name == name).values(status=CLOSED, time_closed=func.now())
    if not (await connection.execute(change)).rowcount:
        raise NotFound(f"The study {name!r} was never opened.")


async def list_studies(connection: AsyncConnection) -> list[Row[Any]]:
    """Return all studies (`name, status, version, title`) with their newest version, by name."""
    newest = (
        select(_version.c.number, _version.c.content)
        .where(_version.c.study_name == _study.c.name)
        .order_by(_version.c.number.desc())
        .limit(1)
        .lateral()
    )
    columns = (
        _study.c.name,
        _study.c.status,
        newest.c.number.label("version"),
        newest.c.content["title"].astext.label("title"),
    )
    return list(await connection.execute(select(*columns).join(newest, text("true")).order_by(_study.c.name)))


async def read_newest(connection: AsyncConnection, name: str, *, lock: bool = False) -> Row[Any] | None:
    """Return a study (`status, secret, version_id, number, content, now`) in its newest version; None: never opened.

    `lock` locks the study until the transaction ends, so that one participant after the other is drawn.
    """
    query = (
        select(
            _study.c.status,
            _study.c.secret,
            _version.c.id.label("version_id"),
            _version.c.number,
            _version.c.content,
            func.now().label("now"),
        )
        .join(_version, _version.c.study_name == _study.c.name)
        .where(_study.c.name == name)
        .order_by(_version.c.number.desc())
        .limit(1)
    )
    return (await connection.execute(query.with_for_update(of=_study) if lock else query)).one_or_none()


async def find_participant(
    connection: AsyncConnection, name: str, *, external_id: str | None = None, resume_sha256: str | None = None
) -> str | None:
    """Return the user id of a participant by the recruiter's id, or by the hash of their own link's token."""
    if external_id is not None:
        query = select(_identity.c.user_id).where(
            _identity.c.study_name == name, _identity.c.external_id == external_id
        )
    else:
        query = select(_participant.c.user_id).where(
            _participant.c.study_name == name, _participant.c.resume_sha256 == resume_sha256
        )
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def add_participant(
    connection: AsyncConnection,
    user_id: str,
    name: str,
    version_id: UUID,
    resume_sha256: str,
    *,
    external_id: str | None = None,
    details: Mapping[str, str] | None = None,
    is_synthetic: bool = False,
) -> None:
    """Insert a participant, and their ids at the recruiter if there is one. The user must exist."""
    values = {
        "user_id": user_id,
        "study_name": name,
        "version_id": version_id,
        "is_synthetic": is_synthetic,
        "status": ACTIVE,
        "resume_sha256": resume_sha256,
    }
    await connection.execute(insert(_participant).values(**values))
    if external_id is not None:
        identity = {"user_id": user_id, "study_name": name, "external_id": external_id, "details": dict(details or {})}
        await connection.execute(insert(_identity).values(**identity))


async def read_participant(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> Row[Any] | None:
    """Return a participant with their study (`secret, number, content`) and identity; None: the user is none.

    `lock` locks the row until the transaction ends, so that an answer is judged once.
    """
    query = (
        select(
            _participant,
            _study.c.secret,
            _study.c.status.label("study_status"),
            _version.c.number,
            _version.c.content,
            _identity.c.external_id,
            _identity.c.details,
            func.now().label("now"),
        )
        .join(_study, _study.c.name == _participant.c.study_name)
        .join(_version, _version.c.id == _participant.c.version_id)
        .outerjoin(_identity, _identity.c.user_id == _participant.c.user_id)
        .where(_participant.c.user_id == user_id)
    )
    return (await connection.execute(query.with_for_update(of=_participant) if lock else query)).one_or_none()


async def update_participant(connection: AsyncConnection, user_id: str, **values: Any) -> None:
    """Change columns of a participant, and note the activity."""
    change = update(_participant).where(_participant.c.user_id == user_id)
    await connection.execute(change.values(time_active=func.now(), **values))


# A journal counts only while a server that writes it gives signs of life: otherwise nobody uploads it.
_REQUEST_SEAL = text("""
    UPDATE participant p SET is_seal_requested = true
    WHERE p.user_id = :user_id AND EXISTS (
        SELECT FROM server s WHERE s.journal_id = ANY (p.pending_journals) AND s.journal_id <> :journal_id
            AND s.time_ended IS NULL AND s.time_expires >= now())
    RETURNING p.user_id
""")


async def add_pending_journal(connection: AsyncConnection, user_id: str, journal_id: UUID) -> None:
    """Note that a journal gets recordings of a participant."""
    others = func.array_remove(_participant.c.pending_journals, journal_id)
    change = update(_participant).where(_participant.c.user_id == user_id)
    await connection.execute(change.values(pending_journals=func.array_append(others, journal_id)))


async def remove_pending_journal(connection: AsyncConnection, user_ids: Sequence[str], journal_id: UUID) -> None:
    """Note that everything of these participants in a journal is stored."""
    others = func.array_remove(_participant.c.pending_journals, journal_id)
    change = update(_participant).where(_participant.c.user_id.in_(user_ids))
    await connection.execute(change.values(pending_journals=others, is_seal_requested=false()))


async def list_pending(connection: AsyncConnection, journal_id: UUID) -> list[Row[Any]]:
    """Return the participants (`user_id, is_seal_requested`) of whom a journal may have recordings."""
    query = select(_participant.c.user_id, _participant.c.is_seal_requested).where(
        text("pending_journals <> '{}'"), literal(journal_id) == func.any(_participant.c.pending_journals)
    )
    return list(await connection.execute(query))


async def request_seal(connection: AsyncConnection, user_id: str, journal_id: UUID) -> bool:
    """Ask other servers to seal and store what they have of a participant. Return whether any may have something."""
    values = {"user_id": user_id, "journal_id": journal_id}
    return (await connection.execute(_REQUEST_SEAL, values)).one_or_none() is not None


async def list_inactive(connection: AsyncConnection, name: str, minutes: float) -> list[Row[Any]]:
    """Return participants with a place who did nothing for so many minutes, with the content of their version."""
    query = (
        select(_participant, _version.c.content)
        .join(_version, _version.c.id == _participant.c.version_id)
        .where(
            _participant.c.study_name == name,
            _participant.c.status == ACTIVE,
            _participant.c.time_active < func.now() - timedelta(minutes=minutes),
        )
    )
    return list(await connection.execute(query))


async def expire_participants(connection: AsyncConnection, user_ids: Sequence[str]) -> None:
    """Give the places of participants free who were inactive for too long."""
    change = update(_participant).where(_participant.c.user_id.in_(user_ids), _participant.c.status == ACTIVE)
    await connection.execute(change.values(status=EXPIRED, holds_slot=False))


async def count_places(connection: AsyncConnection, name: str) -> int:
    """Return the number of persons that count for the quota: complete, or active with a place."""
    query = select(func.count()).where(
        _participant.c.study_name == name, _participant.c.holds_slot, _participant.c.is_synthetic.is_(False)
    )
    return int((await connection.execute(query)).scalar_one())


async def take_slot(connection: AsyncConnection, name: str, stratum: str, *, is_synthetic: bool) -> int:
    """Return the lowest slot of a stratum that nobody, of persons or of programs, holds. The study must be locked."""
    held = select(_participant.c.slot).where(*_holders(name, stratum, is_synthetic=is_synthetic))
    taken = set((await connection.execute(held)).scalars())
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)


async def is_slot_held(connection: AsyncConnection, name: str, stratum: str, slot: int, *, is_synthetic: bool) -> bool:
    """Return whether somebody, of persons or of programs, holds this slot."""
    holders = _holders(name, stratum, is_synthetic=is_synthetic)
    query = select(_participant.c.user_id).where(*holders, _participant.c.slot == slot)
    return (await connection.execute(query)).first() is not None


async def list_sequences(
    connection: AsyncConnection, name: str, stratum: str, arm: str, *, is_synthetic: bool
) -> list[int]:
    """Return the orders of the persons, or of the programs, that hold a place in this stratum and arm."""
    holders = _holders(name, stratum, is_synthetic=is_synthetic)
    query = select(_participant.c.sequence).where(
        *holders, _participant.c.arm == arm, _participant.c.sequence.is_not(None)
    )
    return list((await connection.execute(query)).scalars())


def _holders(name: str, stratum: str, *, is_synthetic: bool) -> tuple[ColumnElement[bool], ...]:
    """Return conditions on `participant`: a person, or a program, that holds a place in this stratum."""
    return (
        _participant.c.study_name == name,
        _participant.c.stratum == stratum,
        _participant.c.holds_slot,
        _participant.c.is_synthetic.is_(is_synthetic),
    )


async def add_stage_answer(
    connection: AsyncConnection, participant: Row[Any], stage: str, data: Mapping[str, Any], *, is_passed: bool
) -> None:
    """Store what a participant did in a stage."""
    values = {
        "user_id": participant.user_id,
        "stage": stage,
        "attempt": participant.attempt,
        "is_passed": is_passed,
        "data": dict(data),
        "time_began": participant.time_stage,
    }
    await connection.execute(insert(_answer).values(**values).on_conflict_do_nothing())


async def read_answers(connection: AsyncConnection, user_id: str) -> dict[str, Any]:
    """Return the answers of all passed questionnaires by the name of the question."""
    query = select(_answer.c.data).where(_answer.c.user_id == user_id, _answer.c.is_passed)
    answers: dict[str, Any] = {}
    for data in (await connection.execute(query)).scalars():
        answers |= data.get("answers", {})
    return answers


async def list_trials(connection: AsyncConnection, user_id: str, stage: str) -> list[Row[Any]]:
    """Return the stored episodes (`id, n_steps, end_reason, time_ended`) of a stage, oldest first."""
    query = select(_episode.c.id, _episode.c.n_steps, _episode.c.end_reason, _episode.c.time_ended).where(
        _episode.c.user_id == user_id, _episode.c.provenance["study"]["stage"].astext == stage
    )
    return list(await connection.execute(query.order_by(_episode.c.id)))


async def add_exclusion(connection: AsyncConnection, name: str, prefix: str, reason: str, *, is_excluded: bool) -> str:
    """Store a decision on a participant of a study, given a unique prefix of their id. Return the id.

    Raises:
        NotFound: no participant of the study has this prefix.
        InvalidRequest: several have.
    """
    own = (_participant.c.study_name == name, _participant.c.user_id.startswith(prefix, autoescape=True))
    found = list((await connection.execute(select(_participant.c.user_id).where(*own).limit(2))).scalars())
    if not found:
        raise NotFound(f"The study {name!r} has no participant {prefix!r}.")
    if len(found) > 1:
        raise InvalidRequest(f"Several participants begin with {prefix!r}. Give more of the id.")
    values = {"id": new_episode_id(), "user_id": found[0], "is_excluded": is_excluded, "reason": reason}
    await connection.execute(insert(_exclusion).values(**values))
    return str(found[0])


async def list_versions(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the versions of a study (`number, content`), oldest first."""
    query = select(_version.c.number, _version.c.content).where(_version.c.study_name == name)
    return list(await connection.execute(query.order_by(_version.c.number)))


async def list_participants(connection: AsyncConnection, name: str, *, programs: bool = False) -> list[Row[Any]]:
    """Return the participants of a study who allow research, or its programs, without recruiters' ids."""
    newest = (
        select(_exclusion.c.is_excluded, _exclusion.c.reason)
        .where(_exclusion.c.user_id == _participant.c.user_id)
        .order_by(_exclusion.c.id.desc())
        .limit(1)
        .lateral()
    )
    query = (
        select(
            _participant.c.user_id,
            _version.c.number.label("version"),
            *(_participant.c[name] for name in PARTICIPANT_COLUMNS),
            func.coalesce(newest.c.is_excluded, text("false")).label("is_excluded"),
            newest.c.reason.label("exclusion_reason"),
        )
        .select_from(_participant)
        .outerjoin(newest, text("true"))
        .join(_version, _version.c.id == _participant.c.version_id)
        .where(_participant.c.study_name == name, _is_program() if programs else _allows_research())
        .order_by(_participant.c.time_created, _participant.c.user_id)
    )
    return list(await connection.execute(query))


async def list_answers(connection: AsyncConnection, name: str, *, programs: bool = False) -> list[Row[Any]]:
    """Return what the participants of a study who allow research, or its programs, did in its stages."""
    query = (
        select(_answer)
        .join(_participant, _participant.c.user_id == _answer.c.user_id)
        .where(_participant.c.study_name == name, _is_program() if programs else _allows_research())
        .order_by(_answer.c.user_id, _answer.c.time_created)
    )
    return list(await connection.execute(query))


async def list_study_trials(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the episodes of a study that may be used for research, with condition and result."""
    query = (
        select(_view, *(_episode.c[column] for column in _RESULT_COLUMNS))
        .join(_episode, _episode.c.id == _view.c.episode_id)
        .where(_view.c.study == name, is_allowed(RESEARCH))
        .order_by(_view.c.player_id, _episode.c.id)
    )
    return list(await connection.execute(query))


async def list_program_trials(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the episodes of a study's programs, with the columns of `list_study_trials`. Nobody is excluded."""
    study = _episode.c.provenance["study"]
    columns = {
        "episode_id": _episode.c.id,
        "player_id": _episode.c.user_id,
        "study": study["name"].astext,
        **{key: study[key].astext for key in ("version", "arm", "sequence", "stage", "trial", "attempt")},
        "is_practice": cast(study["practice"].astext, Boolean),
        "is_complete": func.coalesce(_episode.c.end_reason.in_(("terminated", "truncated")), false()),
        "is_excluded": false(),
        **{key: study[key].astext for key in ("input_delay_ms", "frame_delay_ms")},
        **{key: cast(study[key].astext, Boolean) for key in ("sound", "ghost", "lockstep")},
    }
    query = (
        select(*(columns[key].label(key) for key in TRIAL_COLUMNS), *(_episode.c[key] for key in _RESULT_COLUMNS))
        .join(_participant, _participant.c.user_id == _episode.c.user_id)
        .where(_participant.c.study_name == name, _is_program())
        .order_by(_episode.c.user_id, _episode.c.id)
    )
    return list(await connection.execute(query))


def _is_program() -> ColumnElement[bool]:
    return _participant.c.is_synthetic.is_(True)


def _allows_research() -> ColumnElement[bool]:
    """Return a condition on `participant`: a person whose consent has the scope research, not withdrawn."""
    consents = exists().where(
        _consent.c.user_id == _participant.c.user_id,
        _consent.c.scopes.contains([RESEARCH]),
        not_(_consent.c.withdrawn.has_key(RESEARCH)),
    )
    return and_(consents, _participant.c.is_synthetic.is_(False))


async def read_places(connection: AsyncConnection, user_ids: Sequence[str]) -> list[Row[Any]]:
    """Return where these participants are: `user_id, stratum, arm, status, stage, holds_slot`."""
    columns = ("user_id", "stratum", "arm", "status", "stage", "holds_slot")
    query = select(*(_participant.c[name] for name in columns)).where(_participant.c.user_id.in_(user_ids))
    return list(await connection.execute(query.order_by(_participant.c.time_created)))


async def count_participants(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the number of participants by arm, status and stage (`arm, status, stage, count`), without programs."""
    keys = (_participant.c.arm, _participant.c.status, _participant.c.stage)
    query = (
        select(*keys, func.count().label("count"))
        .where(_participant.c.study_name == name, _participant.c.is_synthetic.is_(False))
        .group_by(*keys)
        .order_by(*(key.nulls_first() for key in keys))
    )
    return list(await connection.execute(query))
