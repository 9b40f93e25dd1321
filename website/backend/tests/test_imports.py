"""What a local start and a game do not pay for."""

import subprocess
import sys

HEAVY = ("aiohttp", "cryptography", "firebase_admin", "google", "grpc", "requests")
STARTED = (
    "skill_arcade.main",
    "skill_arcade.cli",
    "skill_arcade.uploader.process",
    "skill_arcade.play.processes.fork_server",
)


def test_google_is_imported_only_where_it_is_used() -> None:
    code = f"import sys, {', '.join(STARTED)}; print(*sorted(name for name in sys.modules if name in {HEAVY}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_command_begins_with_a_module_that_imports_nothing() -> None:
    """Every process that multiprocessing starts imports that module too, each game's first of all."""
    code = "import sys; before = set(sys.modules); import skill_arcade.__main__; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"skill_arcade", "skill_arcade.__main__"}
