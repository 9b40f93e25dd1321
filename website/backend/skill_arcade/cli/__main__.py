"""`python -m skill_arcade.cli`."""

from skill_arcade.cli import app

app()
