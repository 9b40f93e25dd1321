"""`skill-arcade studies`: check a study's file, preview it, open and close it, and follow its participants."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.cli.study_data import read_study_tables, write_bonuses, write_table
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.studies import (
    add_code,
    add_exclusion,
    close_study,
    count_participants,
    count_places,
    list_studies,
    open_study,
    read_codes,
    read_newest,
)
from skill_arcade.studies.allocation import williams_square
from skill_arcade.studies.files import StudyFile, load_study
from skill_arcade.studies.preregistration import describe_conditions, render_preregistration
from skill_arcade.studies.progress import plan_stages
from skill_arcade.studies.schema import (
    OUTCOMES,
    GamesStage,
    InstructionsStage,
    QuestionnaireStage,
    Stage,
    Study,
    read_stored_study,
)

app = typer.Typer(no_args_is_help=True, help="Studies: check and preview a file, open, close, and follow participants.")
_Result = TypeVar("_Result")
Given = Annotated[str, typer.Argument(help="File of the study, or its name in STUDIES_FOLDER or among the examples.")]
Name = Annotated[str, typer.Argument(help="Name of a study that was opened.")]
ParticipantId = Annotated[str, typer.Argument(help="Id of the participant (user_id), or a unique prefix of it.")]
Reason = Annotated[str, typer.Option(help="Reason, in a sentence, such as: failed both attention checks.")]
CODE_BYTES, SECRET_BYTES = 6, 32


@app.command()
def check(study: Given) -> None:
    """Check a study's file, and print its hash. A fault is printed with file, field and reason."""
    found = _load(study, read_settings())
    n_participants = f"{found.study.quota} participants in {len(found.study.arms)} arms"
    typer.echo(f"{found.name}: OK, {len(found.study.stages)} stages, {n_participants}.\nsha256 {found.sha256}")


@app.command()
def preview(study: Given) -> None:
    """Print what the participants of each arm and order go through, stage by stage."""
    found = _load(study, read_settings())
    for arm in found.study.arms:
        for sequence in _list_sequences(found.study):
            order = "" if sequence is None else f", order {sequence}"
            typer.echo(f"\n{found.study.title}: arm {arm}{order}")
            grid = make_grid("stage", "kind", "what")
            for stage in plan_stages(found.study, arm, sequence):
                grid.add_row(stage.name, stage.kind, _summarize(stage))
            print_table(grid)


@app.command()
def preregister(study: Given) -> None:
    """Print a preregistration sheet in Markdown: what the file fixes, with its hash, and gaps for the rest."""
    typer.echo(render_preregistration(_load(study, read_settings())), nl=False)


@app.command("open")
def open_(
    study: Given,
    code: Annotated[
        list[str] | None,
        typer.Option(help="Completion code of the recruiter, such as complete=C1A2B3; may be repeated."),
    ] = None,
) -> None:
    """Accept participants. A changed file becomes a new version; those who have begun keep theirs.

    Codes that are not given are drawn once. Enter them at the recruiter.
    """
    settings = read_settings()
    found, codes = _load(study, settings), _read_codes(code or [])
    if found.study.recruiter.kind == "sona" and "complete" not in codes:
        codes |= _require_sona_token(settings, found.name)

    async def work(connection: AsyncConnection) -> tuple[int, bool, dict[str, str]]:
        number, is_new = await open_study(
            connection,
            found.name,
            sha256=found.sha256,
            content=found.content,
            secret=secrets.token_hex(SECRET_BYTES),
        )
        for outcome in OUTCOMES:
            value = codes.get(outcome, secrets.token_hex(CODE_BYTES).upper())
            await add_code(connection, found.name, outcome, value, replace=outcome in codes)
        return number, is_new, await read_codes(connection, found.name)

    number, is_new, stored = asyncio.run(_run(work, settings))
    typer.echo(f"The study {found.name!r} is open as version {number}{'' if is_new else ', which it had before'}.")
    typer.echo(f"Participants open /study/{found.name} on the page of this arcade.")
    grid = make_grid("outcome", "code")
    for outcome in OUTCOMES:
        grid.add_row(outcome, stored[outcome])
    print_table(grid)


@app.command()
def close(name: Name) -> None:
    """Accept no new participants. Those who have begun can finish."""
    asyncio.run(_run(lambda connection: close_study(connection, name)))
    typer.echo(f"The study {name!r} is closed. Participants who have begun can finish.")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="Name of a study; none given: all are listed.")] = None,
) -> None:
    """List the studies, or the participants of one by arm, status and stage."""
    if name is None:
        studies = asyncio.run(_run(list_studies))
        grid = make_grid("study", "status", "version", "title")
        for row in studies:
            grid.add_row(row.name, row.status, str(row.version), row.title)
        print_table(grid)
        return
    asyncio.run(_run(lambda connection: _print_status(connection, name)))


@app.command()
def pilot(
    name: Name,
    participants: Annotated[int, typer.Option(min=1, max=100_000, help="Number of simulated participants.")] = 20,
    drop_out: Annotated[
        float, typer.Option("--drop-out", min=0, max=1, help="Share of them that leave at a random stage.")
    ] = 0.0,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=200, help="Participants at the same time.")] = 8,
    url: Annotated[str, typer.Option(help="Address of the running arcade.")] = "http://localhost:8080",
    seed: Annotated[int, typer.Option(help="Seed of all random decisions.")] = 0,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="Press controls in real time, instead of stepping as fast as possible.")
    ] = False,
) -> None:
    """Walk an open study with simulated participants: consent, screening, games, questionnaires, completion.

    They use HTTP and sockets as a page does, and are marked as programs: they take no place of a person, get no
    completion code, and are in no download or export. Games wait for their actions, except trials with delays, which
    take the time that they take people.
    """
    from skill_arcade.cli.study_pilot import report_pilot  # noqa: PLC0415  (its HTTP client takes half a second)

    choices = {"participants": participants, "drop_out": drop_out, "at_once": at_once, "seed": seed}
    report_pilot(name, url, **choices, is_real_time=real_time)


