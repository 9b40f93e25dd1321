"""Rules that compare the documents about deployment and operation with the scripts, workflows and metrics."""

import re
import subprocess
from collections.abc import Iterator

from tests.repository.rules.repository import Finding, Repository

DEPLOY_DOC, OPERATIONS_DOC = "website/docs/deploy.md", "website/docs/operations.md"
DEPLOY = "website/deploy"
METRICS = "website/backend/skill_arcade/web/metrics.py"
COMMAND = re.compile(r"website/deploy/(bootstrap|rollback|deploy|preview) ((?:[^`\n]|\\\n)*)")
OPTION = re.compile(r"--[a-z-]+")
VARIABLE = re.compile(r"`([A-Z]+_[A-Z_]+)`")
METRIC = re.compile(r"skill_arcade_(\w+)")


def check_deployment_docs(repository: Repository) -> Iterator[Finding]:
    """The deployment documents show the current cost tables and only options, variables and metrics that exist."""
    if DEPLOY_DOC not in repository.texts:
        return
    yield from _check_costs(repository)
    scripts = {name: _read_script(repository, name) for name in ("bootstrap", "rollback", "deploy", "preview")}
    sources = [
        ".github/workflows/*.yaml",
        f"{DEPLOY}/lib/*.sh",
        f"{DEPLOY}/release/*.py",
        f"{DEPLOY}/infrastructure/*.tf",
    ]
    variables = "".join(text for _, text in repository.texts_like(sources))
    for file in (DEPLOY_DOC, OPERATIONS_DOC):
        text = repository.texts[file]
        for found in COMMAND.finditer(text):
            for option in OPTION.findall(found[2]):
                if option not in OPTION.findall(scripts[found[1]]):
                    yield Finding(file, _line(text, found.start()), f"website/deploy/{found[1]} has no option {option}")
        for found in VARIABLE.finditer(text):
            if found[1] not in variables:
                yield Finding(file, _line(text, found.start()), f"no workflow or script reads the variable {found[1]}")
    text = repository.texts[OPERATIONS_DOC]
    for found in METRIC.finditer(text):
        if f'"{found[1]}"' not in repository.texts.get(METRICS, ""):
            yield Finding(OPERATIONS_DOC, _line(text, found.start()), f"the server has no metric {found[0]}")


def _read_script(repository: Repository, name: str) -> str:
    """Return the text of a command: of its script, and of the Python module that the script runs, if any."""
    script = repository.texts[f"{DEPLOY}/{name}"]
    module = re.search(r"python3 -m release\.(\w+)", script)
    return script + (repository.texts[f"{DEPLOY}/release/{module[1]}.py"] if module else "")


def _check_costs(repository: Repository) -> Iterator[Finding]:
    """The tables of cost and scale are the ones that website/deploy/costs prints."""
    command = [repository.root / DEPLOY / "costs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield Finding(f"{DEPLOY}/costs", 1, f"the command fails: {done.stderr.strip()[-200:]}")
    elif any(table not in repository.texts[DEPLOY_DOC] for table in done.stdout.strip().split("\n\n")):
        yield Finding(DEPLOY_DOC, 1, "the cost tables are not the ones that website/deploy/costs prints: replace them")


def _line(text: str, position: int) -> int:
    """Return the number of the line at a position of a text."""
    return text.count("\n", 0, position) + 1
