"""Rules about names, documents, file layout and lock files that no linter knows.

`pytest tests/repository` runs them, and `website/test` runs that as the check `repository`. Each module here holds
rules about one subject. A rule is a function that takes a `Repository` and yields `Finding` objects.
"""

from collections.abc import Callable, Iterator

from tests.repository.rules import deployment_docs, layout, locks, markdown, names_of_tests, retired_words, text
from tests.repository.rules.repository import Finding, Repository

Rule = Callable[[Repository], Iterator[Finding]]
RULES: dict[str, Rule] = {
    "top-level": layout.check_top_level,
    "uv-lock": layout.check_uv_lock,
    "entry-points": layout.check_entry_points,
    "registries": text.check_registries,
    "machine-paths": text.check_machine_paths,
    "unfinished": text.check_unfinished,
    "markdown-lines": markdown.check_line_length,
    "markdown-links": markdown.check_links,
    "package-table": markdown.check_package_table,
    "decision-list": markdown.check_decision_list,
    "deployment-docs": deployment_docs.check_deployment_docs,
    "python-locks": locks.check_python_locks,
    "npm-lock": locks.check_npm_lock,
    "test-names": names_of_tests.check_test_names,
    "retired-words": retired_words.check_retired_words,
}