@app.command()
def exclude(name: Name, participant: ParticipantId, reason: Reason) -> None:
    """Exclude a participant from the analysis, with a reason. Nothing is deleted; `include` takes it back."""
    typer.echo(f"{_decide(name, participant, reason, is_excluded=True)} is excluded.")


@app.command()
def include(name: Name, participant: ParticipantId, reason: Reason) -> None:
    """Include a participant again, with a reason."""
    typer.echo(f"{_decide(name, participant, reason, is_excluded=False)} is included.")


def _decide(name: str, participant: str, reason: str, *, is_excluded: bool) -> str:
    if not reason.strip():
        raise InvalidRequest("--reason: give a reason in a sentence.")
    return asyncio.run(
        _run(lambda connection: add_exclusion(connection, name, participant, reason.strip(), is_excluded=is_excluded))
    )


@app.command()
def download(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="New folder for the three files.", metavar="FOLDER")],
    of_pilot: Annotated[
        bool, typer.Option("--pilot", help="Write the simulated participants of pilots, and nobody else.")
    ] = False,
) -> None:
    """Write participants, answers and trials of a study as CSV, for those who allow research.

    Recruiters' ids are in none of them. `skill-arcade export` has the recordings, never those of pilots.
    """
    if folder.exists():
        raise InvalidRequest(f"{folder} exists already. Name a new folder.")

    tables = asyncio.run(_run(lambda connection: read_study_tables(connection, name, programs=of_pilot)))
    folder.mkdir(parents=True)
    for file, (fields, lines) in tables.items():
        write_table(folder / f"{file}.csv", fields, lines)
        typer.echo(f"{folder / file}.csv: {len(lines)} rows")


@app.command()
def bonus(
    name: Name,
    grants: Annotated[
        Path, typer.Argument(help="CSV of user_id,amount: the total bonus of each participant.", metavar="GRANTS")
    ],
    out: Annotated[Path, typer.Argument(help="New file for the recruiter: participant_id,amount.", metavar="FILE")],
) -> None:
    """Write the bonuses of participants with their ids at the recruiter, to be pasted there.

    An amount is a total: a participant who got a part of it by an earlier file gets the rest. So the same command
    again pays nobody twice. The file has ids of persons: delete it when it is pasted.
    """
    try:
        text = grants.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"Cannot read {grants}: {error}.") from error
    count = asyncio.run(_run(lambda connection: write_bonuses(connection, name, text, out)))
    typer.echo(f"{out}: {count} bonuses")


async def _print_status(connection: AsyncConnection, name: str) -> None:
    row = await read_newest(connection, name)
    if row is None:
        raise NotFound(f"The study {name!r} was never opened.")
    study = read_stored_study(row.content)
    grid = make_grid("arm", "status", "stage", "participants")
    for line in await count_participants(connection, name):
        grid.add_row(line.arm or "not drawn", line.status, str(line.stage), str(line.count))
    if grid.row_count:
        print_table(grid)
    else:
        typer.echo("Nobody has taken part yet. Programs of a pilot are not counted.")
    places = await count_places(connection, name)
    typer.echo(f"{row.status}, version {row.number}: {places} of {study.quota} places are complete or active.")


def _load(given: str, settings: Settings) -> StudyFile:
    return load_study(given, settings.studies_folder, load_catalogue(settings.games_folder))


def _read_codes(given: list[str]) -> dict[str, str]:
    codes: dict[str, str] = {}
    for one in given:
        outcome, _, value = one.partition("=")
        if outcome not in OUTCOMES or not value.strip():
            raise InvalidRequest(f"--code {one}: write OUTCOME=CODE, with one of {', '.join(OUTCOMES)}.")
        codes[outcome] = value.strip()
    return codes


def _require_sona_token(settings: Settings, name: str) -> dict[str, str]:
    """Return the stored credit token, because nobody else can draw one."""
    stored = asyncio.run(_run(lambda connection: read_codes(connection, name), settings))
    if "complete" not in stored:
        raise InvalidRequest("SONA grants credit by its own token: give it by --code complete=TOKEN.")
    return {"complete": stored["complete"]}


def _list_sequences(study: Study) -> list[int | None]:
    return list(range(len(williams_square(len(study.counterbalance))))) if study.counterbalance else [None]


def _summarize(stage: Stage) -> str:
    if isinstance(stage, GamesStage):
        amount = ", ".join(f"{value:g} {name}" for name, value in stage.amount.model_dump(exclude_none=True).items())
        options = "".join(f", {name} {value}" for name, value in stage.options.items())
        seeds = f"{len(stage.seed_list)} listed" if stage.seed_list else stage.seeds
        return f"{stage.game}{options}: {amount}, seeds {seeds}{describe_conditions(stage)}"
    if isinstance(stage, InstructionsStage):
        return f"{len(stage.pages)} pages, {len(stage.checks)} checks, {stage.attempts} attempts"
    if isinstance(stage, QuestionnaireStage):
        questions = list(stage.survey.questions())
        return f"{len(questions)} questions, {stage.survey.count_checks()} of them attention checks"
    if stage.kind == "return":
        return f"{stage.not_before_hours:g} to {stage.not_after_hours:g} hours later"
    return ""


async def _run(work: Callable[[AsyncConnection], Awaitable[_Result]], settings: Settings | None = None) -> _Result:
    async with open_engine(settings or read_settings()) as engine, transaction(engine) as connection:
        return await work(connection)
