"""Pages of the docs that commands generate are those that the commands print."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from skill_arcade.cli import app

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("page", "command"),
    [("errors.md", "errors"), ("settings.md", "settings --markdown")],
)
def test_generated_page_is_current(page: str, command: str) -> None:
    printed = CliRunner().invoke(app, command.split())
    assert printed.exit_code == 0, printed.output
    assert (DOCS / page).read_text() == printed.stdout, f"run `skill-arcade {command} > ../docs/{page}`"
