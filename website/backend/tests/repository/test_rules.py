"""Each rule of the repository finds a planted fault, and accepts a file without it."""

import json
import shutil

import pytest

from devtools.paths import ROOT
from tests.repository.conftest import RepositoryFolder
from tests.repository.rules import RULES, deployment_docs, layout, locks, markdown, names_of_tests, text
from tests.repository.rules.repository import Finding, Repository

PACKAGE = "website/backend/skill_arcade"
TEXT_RULES = ("registries", "machine-paths", "unfinished")

COST_MODEL = [
    f"website/backend/benchmarks/{name}"
    for name in ("cost_model.py", "results/players.json", "results/frames.json", "results/uploader.json")
]


def lines(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.file, finding.line) for finding in findings]


def test_repository_ignored_file_is_not_listed(repository_folder: RepositoryFolder) -> None:
    repository_folder.write(".gitignore", "*.log\n")
    repository_folder.write("a.log")
    repository_folder.write("b.md")
    assert repository_folder.read().files == [".gitignore", "b.md"]


def test_repository_binary_file_has_no_text(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("picture.png", "\0")
    assert repository_folder.read().texts == {}


def test_top_level_unknown_name_is_found(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("README.md")
    repository_folder.write("notes/plan.md")
    assert lines(list(layout.check_top_level(repository_folder.read()))) == [("notes/plan.md", 1)]


def test_uv_lock_in_any_folder_is_found(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("website/backend/uv.lock")
    assert lines(list(layout.check_uv_lock(repository_folder.read()))) == [("website/backend/uv.lock", 1)]


def test_entry_points_not_executable_are_found(repository_folder: RepositoryFolder) -> None:
    for file in layout.ENTRY_POINTS:
        repository_folder.write(file, executable=file != "website/play")
    assert lines(list(layout.check_entry_points(repository_folder.read()))) == [("website/play", 1)]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("registries", f"https://registry.{'npm'}js.org/left-pad"),
        ("machine-paths", f"see /{'home'}/somebody/file"),
        ("unfinished", f"# {'TO' + 'DO'}: later"),
    ],
)
def test_text_rules_planted_fault_is_found(repository_folder: RepositoryFolder, rule: str, fault: str) -> None:
    repository_folder.write("a.txt", f"first line\n{fault}\n")
    found = {name: lines(list(RULES[name](repository_folder.read()))) for name in TEXT_RULES}
    assert found == {name: [("a.txt", 2)] if name == rule else [] for name in TEXT_RULES}


def test_registries_lock_file_is_searched_too(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("package-lock.json", f'"resolved": "https://registry.{"npm"}js.org/x"')
    assert lines(list(text.check_registries(repository_folder.read()))) == [("package-lock.json", 1)]


def test_markdown_line_over_100_characters_is_found(repository_folder: RepositoryFolder) -> None:
    long = "word " * 30
    allowed = ["x" * 100, f"| {long} |", "```", long, "```", f"[{long}](b.md)", f"- https://example.org/{'x' * 100}"]
    repository_folder.write("a.md", "\n".join([*allowed, long]))
    assert lines(list(markdown.check_line_length(repository_folder.read()))) == [("a.md", 8)]


def test_markdown_link_to_missing_file_or_heading_is_found(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("docs/b.md", "# A part, and `more`\n")
    links = ("[b](docs/b.md#a-part-and-more) [web](https://example.org/#x)", "[c](docs/c.md)", "[d](docs/b.md#other)")
    repository_folder.write("a.md", "\n".join([*links, "[e](#top)", "# Top"]))
    assert lines(list(markdown.check_links(repository_folder.read()))) == [("a.md", 2), ("a.md", 3)]


def test_package_table_missing_row_is_found(repository_folder: RepositoryFolder) -> None:
    for name in ("play", "wire", "web"):
        repository_folder.write(f"{PACKAGE}/{name}/__init__.py")
    repository_folder.write(f"{PACKAGE}/web/routes/__init__.py")
    repository_folder.write("README.md", "| [`play/`](website/backend/skill_arcade/play) | plays |\n")
    repository_folder.write("website/docs/architecture.md", "| `web/` | serves |\n")
    (finding,) = markdown.check_package_table(repository_folder.read())
    assert "`wire/`" in finding.message


def test_decision_list_without_a_decision_is_found(repository_folder: RepositoryFolder) -> None:
    for name in ("0001-one.md", "0002-two.md", "0003-three.md"):
        repository_folder.write(f"{markdown.DECISIONS}{name}", "# decision\n")
    listed = "- [0001](0001-one.md)\n- [0003](0003-three.md)\n- [0003](0003-three.md)\n"
    repository_folder.write(f"{markdown.DECISIONS}README.md", listed)
    findings = list(markdown.check_decision_list(repository_folder.read()))
    assert [finding.message.split()[4] for finding in findings] == ["0002-two.md", "0003-three.md"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("test_reconnect_after_grace_period_starts_new_game", None),
        ("test_R9_segment_out_of_order_waits", None),
        ("test_a_game_is_saved", "starts with 'a'"),
        ("test_what_is_lost_is_said", "starts with 'what'"),
        ("test_no_game_starts", "starts with 'no'"),
        ("test_anonymous_user_is_accepted", None),
        ("test_force_deploys", "has 2 words"),
    ],
)
def test_test_names_structure_is_checked(name: str, problem: str | None) -> None:
    found = names_of_tests.find_problem(name)
    assert (found is None) if problem is None else (found or "").startswith(problem)


def test_test_names_method_of_class_is_checked(repository_folder: RepositoryFolder) -> None:
    source = "class TestGame:\n    async def test_it(self) -> None: ...\n\n    def helper(self) -> None: ...\n"
    repository_folder.write("website/backend/tests/play/test_game.py", source)
    repository_folder.write("website/backend/tests/support/game.py", source)
    assert lines(list(names_of_tests.check_test_names(repository_folder.read()))) == [
        ("website/backend/tests/play/test_game.py", 2)
    ]


def copy_from_repository(folder: RepositoryFolder, *files: str) -> None:
    """Copy files of this repository into a temporary one."""
    for file in files:
        (folder.root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder.root / file)


@pytest.fixture
def python_locks(repository_folder: RepositoryFolder) -> RepositoryFolder:
    """The lock files of this repository and their pyproject.toml."""
    copy_from_repository(
        repository_folder, locks.PYPROJECT, locks.UV_INPUT, locks.PRODUCTION, locks.DEVELOPMENT, locks.UV
    )
    return repository_folder


def change(folder: RepositoryFolder, file: str, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file."""
    content = (folder.root / file).read_text()
    assert old in content
    folder.write(file, content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (locks.PYPROJECT, '"ruff>=', '"ruff>=99.', "does not belong to pyproject.toml"),
        (locks.DEVELOPMENT, "\nruff==", "\nruff==0.", "no pin satisfies ruff"),
        (locks.PRODUCTION, "\nfastapi==", "\nfastapi==9", "is not the version that the tests run with"),
        (locks.PRODUCTION, "    --hash=", "    --find-links=x --hash=", "is not a pin with hashes"),
    ],
)
def test_python_locks_planted_fault_is_found(
    python_locks: RepositoryFolder, file: str, old: str, new: str, message: str
) -> None:
    assert list(locks.check_python_locks(python_locks.read())) == []
    change(python_locks, file, old, new)
    assert any(message in finding.message for finding in locks.check_python_locks(python_locks.read()))


def test_python_locks_development_tool_in_production_is_found(python_locks: RepositoryFolder) -> None:
    development = (python_locks.root / locks.DEVELOPMENT).read_text()
    pin = next(line for line in development.splitlines() if line.startswith("ruff=="))
    python_locks.write(locks.PRODUCTION, f"{(python_locks.root / locks.PRODUCTION).read_text()}{pin}\n")
    assert any("tool of development" in finding.message for finding in locks.check_python_locks(python_locks.read()))


def test_npm_lock_planted_faults_are_found(repository_folder: RepositoryFolder) -> None:
    copy_from_repository(repository_folder, locks.PACKAGE, locks.PACKAGE_LOCK)
    assert list(locks.check_npm_lock(repository_folder.read())) == []
    content = json.loads((repository_folder.root / locks.PACKAGE_LOCK).read_text())
    content["packages"]["node_modules/planted"] = {
        "version": "1.0.0",
        "resolved": "https://example.org/planted.tgz",
        "optionalDependencies": {"planted-for-another-platform": "1.0.0"},
    }
    content["packages"][""]["dependencies"]["planted"] = "1.0.0"
    repository_folder.write(locks.PACKAGE_LOCK, json.dumps(content))
    messages = "\n".join(finding.message for finding in locks.check_npm_lock(repository_folder.read()))
    for part in ("differ from package.json", "address of a registry", "no hash", "planted-for-another-platform"):
        assert part in messages


@pytest.mark.parametrize(
    ("document", "fault", "message"),
    [
        ("deploy.md", "`website/deploy/deploy --nonsense`", "has no option --nonsense"),
        ("operations.md", "`NO_SUCH_VARIABLE`", "variable NO_SUCH_VARIABLE"),
        ("operations.md", "skill_arcade_no_such_metric", "no metric skill_arcade_no_such_metric"),
    ],
)
def test_deployment_docs_planted_fault_is_found(
    repository_folder: RepositoryFolder, document: str, fault: str, message: str
) -> None:
    files = [file for file in Repository(ROOT).files if file.startswith(("website/deploy/", ".github/"))]
    prices = "website/backend/benchmarks/prices.json"
    documents = (deployment_docs.DEPLOY_DOC, deployment_docs.OPERATIONS_DOC)
    copy_from_repository(repository_folder, *files, *documents, deployment_docs.METRICS, prices, *COST_MODEL)
    assert list(deployment_docs.check_deployment_docs(repository_folder.read())) == []
    file = f"website/docs/{document}"
    repository_folder.write(file, f"{fault}\n{(ROOT / file).read_text()}")
    (finding,) = deployment_docs.check_deployment_docs(repository_folder.read())
    assert (finding.file, finding.line) == (file, 1)
    assert message in finding.message


def test_deployment_docs_outdated_cost_table_is_found(repository_folder: RepositoryFolder) -> None:
    files = [file for file in Repository(ROOT).files if file.startswith(("website/deploy/", ".github/"))]
    documents = (deployment_docs.DEPLOY_DOC, deployment_docs.OPERATIONS_DOC)
    copy_from_repository(repository_folder, *files, *documents, deployment_docs.METRICS, *COST_MODEL)
    prices = json.loads((ROOT / "website/backend/benchmarks/prices.json").read_text())
    prices["run_vcpu_second"] *= 2
    repository_folder.write("website/backend/benchmarks/prices.json", json.dumps(prices))
    (finding,) = deployment_docs.check_deployment_docs(repository_folder.read())
    assert "cost tables" in finding.message
