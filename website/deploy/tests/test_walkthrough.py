"""docs/deploy.md, step by step as written, in an empty cloud: it ends with a page and a server that accept players."""

import re
import shlex

import pytest

from fake_cloud.containers import Containers
from fake_cloud.hosting import read_config
from harness import DEPLOY, PREVIEW, PRODUCTION, DeployHarness
from skill_arcade.settings import Settings
from skill_arcade.web.startup_checks import check_settings
from test_deploy import newest, traffic
from test_workflows import push
from workflows import run_workflow

pytestmark = pytest.mark.real
DOCUMENT = (DEPLOY.parent / "docs" / "deploy.md").read_text()
# What a maintainer replaces in the commands.
PLACEHOLDERS = {
    "my-arcade-preview": PREVIEW,
    "my-arcade": PRODUCTION,
    "OWNER/NAME": "someone/arcade",
    "--repository-id 123": "--repository-id 42",
    "--owner-id 456": "--owner-id 7",
    "AAAAAA-BBBBBB-CCCCCC": "AAA-BBB-CCC",
}


def commands_of_step(number: int) -> list[list[str]]:
    """Return the commands of a step of "Set up once"."""
    section = DOCUMENT.partition("## Set up once")[2].partition("\n## ")[0]
    step = section.partition(f"\n{number}. ")[2].partition(f"\n{number + 1}. ")[0]
    text = "\n".join(re.findall(r"```sh\n(.*?)```", step, re.DOTALL)).replace("\\\n", " ")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


SEGMENTS = """
SELECT e.game_id, e.n_steps, u.is_synthetic, count(s.number) AS n_segments
FROM episode e JOIN "user" u ON u.id = e.user_id JOIN segment s ON s.episode_id = e.id
GROUP BY e.id, u.is_synthetic ORDER BY e.time_created
"""


def test_walkthrough_ends_with_a_page_that_plays(harness: DeployHarness, running: Containers) -> None:
    (script, *arguments), _ = commands_of_step(3)
    assert arguments[0] == "production"
    done = harness.run(script.rpartition("/")[2], *arguments)
    assert done.code == 0, done.output
    variable = r"gh variable set (\w+) (?:--env production )?--repo \S+ --body '?([^'\n]*)"
    printed = dict(re.findall(variable, done.output))
    harness.commit("website/deploy/notes.txt", "with the .tfvars file that bootstrap has written")
    assert printed["DEPLOY_PRODUCTION"] == "true"

    result = run_workflow(harness, "push", "production", push(), printed=printed)
    assert (result.code, set(result.jobs.values())) == (0, {"succeeded"}), result.output

    # The page names the server, whose newest revision has all players.
    host = f"arcade-{printed['GCP_PROJECT_NUMBER']}.{printed['GCP_REGION']}.run.app"
    page = f"https://{printed['GCP_PROJECT_ID']}.web.app"
    assert read_config(harness.cloud, "live")["apiUrl"] == f"https://{host}"
    assert traffic(harness) == {newest(harness)["metadata"]["name"]: 100}
    # A server of production would start with these settings.
    items = newest(harness)["spec"]["containers"][0]["env"]
    settings = Settings.model_validate({item["name"].lower(): item.get("value", "x" * 48) for item in items})
    check_settings(settings, {})
    # Each of the three smoke tests has played on the real server: as the candidate, after the shift, with the page.
    assert len(re.findall(r"played \d+ steps of \S+ and found them recorded", result.output)) == 3
    assert f"{page} serves the page, which uses the API https://{host}" in result.output
    played = running.query(SEGMENTS, settings.gcp_sql_name or "")
    assert len(played) == 3
    assert all(row.n_steps >= 100 and row.n_segments >= 1 for row in played)
    # The recordings are a program's, so researchers count none of them, and its Firebase accounts are deleted.
    assert {row.is_synthetic for row in played} == {True}
    assert running.query("SELECT * FROM played_episode", settings.gcp_sql_name or "") == []
    assert harness.cloud.resources["firebase accounts"] == {}


def test_walkthrough_of_previews_deploys_one(harness: DeployHarness, running: Containers) -> None:
    """The fake cloud is one project, so the project of the previews has one of its own."""
    _, (script, *arguments) = commands_of_step(3)
    assert arguments[0] == "preview"
    done = harness.run(script.rpartition("/")[2], *arguments)
    assert done.code == 0, done.output
    done = harness.preview("up", 7)
    assert done.code == 0, done.output
    # Three games, and one of them again with the page.
    assert len({row.game_id for row in running.query(SEGMENTS, "pr_7")}) == 3
    assert len(running.query(SEGMENTS, "pr_7")) == 4
