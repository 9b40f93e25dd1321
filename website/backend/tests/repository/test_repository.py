"""The repository follows its rules. `pytest tests/repository -k retired-words` runs one of them."""

import pytest

from devtools.paths import ROOT
from tests.repository.conftest import RepositoryFolder
from tests.repository.rules import RULES
from tests.repository.rules.repository import Finding, Repository


@pytest.fixture(scope="module")
def repository() -> Repository:
    """This repository, whose files are read once for all rules."""
    return Repository(ROOT)


def format_findings(findings: list[Finding]) -> str:
    """Return a line for each finding, sorted by file and line."""
    return "\n".join([f"{len(findings)} findings", *map(str, sorted(findings))])


@pytest.mark.parametrize("rule", RULES)
def test_repository_follows_rule(repository: Repository, rule: str) -> None:
    if findings := list(RULES[rule](repository)):
        pytest.fail(format_findings(findings), pytrace=False)


def test_repository_with_findings_fails_with_their_lines(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("docs/c.md", "[d](d.md)\n")
    repository_folder.write("a.md", "[b](b.md)\n")
    with pytest.raises(pytest.fail.Exception, match=r"2 findings\na\.md:1: .*b\.md.*\ndocs/c\.md:1: .*d\.md"):
        test_repository_follows_rule(repository_folder.read(), "markdown-links")
