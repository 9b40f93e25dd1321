"""A game that fails says so in the form of every other line, and takes no other with it."""

import json
import subprocess
import sys

CODE = """
import socket
from skill_arcade.play.processes.game_process import run_host
from skill_arcade.play.processes.ipc import ToGame, pack
from skill_arcade.play.processes.environment_pool import Stock
control, theirs = socket.socketpair()
bad, good = socket.socketpair(), socket.socketpair()
for _, end in (bad, good):
    socket.send_fds(control, [b"+"], [end.fileno()])
    end.close()
bad[0].sendall(pack(ToGame.MESSAGE, b"too early, ada@example.org"))
good[0].sendall(pack(ToGame.STOP, b"left"))
control.close()
run_host(theirs, Stock(), "json", "INFO")
print(bad[0].recv(1), good[0].recv(1))
"""


def test_a_game_that_fails_logs_one_line_with_its_trace_and_the_others_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["b''", "b''"])
    line = json.loads(done.stderr)
    assert line["severity"] == "ERROR"
    assert "a game in process" in line["message"]
    assert "before an assignment" in line["stack_trace"]
    assert "ada" not in done.stderr
