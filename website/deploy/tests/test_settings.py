"""The server accepts the settings that `deploy` and `preview` give it."""

import pytest

from harness import DeployHarness
from skill_arcade.settings import Settings
from skill_arcade.web.startup_checks import check_settings


def settings_of_revision(harness: DeployHarness, revision: str) -> dict[str, str]:
    """Return the environment of a revision, with a value for each secret."""
    items = harness.cloud.resources["revisions"][revision]["spec"]["containers"][0]["env"]
    return {item["name"].lower(): item.get("value", "x" * 48) for item in items}


def test_settings_of_production_pass_startup_checks(production: DeployHarness) -> None:
    done = production.deploy(FIREBASE_API_KEY="AIza-web", SQL_MAX_CONNECTIONS="250", MAX_INSTANCES="10")
    assert done.code == 0, done.output
    settings = Settings.model_validate(
        settings_of_revision(production, list(production.cloud.resources["revisions"])[-1])
    )
    check_settings(settings, {})
    assert settings.sign_in_method == "firebase"
    assert settings.gcp_sql_user == "arcade-run@arcade-prod.iam"


def test_settings_for_a_class_behind_one_address_reach_the_server(production: DeployHarness) -> None:
    done = production.deploy(FIREBASE_API_KEY="AIza-web", RATE_LIMIT_BURST="300", MAX_ADDRESS_PERCENT="100")
    assert done.code == 0, done.output
    settings = Settings.model_validate(
        settings_of_revision(production, list(production.cloud.resources["revisions"])[-1])
    )
    assert settings.rate_limit_burst == 300
    assert settings.address_share(settings.max_games) == settings.max_games


def test_settings_of_preview_pass_startup_checks(preview: DeployHarness) -> None:
    assert preview.preview("up", 7).code == 0
    settings = Settings.model_validate(settings_of_revision(preview, "arcade-pr-7-00001-abc"))
    check_settings(settings, {})
    assert settings.sign_in_method == "email"
    assert settings.gcp_bucket_prefix == "previews/pr-7"


def test_settings_of_production_without_api_key_are_rejected(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    settings = Settings.model_validate(
        settings_of_revision(production, list(production.cloud.resources["revisions"])[-1])
    )
    with pytest.raises(Exception, match="FIREBASE_API_KEY"):
        check_settings(settings, {})
