"""A game session that fails is logged as one record, and does not affect other sessions of its process."""

import json
import subprocess
import sys

CODE = """
import socket
from skill_arcade.play.processes.game_process import run_game_process
from skill_arcade.play.processes.ipc import ToGame, pack
from skill_arcade.play.processes.environment_pool import EnvironmentPool
control, child_socket = socket.socketpair()
bad, good = socket.socketpair(), socket.socketpair()
for _, end in (bad, good):
    socket.send_fds(control, [b"+"], [end.fileno()])
    end.close()
bad[0].sendall(pack(ToGame.MESSAGE, b"too early, ada@example.org"))
good[0].sendall(pack(ToGame.STOP, b"left"))
control.close()
run_game_process(child_socket, EnvironmentPool(), "json", "INFO")
print(bad[0].recv(1), good[0].recv(1))
"""


def test_game_crash_logs_one_record_and_other_sessions_continue() -> None:
    completed = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=60)
    assert (completed.returncode, completed.stdout.split()) == (0, ["b''", "b''"])
    line = json.loads(completed.stderr)
    assert line["severity"] == "ERROR"
    assert "game session failed" in line["message"]
    assert "before an assignment" in line["stack_trace"]
    assert "ada" not in completed.stderr
