"""A study's file is read as it is meant, and a bad one gets file, field and reason."""

from pathlib import Path
from typing import Any

import pytest

from skill_arcade.errors import StudyError
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.studies.files import EXAMPLES_FOLDER, load_study
from skill_arcade.studies.schema import Study
from tests.support.studies import make_study, write_study

CATALOGUE = load_catalogue()
GAME = {"kind": "games", "name": "play", "game": "frozen-lake", "amount": {"trials": 1}}


def load(folder: Path, content: dict[str, Any]) -> Study:
    return load_study(str(write_study(folder, content)), folder, CATALOGUE).study


def change_stage(number: int, **fields: Any) -> dict[str, Any]:
    content = make_study()
    content["stages"][number] |= fields
    return content


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES_FOLDER.glob("*.yaml")))
def test_example_is_valid_and_reads_back_from_its_content(name: str, tmp_path: Path) -> None:
    found = load_study(name, tmp_path, CATALOGUE)
    assert found.name == name
    assert Study.model_validate(found.content) == found.study


def test_file_in_the_folder_goes_before_an_example(tmp_path: Path) -> None:
    write_study(tmp_path, make_study(), "hanoi-planning")
    assert load_study("hanoi-planning", tmp_path, CATALOGUE).study.title == "Ice"


def test_hash_follows_content_and_not_order(tmp_path: Path) -> None:
    content = make_study()
    first = load_study(str(write_study(tmp_path, content)), tmp_path, CATALOGUE)
    turned = load_study(str(write_study(tmp_path, dict(reversed(list(content.items()))), "b")), tmp_path, CATALOGUE)
    changed = load_study(str(write_study(tmp_path, content | {"quota": 5}, "c")), tmp_path, CATALOGUE)
    assert first.sha256 == turned.sha256 != changed.sha256


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        (make_study(quotas=3), "quotas", "Extra inputs"),
        (make_study(quota="many"), "quota", "valid integer"),
        (make_study(recruiter={"kind": "sona", "site": "x"}), "recruiter.experiment_id", "Field required"),
        (make_study(recruiter={"kind": "mail"}), "recruiter", "mail"),
        (change_stage(1, keybord=True), "stages.1.keybord", "Extra inputs"),
        (change_stage(2, name="warm-up"), "stages", "two stages are named 'warm-up'"),
        (change_stage(3, arms=["c"]), "stages.3.arms", "no arm 'c'"),
        (change_stage(2, arms=["a"], kind="instructions"), "", ""),
        (change_stage(4, game="frozen-lak"), "stages.4.game", "no game 'frozen-lak'"),
        (change_stage(4, options={"map": "9x9"}), "stages.4.options", "9x9"),
        (change_stage(4, amount={"minutes": 2}), "stages.4.amount.minutes", "waits for the player"),
        (change_stage(4, amount={"trials": 2, "frames": 3}), "stages.4.amount", "one of trials, frames and minutes"),
        (change_stage(4, input_delay_ms=501), "stages.4.input_delay_ms", "less than or equal to 500"),
        (change_stage(4, frame_delay_ms=80, lockstep=True), "stages.4", "the server makes the delays"),
        (change_stage(4, lockstep=True), "stages.4.lockstep", "only Atari games"),
        (change_stage(4, game="breakout", amount={"frames": 9}, lockstep=True), "stages.4.lockstep", "to its own end"),
        (change_stage(4, game="breakout", max_trial_frames=9, lockstep=True), "stages.4.lockstep", "to its own end"),
        (change_stage(4, sound=True), "stages.4.sound", "has no sound"),
        (change_stage(4, amount={"trials": 1}, ghost=True), "stages.4.ghost", "more than one"),
        (change_stage(4, seed_list=[0]), "stages.4.seed_list.0", "greater than or equal to 1"),
        (make_study(max_failed_checks=0), "max_failed_checks", "greater than or equal to 1"),
        (make_study(stratify=["fun"]), "", "'fun' is no required radiogroup"),
        (make_study(counterbalance=["play", "how"]), "", "must follow each other"),
        (make_study(opens="2026-12-02T00:00:00"), "opens", "timezone"),
        (make_study(opens="2026-12-02T00:00:00Z", closes="2026-12-01T00:00:00Z"), "", "after opens"),
    ],
)
def test_bad_file_is_refused_with_file_field_and_reason(
    tmp_path: Path, content: dict[str, Any], field: str, reason: str
) -> None:
    if not field and not reason:  # an arm filter from the draw on is allowed
        load(tmp_path, content)
        return
    with pytest.raises(StudyError) as caught:
        load(tmp_path, content)
    line = str(caught.value).splitlines()[0]
    assert line.startswith(f"{tmp_path / 'ice.yaml'}: {field}")
    assert reason in line


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([GAME], "at least 2 items"),
        ([GAME, GAME | {"name": "b"}], "first stage"),
        ([make_study()["stages"][0], {"kind": "debrief", "name": "end", "pages": ["x"]}], "no stage has a game"),
        ([make_study()["stages"][0], GAME, {"kind": "screening"}], "screening comes before"),
        (
            [make_study()["stages"][0], make_study()["stages"][5] | {"arms": ["a"]}, GAME],
            "the arm is drawn at stage 2 only",
        ),
    ],
)
def test_stages_in_an_impossible_order_are_refused(tmp_path: Path, stages: list[Any], reason: str) -> None:
    with pytest.raises(StudyError, match=reason):
        load(tmp_path, make_study(stages=stages))


def test_file_that_is_missing_or_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="There is no study 'none'"):
        load_study("none", tmp_path, CATALOGUE)
    with pytest.raises(StudyError, match=r"none\.yaml: No such file"):
        load_study(str(tmp_path / "none.yaml"), tmp_path, CATALOGUE)
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(StudyError, match="is not YAML"):
        load_study("bad", tmp_path, CATALOGUE)
