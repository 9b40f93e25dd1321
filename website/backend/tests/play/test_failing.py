"""A game process that fails says so in the form of every other line."""

import json
import subprocess
import sys

CODE = """
import socket
from skill_arcade.play.pipe import ToGame, pack
from skill_arcade.play.runner import run_game
ours, theirs = socket.socketpair()
ours.sendall(pack(ToGame.MESSAGE, b"too early, ada@example.org"))
run_game(theirs, "json", "INFO")
"""


def test_a_game_process_that_fails_logs_one_line_with_its_trace() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    line = json.loads(done.stderr)
    assert (line["severity"], line["message"]) == ("ERROR", "a game process failed")
    assert "before an assignment" in line["stack_trace"]
    assert "ada" not in done.stderr
