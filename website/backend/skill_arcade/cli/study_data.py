"""What `skill-arcade studies` writes for researchers: the tables of a study, and bonuses for its recruiter."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.storage.database.bonuses import add_bonuses, list_payees
from skill_arcade.storage.database.studies import (
    EXCLUSION_COLUMNS,
    PARTICIPANT_COLUMNS,
    STUDY_TRIAL_COLUMNS,
    list_answers,
    list_participants,
    list_program_trials,
    list_study_trials,
    list_versions,
    read_newest,
)
from skill_arcade.storage.database.study_quality import (
    PARTICIPANT_QUALITY,
    TRIAL_QUALITY,
    list_participant_quality,
    list_trial_quality,
)
from skill_arcade.studies.bonus import Payee, find_payments, read_grants, render_payments
from skill_arcade.studies.schema import QuestionnaireStage, read_stored_study

PARTICIPANT_FIELDS = (
    *("user_id", "version", *PARTICIPANT_COLUMNS, *EXCLUSION_COLUMNS, "attention_checks"),
    *PARTICIPANT_QUALITY,
)
ANSWER_FIELDS = (*("user_id", "stage", "attempt", "is_passed", "time_began", "time_created", "question", "answer"),)
TRIAL_FIELDS = (*STUDY_TRIAL_COLUMNS, *TRIAL_QUALITY)
Lines = list[dict[str, Any]]


async def read_study_tables(
    connection: AsyncConnection, name: str, *, programs: bool = False
) -> dict[str, tuple[Sequence[str], Lines]]:
    """Return the columns and lines of each table, of people or of programs, whose quality is not measured.

    Raises:
        NotFound: the study was never opened.
    """
    if await read_newest(connection, name) is None:
        raise NotFound(f"The study {name!r} was never opened.")
    answers = await list_answers(connection, name, programs=programs)
    checks = _count_checks(await list_versions(connection, name))
    quality = {row.user_id: row._mapping for row in await list_participant_quality(connection, name)}
    participants = []
    for row in await list_participants(connection, name, programs=programs):
        asked = [one.stage for one in answers if one.user_id == row.user_id]
        n_checks = sum(checks.get((row.version, stage), 0) for stage in asked)
        participants.append({**row._mapping, "attention_checks": n_checks, **quality.get(row.user_id, {})})
    trial_quality = {row.episode_id: row._mapping for row in await list_trial_quality(connection, name)}
    list_trials = list_program_trials if programs else list_study_trials
    trials = [{**row._mapping, **trial_quality.get(row.episode_id, {})} for row in await list_trials(connection, name)]
    return {
        "participants": (PARTICIPANT_FIELDS, participants),
        "answers": (ANSWER_FIELDS, [line for row in answers for line in _split_answer(row)]),
        "trials": (TRIAL_FIELDS, trials),
    }


def write_table(path: Path, fields: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV with these columns, also if it has no line."""
    with path.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(fields)
        writer.writerows([_format_cell(line.get(field)) for field in fields] for line in lines)


async def write_bonuses(connection: AsyncConnection, name: str, grants: str, out: Path) -> int:
    """Write the file for the recruiter, and note in the database what it has. Return the number of its payments.

    The file is written before the transaction ends, so that nothing is noted that no file has.

    Raises:
        InvalidRequest: the grants are malformed, or cannot be paid.
        NotFound: the study was never opened.
    """
    if await read_newest(connection, name, lock=True) is None:
        raise NotFound(f"The study {name!r} was never opened.")
    payees = [Payee(row.user_id, row.external_id, row.paid) for row in await list_payees(connection, name)]
    payments = find_payments(read_grants(grants), payees)
    await add_bonuses(connection, {user_id: amount for user_id, (_, amount) in payments.items()})
    try:
        with out.open("x", encoding="utf-8") as output:
            output.write(render_payments(payments))
    except OSError as error:
        raise InvalidRequest(f"Cannot write {out}: {error.strerror}. Name a new file.") from error
    return len(payments)


def _count_checks(versions: Iterable[Row[Any]]) -> dict[tuple[int, str], int]:
    """Return the number of attention checks by version and questionnaire."""
    return {
        (row.number, stage.name): stage.survey.count_checks()
        for row in versions
        for stage in read_stored_study(row.content).stages
        if isinstance(stage, QuestionnaireStage)
    }


def _split_answer(row: Row[Any]) -> Iterator[dict[str, Any]]:
    """Return a line per question or measure of an answer."""
    data = row.data.get("answers", row.data)
    for question, answer in sorted(data.items()) or [("", None)]:
        yield {
            "user_id": row.user_id,
            "stage": row.stage,
            "attempt": row.attempt,
            "is_passed": row.is_passed,
            "time_began": row.time_began,
            "time_created": row.time_created,
            "question": question,
            "answer": answer,
        }


def _format_cell(value: Any) -> Any:
    """Return a value as it is written: times in ISO 8601, lists and objects as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
