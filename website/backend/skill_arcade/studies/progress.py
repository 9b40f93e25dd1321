"""Judges what a participant did in a stage. It is pure: the server stores, and decides nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from skill_arcade.errors import InvalidRequest
from skill_arcade.studies.allocation import order_stages
from skill_arcade.studies.schema import (
    LEADING_KINDS,
    Amount,
    GamesStage,
    InstructionsStage,
    Outcome,
    QuestionnaireStage,
    ReturnStage,
    ScreeningStage,
    Stage,
    Study,
)
from skill_arcade.studies.survey import check_answers

COMPLETE_ENDS = ("terminated", "truncated")
"""Reasons of an episode's end with which a trial counts. An episode that ended otherwise is kept, and repeated."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer: the next stage, another attempt, or the end of the participation."""

    is_passed: bool = True
    outcome: Outcome | None = None
    message: str = ""
    failed_checks: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    """What is stored."""


class DeviceMeasures(BaseModel):
    """What the page has measured in a screening. None means that a value was not measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refresh_hz: Annotated[float, Field(gt=0, le=1000)] | None = None
    round_trip_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    has_keyboard: bool = False
    rollover_keys: int = Field(0, ge=0, le=20)
    has_sound: bool = False


@dataclass(frozen=True, slots=True)
class PlayedTrial:
    """An episode of a stage, as far as it is stored."""

    n_steps: int
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class GamesProgress:
    """How much of a games stage is played. `trial` is the 0-based number of the next or running trial."""

    trial: int
    attempt: int
    """Number of earlier attempts at this trial that did not reach an end of the game."""
    frames_left: int | None
    """Steps until the amount is reached, or None if trials are counted."""
    is_done: bool


def plan_stages(study: Study, arm: str | None, sequence: int | None) -> list[Stage]:
    """Return the stages of a participant in their order. Without an arm: those before the draw, and the first after."""
    if arm is None:
        return list(study.stages[: study.draw_index() + 1])
    names = order_stages([stage.name for stage in study.stages], study.counterbalance, sequence)
    stages: list[Stage] = [study.find_stage(name) for name in names]
    return [stage for stage in stages if not getattr(stage, "arms", ()) or arm in getattr(stage, "arms", ())]


def needs_arm(stage: Stage) -> bool:
    """Return whether the arm must have been drawn before this stage."""
    return stage.kind not in LEADING_KINDS


def judge_screening(stage: ScreeningStage, given: Mapping[str, JsonValue]) -> Verdict:
    """Compare measures with what the stage requires.

    Raises:
        InvalidRequest: a measure is malformed.
    """
    try:
        measures = DeviceMeasures.model_validate(given)
    except ValueError as error:
        raise InvalidRequest("The measures of the device are malformed. Reload the page.") from error
    faults = list(_find_device_faults(stage, measures))
    data = {**measures.model_dump(), "faults": faults}
    if not faults:
        return Verdict(data=data)
    return Verdict(is_passed=False, outcome="incompatible-device", message=" ".join(faults), data=data)


def _find_device_faults(stage: ScreeningStage, measures: DeviceMeasures) -> Sequence[str]:
    faults = []
    low, high = stage.min_refresh_hz, stage.max_refresh_hz
    if low is not None or high is not None:
        hz = measures.refresh_hz
        if hz is None or (low is not None and hz < low) or (high is not None and hz > high):
            faults.append("The refresh rate of this screen does not fit.")
    if stage.max_round_trip_ms is not None and (
        measures.round_trip_ms is None or measures.round_trip_ms > stage.max_round_trip_ms
    ):
        faults.append("The connection is too slow.")
    if stage.keyboard and not measures.has_keyboard:
        faults.append("A keyboard is needed.")
    if measures.rollover_keys < stage.rollover_keys:
        faults.append(f"The keyboard must report {stage.rollover_keys} keys at once.")
    if stage.sound and not measures.has_sound:
        faults.append("Sound is needed.")
    return faults


def judge_instructions(stage: InstructionsStage, given: Mapping[str, JsonValue], attempt: int) -> Verdict:
    """Check the answers of the comprehension check. `attempt` is the 0-based number of this attempt."""
    wrong = [check.name for check in stage.checks if given.get(check.name) != check.correct]
    data = {"answers": {check.name: given.get(check.name) for check in stage.checks}, "wrong": wrong}
    if not wrong:
        return Verdict(data=data)
    if attempt + 1 >= stage.attempts:
        return Verdict(is_passed=False, outcome="screened-out", data=data)
    return Verdict(
        is_passed=False, message=f"{len(wrong)} of your answers were wrong. Read the pages again.", data=data
    )


def judge_questionnaire(stage: QuestionnaireStage, given: Mapping[str, JsonValue]) -> Verdict:
    """Check the answers of a questionnaire, and count failed attention checks.

    Raises:
        InvalidRequest: an answer is missing or does not fit.
    """
    check_answers(stage.survey, given)
    return Verdict(failed_checks=stage.survey.count_failed_checks(given), data={"answers": dict(given)})


def judge_return(stage: ReturnStage, since: datetime, now: datetime) -> Verdict:
    """Check that a participant comes back in time. `since` is the end of the stage before."""
    if now < since + timedelta(hours=stage.not_before_hours):
        return Verdict(is_passed=False, message="It is too early to continue.")
    if now >= since + timedelta(hours=stage.not_after_hours):
        return Verdict(is_passed=False, outcome="screened-out", message="The time to continue is over.")
    return Verdict()


def measure_games(amount: Amount, hz: float | None, played: Sequence[PlayedTrial]) -> GamesProgress:
    """Return how much is played. `played` are the stage's episodes, oldest first; `hz` is the game's step rate."""
    n_complete, attempt = 0, 0
    for trial in played:
        is_complete = trial.end_reason in COMPLETE_ENDS
        n_complete, attempt = (n_complete + 1, 0) if is_complete else (n_complete, attempt + 1)
    if amount.trials is not None:
        return GamesProgress(n_complete, attempt, None, is_done=n_complete >= amount.trials)
    wanted = amount.frames if amount.frames is not None else round((amount.minutes or 0) * 60 * (hz or 0))
    left = max(0, wanted - sum(trial.n_steps for trial in played))
    return GamesProgress(n_complete, attempt, left, is_done=left == 0)


def limit_trial(stage: GamesStage, progress: GamesProgress) -> int | None:
    """Return the number of steps after which the trial is truncated, or None if only the game ends it."""
    limits = [limit for limit in (stage.max_trial_frames, progress.frames_left) if limit is not None]
    return min(limits, default=None)


def find_stratum(study: Study, answers: Mapping[str, Any]) -> str:
    """Return the participant's stratum: question=answer, joined by semicolons; empty without strata."""
    return ";".join(f"{name}={answers.get(name)}" for name in study.stratify)
