"""Tests of publishing an export with the Hub's own library, on a stand-in, and of loading it with `datasets`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

import skill_arcade.dataset as sa
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName
from skill_arcade.export.hub import check_export
from skill_arcade.export.run import export_parts, finish_export, open_plan
from skill_arcade.settings import Settings
from tests.conftest import fresh_database
from tests.readers.recordings import record_games
from tests.support.fake_hub import TOKEN, FakeHub, fake_hub

LOAD = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
steps = load_dataset("somebody/people", "cart-pole", split="train")
episodes = load_dataset("somebody/people", "episodes", split="train")
print(json.dumps({
    "configurations": sorted(get_dataset_config_names("somebody/people")),
    "actions": list(steps["action"]), "size": steps[0]["picture"].size, "seeds": sorted(episodes["seed"]),
}))
"""


@pytest.fixture(scope="module")
def exported(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Exports of two games as `hf` and `lerobot`, their cards filled in, and the source's actions and seeds."""
    home = tmp_path_factory.mktemp("published")
    with fresh_database(postgres) as url:
        record_games(url, home, ["cart-pole", "blackjack"], steps=12, has_odd=False)
        settings = Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))
        with sa.open(settings=settings) as dataset:
            folders: dict[str, Any] = {}
            for format_ in (FormatName.hf, FormatName.lerobot):
                folders[format_] = out = home / format_
                plan = open_plan(dataset, format_, None, out, scope="publication")
                list(export_parts(settings, plan, out, jobs=1))
                finish_export(plan, out)
            episodes = sorted(dataset.episodes(where="time_ended IS NOT NULL"), key=lambda one: one.id)
            played = [one for one in episodes if one.game_id == "cart-pole"]
            yield {
                **folders,
                "actions": [action for one in played for action in [*one.actions.tolist(), None]],
                "seeds": sorted(one.seed for one in episodes),
            }


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as running:
        yield running


@pytest.fixture
def environment(hub: FakeHub, tmp_path: Path) -> dict[str, str]:
    """Variables of a laptop that is signed in to the stand-in."""
    variables = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    return os.environ | variables | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def publish(folder: Path, name: str, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "skill_arcade", "publish", str(folder), name, *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def fill_in_card(folder: Path) -> None:
    card = folder / "README.md"
    card.write_text(card.read_text().replace("Not stated yet.", "CC BY 4.0, ann@example.org."))


def test_published_export_is_loaded_by_datasets(
    exported: dict[str, Any], hub: FakeHub, environment: dict[str, str]
) -> None:
    fill_in_card(exported["hf"])
    result = publish(exported["hf"], "somebody/people", environment)
    assert result.returncode == 0, result.stderr
    assert f"{hub.url}/datasets/somebody/people" in result.stdout
    repository = hub.repositories["somebody/people"]
    files = {
        one.relative_to(exported["hf"]).as_posix(): one.read_bytes()
        for one in exported["hf"].rglob("*")
        if one.is_file()
    }
    assert (repository.private, repository.files) == (True, files)
    loaded = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr[-3000:]
    found = json.loads(loaded.stdout.splitlines()[-1])
    assert found == {
        "configurations": ["blackjack", "cart-pole", "episodes"],
        "actions": exported["actions"],
        "size": [600, 400],
        "seeds": exported["seeds"],
    }


def test_second_version_replaces_files_of_the_first(
    exported: dict[str, Any], hub: FakeHub, environment: dict[str, str]
) -> None:
    fill_in_card(exported["hf"])
    for _ in range(2):
        assert publish(exported["hf"], "somebody/people", environment, "--public").returncode == 0
        hub.repositories["somebody/people"].files["cart-pole/train-00009.parquet"] = b"an episode that was withdrawn"
    assert publish(exported["hf"], "somebody/people", environment).returncode == 0
    assert "cart-pole/train-00009.parquet" not in hub.repositories["somebody/people"].files


def test_lerobot_export_becomes_a_tagged_repository_per_game(
    exported: dict[str, Any], hub: FakeHub, environment: dict[str, str]
) -> None:
    fill_in_card(exported["lerobot"])
    result = publish(exported["lerobot"], "somebody/people", environment)
    assert result.returncode == 0, result.stderr
    assert hub.repositories.keys() == {"somebody/people-cart-pole", "somebody/people-blackjack"}
    for repository in hub.repositories.values():
        assert repository.find("v3.0") == repository.commits[-1]
        assert {"meta/info.json", "README.md"} <= repository.files.keys()


@pytest.mark.parametrize(
    ("failure", "name", "token", "expected"),
    [
        (None, "somebody/people", "hf_wrong", "does not let this token write"),
        (None, "another/people", TOKEN, "does not let this token write to another/people"),
        (None, "somebody//people", TOKEN, "is no name of a repository"),
        ((503, "maintenance"), "somebody/people", TOKEN, "answered with the status 503: maintenance"),
    ],
)
def test_refused_upload_is_explained(
    exported: dict[str, Any],
    hub: FakeHub,
    environment: dict[str, str],
    failure: tuple[int, str] | None,
    name: str,
    token: str,
    expected: str,
) -> None:
    fill_in_card(exported["hf"])
    hub.failure = failure
    result = publish(exported["hf"], name, environment | {"HF_TOKEN": token})
    assert result.returncode == 1
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


def test_upload_without_token_or_hub_is_explained(exported: dict[str, Any], environment: dict[str, str]) -> None:
    fill_in_card(exported["hf"])
    without_token = {name: value for name, value in environment.items() if name != "HF_TOKEN"}
    assert "hf auth login" in publish(exported["hf"], "somebody/people", without_token).stderr
    unreachable = environment | {"HF_ENDPOINT": "http://127.0.0.1:1"}
    assert "does not answer" in publish(exported["hf"], "somebody/people", unreachable).stderr


def test_export_with_unfilled_card_or_changed_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no complete export"):
        check_export(tmp_path)
    files = {"README.md": "Not stated yet.", "a.parquet": "data"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    described = {"sha256": "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7", "bytes": 4}
    (tmp_path / "manifest.json").write_text(
        json.dumps({"files": dict.fromkeys(files, described), "consent": {"scope": "publication"}})
    )
    with pytest.raises(InvalidRequest, match="not filled in"):
        check_export(tmp_path)
    (tmp_path / "a.parquet").write_text("date")
    with pytest.raises(InvalidRequest, match="was changed"):
        check_export(tmp_path)
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(InvalidRequest, match="is missing"):
        check_export(tmp_path)
