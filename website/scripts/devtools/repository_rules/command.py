"""`python website/scripts lint-repository`: runs the rules and prints `file:line: [rule] message` for each finding."""

import argparse
from collections.abc import Callable, Iterator, Sequence

from devtools.console import print_line
from devtools.paths import ROOT
from devtools.repository_rules import deployment_docs, layout, locks, markdown, retired_words, test_names, text
from devtools.repository_rules.repository import Finding, Repository

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
    "test-names": test_names.check_test_names,
    "retired-words": retired_words.check_retired_words,
}


def main(arguments: list[str]) -> int:
    """Run the selected rules. Returns 1 if there is a finding, otherwise 0."""
    options = read_options(arguments)
    findings = run_rules(Repository(ROOT), [name for name in options.rule or RULES if name not in options.skip])
    shown = [(rule, finding) for rule, finding in findings if finding.file.startswith(tuple(options.under))]
    for rule, finding in shown:
        print_line(f"{finding.file}:{finding.line}: [{rule}] {finding.message}")
    print_line(f"{len(shown)} findings" if shown else "The repository follows its rules.")
    return 1 if shown else 0


def run_rules(repository: Repository, names: Sequence[str]) -> list[tuple[str, Finding]]:
    """Return the findings of the rules with these names, each with the name of its rule, sorted by file and line."""
    findings = [(name, finding) for name in names for finding in RULES[name](repository)]
    return sorted(findings, key=lambda found: (found[1], found[0]))


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    width = max(len(name) for name in RULES)
    parser = argparse.ArgumentParser(
        prog="python website/scripts lint-repository",
        description="Checks names, documents, file layout and lock files. Prints file:line: [rule] message for each "
        "finding and exits with 1 if there is one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="rules:\n" + "\n".join(f"  {name:<{width}}  {rule.__doc__}" for name, rule in RULES.items()),
    )
    add = parser.add_argument
    add("--rule", action="append", choices=RULES, metavar="NAME", help="run only this rule; can be given several times")
    add("--skip", action="append", choices=RULES, default=[], metavar="NAME", help="do not run this rule")
    add("--under", action="append", default=[], metavar="PATH", help="show only findings in files below this path")
    options = parser.parse_args(arguments)
    options.under = options.under or [""]
    return options
