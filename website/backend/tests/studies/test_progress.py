"""What follows from a participant's answer, without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skill_arcade.errors import InvalidRequest
from skill_arcade.studies.progress import (
    PlayedTrial,
    judge_instructions,
    judge_questionnaire,
    judge_return,
    judge_screening,
    limit_trial,
    measure_games,
    plan_stages,
)
from skill_arcade.studies.schema import (
    Amount,
    GamesStage,
    InstructionsStage,
    QuestionnaireStage,
    ReturnStage,
    ScreeningStage,
    Study,
)
from tests.support.studies import make_study

SCREENING = ScreeningStage(
    kind="screening", min_refresh_hz=58, max_refresh_hz=62, max_round_trip_ms=100, rollover_keys=3, sound=True
)
FITTING: dict[str, Any] = {"refresh_hz": 60, "round_trip_ms": 20, "rollover_keys": 3, "has_sound": True}
STUDY = Study.model_validate(make_study())


def test_device_that_fits_passes_and_its_measures_are_stored() -> None:
    verdict = judge_screening(SCREENING, FITTING)
    assert verdict.is_passed
    assert verdict.data["refresh_hz"] == 60


@pytest.mark.parametrize(
    "change",
    [
        {"refresh_hz": 144},
        {"refresh_hz": 50},
        {"refresh_hz": None},
        {"round_trip_ms": 101},
        {"round_trip_ms": None},
        {"rollover_keys": 2},
        {"has_sound": False},
    ],
)
def test_device_that_does_not_fit_ends_the_participation(change: dict[str, Any]) -> None:
    verdict = judge_screening(SCREENING, FITTING | change)
    assert (verdict.is_passed, verdict.outcome) == (False, "incompatible-device")
    assert len(verdict.data["faults"]) == 1


def test_screening_without_requirements_passes_everything_and_refuses_malformed_measures() -> None:
    assert judge_screening(ScreeningStage(kind="screening"), {}).is_passed
    with pytest.raises(InvalidRequest):
        judge_screening(SCREENING, FITTING | {"refresh_hz": "fast"})


def test_comprehension_check_repeats_and_then_screens_out() -> None:
    stage = next(one for one in STUDY.stages if isinstance(one, InstructionsStage))
    assert judge_instructions(stage, {"key": "left"}, 0).is_passed
    first, last = judge_instructions(stage, {"key": "right"}, 0), judge_instructions(stage, {}, 1)
    assert (first.is_passed, first.outcome) == (False, None)
    assert (last.is_passed, last.outcome) == (False, "screened-out")


def test_questionnaire_counts_failed_attention_checks() -> None:
    stage = next(one for one in STUDY.stages if isinstance(one, QuestionnaireStage))
    assert judge_questionnaire(stage, {"fun": 3, "check-1": 1, "check-2": 5}).failed_checks == 1
    with pytest.raises(InvalidRequest, match="Fun"):
        judge_questionnaire(stage, {})


def test_return_is_accepted_in_its_window_only() -> None:
    stage = ReturnStage(kind="return", name="night", not_before_hours=12, not_after_hours=48)
    since = datetime(2026, 12, 1, tzinfo=UTC)
    verdicts = [judge_return(stage, since, since + timedelta(hours=hours)) for hours in (11, 12, 47, 48)]
    assert [(one.is_passed, one.outcome) for one in verdicts] == [
        (False, None),
        (True, None),
        (True, None),
        (False, "screened-out"),
    ]


def played(*trials: tuple[int, str]) -> list[PlayedTrial]:
    return [PlayedTrial(n_steps, reason) for n_steps, reason in trials]


def test_trials_count_only_to_the_end_of_the_game() -> None:
    amount = Amount(trials=2)
    begun = measure_games(amount, None, played((9, "terminated"), (5, "left"), (3, "crashed")))
    assert (begun.trial, begun.attempt, begun.is_done) == (1, 2, False)
    assert measure_games(amount, None, played((9, "terminated"), (5, "left"), (9, "truncated"))).is_done


def test_frames_and_minutes_count_every_step() -> None:
    progress = measure_games(Amount(minutes=1), 60, played((3000, "terminated"), (500, "left")))
    assert (progress.frames_left, progress.is_done) == (100, False)
    assert measure_games(Amount(frames=3500), None, played((3000, "terminated"), (500, "left"))).is_done


def test_trial_is_limited_by_what_is_left() -> None:
    def limit(amount: Amount, maximum: int | None, *trials: tuple[int, str]) -> int | None:
        stage = GamesStage(kind="games", name="play", game="x", amount=amount, max_trial_frames=maximum)
        return limit_trial(stage, measure_games(amount, None, played(*trials)))

    assert limit(Amount(trials=1), None) is None
    assert limit(Amount(trials=1), 50) == 50
    assert limit(Amount(frames=70), 50) == 50
    assert limit(Amount(frames=70), 50, (50, "truncated")) == 20


def test_plan_ends_at_the_draw_and_then_has_the_stages_of_the_arm() -> None:
    content = make_study()
    content["stages"][3]["arms"] = ["a"]
    study = Study.model_validate(content)
    assert [stage.name for stage in plan_stages(study, None, None)] == ["consent", "screening", "how"]
    assert "warm-up" in [stage.name for stage in plan_stages(study, "a", None)]
    assert "warm-up" not in [stage.name for stage in plan_stages(study, "b", None)]
