"""`prove` finds each belief that the cloud breaks, and FACTS.md is what it writes."""

import re
from pathlib import Path

import pytest

from harness import DeployHarness
from release import facts
from release.prove import PROBES

PROJECT = "throw-away"
PROBED = sorted(fact.id for fact in facts.FACTS if fact.is_probed)
# These make others untestable too: nothing answers any more.
HIDES_OTHERS = {"host-name", "tag-host"}


@pytest.fixture
def project(harness: DeployHarness) -> DeployHarness:
    """An empty project with billing."""
    harness.cloud.resources["projects"][PROJECT] = {"projectId": PROJECT, "projectNumber": "123456789012"}
    return harness


def read_rows(harness: DeployHarness) -> dict[str, str]:
    """Return the column of real runs of the page that was written."""
    text = (harness.root / "website" / "deploy" / "FACTS.md").read_text()
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))


def test_prove_confirms_every_belief_that_has_a_probe(project: DeployHarness) -> None:
    assert sorted(PROBES) == PROBED
    assert len(PROBED) >= 20
    done = project.run("prove", PROJECT, "--no-wait")
    assert done.code == 0, done.output
    rows = read_rows(project)
    assert {name for name, text in rows.items() if text.startswith("confirmed ")} == set(PROBED)
    assert {text for name, text in rows.items() if name not in PROBED} == {facts.NOT_TRIED}
    assert project.cloud.resources["services"] == {}


@pytest.mark.parametrize("lie", PROBED)
def test_prove_finds_planted_lie(project: DeployHarness, lie: str) -> None:
    project.cloud.lies = {lie}
    done = project.run("prove", PROJECT, "--no-wait")
    assert done.code == 1, done.output
    rows = read_rows(project)
    assert rows[lie].startswith("**WRONG**"), done.output
    if lie not in HIDES_OTHERS:
        assert {name for name in PROBED if not rows[name].startswith("confirmed ")} == {lie}, done.output


def test_facts_page_is_the_table_of_facts() -> None:
    assert facts.FILE.read_text() == facts.format_page(facts.read_results())


def test_facts_name_files_of_the_fake_cloud() -> None:
    here = Path(__file__).parent
    cloud = here.parents[1] / "backend" / "tests" / "support" / "cloud"
    folders = [here / "fake_cloud", here / "fake_clients", cloud]
    for fact in facts.FACTS:
        assert not fact.fake or any((folder / fact.fake).exists() for folder in folders), fact.id
