"""Imports that a local start and a game process must avoid, because they are slow."""

import subprocess
import sys

SLOW_PACKAGES = ("aiohttp", "cryptography", "firebase_admin", "google", "grpc", "pyarrow", "requests")
MODULES = (
    "skill_arcade.main",
    "skill_arcade.cli",
    "skill_arcade.uploader.process",
    "skill_arcade.certify.worker_jobs",
    "skill_arcade.play.processes.fork_server",
)


def test_imports_of_local_start_exclude_slow_packages() -> None:
    code = f"import sys, {', '.join(MODULES)}; print(*sorted(name for name in sys.modules if name in {SLOW_PACKAGES}))"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.split() == []


def test_imports_of_main_module_are_empty() -> None:
    """Every process that `multiprocessing` spawns imports the main module."""
    code = "import sys; before = set(sys.modules); import skill_arcade.__main__; print(*set(sys.modules) - before)"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(completed.stdout.split()) == {"skill_arcade", "skill_arcade.__main__"}


def test_imports_of_command_line_exclude_web_framework() -> None:
    code = "import sys, skill_arcade.cli; print(*{'fastapi', 'uvicorn'} & set(sys.modules))"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.split() == []
