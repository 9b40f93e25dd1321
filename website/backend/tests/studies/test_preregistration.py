"""The preregistration sheet says what the file fixes, and leaves gaps for the rest."""

from pathlib import Path

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.studies.files import load_study
from skill_arcade.studies.preregistration import GAP, render_preregistration
from tests.support.studies import make_study, write_study


def test_sheet_has_hash_design_sample_measures_and_exclusions(tmp_path: Path) -> None:
    content = make_study(arms={"a": {"label": "warm"}, "b": {"weight": 2}}, counterbalance=["warm-up", "play"])
    file = load_study(str(write_study(tmp_path, content)), tmp_path, load_catalogue())
    sheet = render_preregistration(file)
    for line in (
        f"Study `ice`, SHA-256 of its content `{file.sha256}`.",
        "- Arm `a` (warm): 1 of 3 participants.",
        "- Arm `b`: 2 of 3 participants.",
        "- Allocation: permuted blocks of 3 within strata (strata: none), by the server.",
        "- Within participants: `warm-up`, `play` in 2 orders of a Williams square.",
        "- Size: 4 participants, counted as complete plus active.",
        "5. `play`, games: frozen-lake, 2 trials, fixed seeds",
        "- `after.fun` (rating): Fun?",
        "- Device: max_round_trip_ms 200.0, keyboard True.",
        "- `how`: a wrong answer in all of 2 attempts.",
        "- More than 1 failed attention checks.",
    ):
        assert f"{line}\n" in sheet
    assert sheet.count(GAP) == 3


def test_sheet_of_another_file_differs_in_its_hash(tmp_path: Path) -> None:
    sheets = []
    for quota in (4, 5):
        path = write_study(tmp_path, make_study(quota=quota))
        sheets.append(render_preregistration(load_study(str(path), tmp_path, load_catalogue())).splitlines()[2])
    assert sheets[0] != sheets[1]
