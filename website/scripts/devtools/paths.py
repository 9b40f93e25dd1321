"""Paths inside the repository."""

from pathlib import Path

WEBSITE = Path(__file__).resolve().parents[2]
ROOT = WEBSITE.parent
SCRIPTS, BACKEND, FRONTEND = WEBSITE / "scripts", WEBSITE / "backend", WEBSITE / "frontend"
LOCKSTEP, DEPLOY, DOCS = WEBSITE / "lockstep", WEBSITE / "deploy", WEBSITE / "docs"
STATE = WEBSITE / ".state"  # what git ignores: a private uv, the set-up lock, the lockstep build, log files
VENV = BACKEND / ".venv"
PYTHON = VENV / "bin" / "python"
