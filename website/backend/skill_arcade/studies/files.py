"""Reads a study's file, checks it against the catalogue of games, and hashes it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from skill_arcade.errors import InvalidRequest, StudyError
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import ATARI_ID_PREFIX, Manifest
from skill_arcade.studies.schema import GamesStage, Study

EXAMPLES_FOLDER = Path(__file__).parent / "examples"
SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study as it was read. `sha256` is of its canonical JSON, which `content` is."""

    name: str
    sha256: str
    content: dict[str, Any]
    study: Study


def load_study(given: str, folder: Path, catalogue: Catalogue) -> StudyFile:
    """Read a study by the path of its file, or by its name in a folder or among the examples.

    Raises:
        StudyError: the file is missing or invalid; the message names file, field and reason.
    """
    path = find_study_file(given, folder)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        study = Study.model_validate(raw)
    except OSError as error:
        raise StudyError(f"Cannot read the study {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = "\n".join(f"{path}: {_describe_error(part)}" for part in error.errors()[:10])
        raise StudyError(f"{problems}\ndocs/studies.md describes the fields.") from None
    check_games(path, study, catalogue)
    content = study.model_dump(mode="json", by_alias=True)
    return StudyFile(path.stem, hash_study(content), content, study)


def find_study_file(given: str, folder: Path) -> Path:
    """Return the file of a path or of a name. Raises StudyError if there is none."""
    path = Path(given)
    if path.suffix == SUFFIX:
        return path
    candidates = [one / f"{given}{SUFFIX}" for one in (folder, EXAMPLES_FOLDER)]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise StudyError(f"There is no study {given!r}: neither {candidates[0]} nor an example with this name exists.")
    return found


def hash_study(content: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_games(path: Path, study: Study, catalogue: Catalogue) -> None:
    """Check that the catalogue has every game with its options.

    Raises:
        StudyError: it has not, or a game cannot have the amount or a condition that the stage gives it.
    """
    for number, stage in enumerate(study.stages):
        if not isinstance(stage, GamesStage):
            continue
        place = f"{path}: stages.{number}"
        try:
            found = catalogue.find(stage.game, stage.options)
        except InvalidRequest as error:
            raise StudyError(f"{place}.options: {error}") from error
        if found is None:
            raise StudyError(f"{place}.game: there is no game {stage.game!r}; GET /games lists the games.")
        if stage.amount.minutes is not None and found[0].pace.kind != "real-time":
            raise StudyError(f"{place}.amount.minutes: {found[0].name} waits for the player; give trials or frames.")
        if (problem := _find_condition_error(stage, found[0])) is not None:
            raise StudyError(f"{place}.{problem}")


def _find_condition_error(stage: GamesStage, game: Manifest) -> str | None:
    """Return why a condition cannot be imposed, as `field: reason`, or None.

    It is no part of the schema, because the server reads studies with it that an earlier version has opened.
    """
    if stage.lockstep and not game.environment.id.startswith(ATARI_ID_PREFIX):
        return f"lockstep: only Atari games can run in the page, and {game.name} is none."
    if stage.lockstep and (stage.max_trial_frames is not None or stage.amount.trials is None):
        return "lockstep: the page steps the game to its own end, so give trials, without max_trial_frames."
    if stage.sound and not game.environment.id.startswith(ATARI_ID_PREFIX):
        return f"sound: {game.name} has no sound."
    if stage.ghost and stage.amount.trials == 1:
        return "ghost: it is the last game of this stage, so the stage needs more than one."
    return None


def _describe_error(part: Any) -> str:
    """Return one error of the validation as `field: reason`. Names of kinds in unions are left out."""
    steps = [str(step) for step in part["loc"]]
    kept = [step for number, step in enumerate(steps) if not _is_kind(steps, number)]
    reason = str(part["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(kept)}: {reason}" if kept else reason


def _is_kind(steps: list[str], number: int) -> bool:
    """Return whether a step only names the kind of stage, question or recruiter that the validation has chosen."""
    follows_item = number > 1 and steps[number - 1].isdigit() and steps[number - 2] in ("stages", "elements")
    return follows_item or (number == 1 and steps[0] == "recruiter")
