"""Renders a preregistration sheet from a study's file: everything that the file fixes, and gaps for what it cannot."""

from collections.abc import Iterator

from skill_arcade.studies.allocation import williams_square
from skill_arcade.studies.files import StudyFile
from skill_arcade.studies.schema import (
    ConsentStage,
    GamesStage,
    InstructionsStage,
    QuestionnaireStage,
    ReturnStage,
    ScreeningStage,
    Stage,
    Study,
)

GAP = "_To be written before the first participant._"


def render_preregistration(file: StudyFile) -> str:
    """Return the sheet in Markdown. It names the hash of the file, so that a later change can be seen."""
    study = file.study
    sections = {
        "Hypotheses": [GAP],
        "Design": _describe_design(study),
        "Sample": _describe_sample(study),
        "Procedure": [f"{number}. {_describe_stage(stage)}" for number, stage in enumerate(study.stages, 1)],
        "Measures": _describe_measures(study),
        "Exclusions by the server": _describe_exclusions(study),
        "Exclusions by the analysis": [GAP],
        "Analysis": [GAP],
    }
    head = [
        f"# Preregistration: {study.title}\n",
        f"Study `{file.name}`, SHA-256 of its content `{file.sha256}`.",
        f"Contact: {study.contact}. Ethics: {study.ethics or 'none given'}.",
    ]
    return "\n".join([*head, *(f"\n## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())]) + "\n"


def _describe_design(study: Study) -> list[str]:
    total = sum(arm.weight for arm in study.arms.values())
    lines = [
        f"- Arm `{name}`{f' ({arm.label})' if arm.label else ''}: {arm.weight} of {total} participants."
        for name, arm in study.arms.items()
    ]
    strata = ", ".join(f"`{name}`" for name in study.stratify) or "none"
    block = total * study.block_repeats
    lines.append(f"- Allocation: permuted blocks of {block} within strata (strata: {strata}), by the server.")
    if study.counterbalance:
        n_orders = len(williams_square(len(study.counterbalance)))
        stages = ", ".join(f"`{name}`" for name in study.counterbalance)
        lines.append(f"- Within participants: {stages} in {n_orders} orders of a Williams square.")
    return lines


def _describe_sample(study: Study) -> list[str]:
    opens = study.opens.isoformat() if study.opens else "the opening by the researcher"
    closes = study.closes.isoformat() if study.closes else "the closing by the researcher"
    return [
        f"- Size: {study.quota} participants, counted as complete plus active.",
        f"- Stopping rule: when that many have completed, or at {closes}. It begins at {opens}.",
        f"- A participant without activity for {study.active_minutes:g} minutes is replaced in the same arm.",
        f"- Recruiter: {study.recruiter.kind}.",
    ]


def _describe_stage(stage: Stage) -> str:
    arms = getattr(stage, "arms", ())
    audience = f" (only {', '.join(arms)})" if arms else ""
    return f"`{stage.name}`, {stage.kind}{audience}{_describe_amount(stage)}"


def _describe_amount(stage: Stage) -> str:
    if isinstance(stage, ReturnStage):
        return f": {stage.not_before_hours:g} to {stage.not_after_hours:g} hours after the stage before"
    if not isinstance(stage, GamesStage):
        return ""
    amount = ", ".join(f"{value:g} {unit}" for unit, value in stage.amount.model_dump(exclude_none=True).items())
    options = "".join(f", {name} {value}" for name, value in stage.options.items())
    seeds = "fixed seeds" if stage.seed_list else f"{stage.seeds} seeds"
    limit = f", at most {stage.max_trial_frames} frames a trial" if stage.max_trial_frames else ""
    return f": {stage.game}{options}, {amount}{limit}, {seeds}{describe_conditions(stage)}"


def describe_conditions(stage: GamesStage) -> str:
    """Return what a stage imposes besides the game: delays, sound, ghost, lockstep. Empty: nothing."""
    delays = {"inputs": stage.input_delay_ms, "pictures": stage.frame_delay_ms}
    parts = [f"{name} delayed by {delay:g} ms" for name, delay in delays.items() if delay]
    if stage.sound is not None:
        parts.append("with sound" if stage.sound else "without sound")
    if stage.ghost:
        parts.append("with a ghost of the last game")
    if stage.lockstep:
        parts.append("in lockstep")
    return "".join(f", {part}" for part in parts)


def _describe_measures(study: Study) -> list[str]:
    lines = ["- Every frame, action, reward and time of the games, with seed and versions."]
    for stage in study.stages:
        if isinstance(stage, QuestionnaireStage):
            lines += [f"- `{stage.name}.{one.name}` ({one.type}): {one.title}" for one in stage.survey.questions()]
    return lines


def _describe_exclusions(study: Study) -> list[str]:
    lines = list(_list_exclusions(study))
    if study.max_failed_checks is not None:
        lines.append(f"- More than {study.max_failed_checks} failed attention checks.")
    return lines


def _list_exclusions(study: Study) -> Iterator[str]:
    for stage in study.stages:
        match stage:
            case ConsentStage():
                yield f"- No consent, or younger than {stage.minimum_age}."
            case ScreeningStage():
                fields = stage.model_dump(exclude={"kind", "name"}, exclude_defaults=True)
                yield f"- Device: {', '.join(f'{name} {value}' for name, value in fields.items()) or 'nothing'}."
            case InstructionsStage() if stage.checks:
                yield f"- `{stage.name}`: a wrong answer in all of {stage.attempts} attempts."
            case ReturnStage():
                yield f"- `{stage.name}`: later than {stage.not_after_hours:g} hours."
