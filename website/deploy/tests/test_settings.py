"""The server itself is content with what `deploy` and `preview` tell it."""

import pytest

from skill_arcade.settings import Settings
from skill_arcade.web.startup_checks import check_settings
from stage import Stage


def told(stage: Stage, revision: str) -> dict[str, str]:
    """A revision's environment, with its secret drawn."""
    items = stage.cloud.things["revisions"][revision]["spec"]["containers"][0]["env"]
    return {item["name"].lower(): item.get("value", "x" * 48) for item in items}


def test_production_may_start(production: Stage) -> None:
    done = production.deploy(FIREBASE_API_KEY="AIza-web", SQL_MAX_CONNECTIONS="250", MAX_INSTANCES="10")
    assert done.code == 0, done.output
    settings = Settings.model_validate(told(production, list(production.cloud.things["revisions"])[-1]))
    check_settings(settings, {})
    assert settings.sign_in_method == "firebase"
    assert settings.gcp_sql_user == "arcade-run@arcade-prod.iam"


def test_a_preview_may_start(preview: Stage) -> None:
    assert preview.preview("up", 7).code == 0
    settings = Settings.model_validate(told(preview, "arcade-pr-7-00001-abc"))
    check_settings(settings, {})
    assert settings.sign_in_method == "email"
    assert settings.gcp_bucket_prefix == "previews/pr-7"


def test_production_without_its_api_key_is_refused_before_it_serves(production: Stage) -> None:
    assert production.deploy().code == 0
    settings = Settings.model_validate(told(production, list(production.cloud.things["revisions"])[-1]))
    with pytest.raises(Exception, match="FIREBASE_API_KEY"):
        check_settings(settings, {})
