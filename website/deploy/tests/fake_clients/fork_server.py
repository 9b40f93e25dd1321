"""Fork server: loads the clients once and forks a process for each call, so that a call takes about 10 ms.

`python -S fork_server.py SOCKET fakes` serves the fake gcloud and firebase, and a Python for the scripts' modules.
`python -S fork_server.py SOCKET SDK_ROOT`, run by the Python of the SDK, serves this machine's real gcloud.
"""

import gc
import importlib
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

ADDRESS, WHAT = sys.argv[1:]
Main = Callable[[], object]
# Modules that the scripts import, which are loaded once.
LIBRARY = ("argparse", "base64", "dataclasses", "email.message", "hashlib", "hmac", "json", "pathlib", "typing")


def load_programs() -> dict[str, Main]:
    """Return the main functions of the programs by name."""
    if WHAT == "fakes":
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
        gcloud, firebase = (
            importlib.import_module("fake_clients.gcloud"),
            importlib.import_module("fake_clients.firebase"),
        )
        for module in (*LIBRARY, "urllib.request", "http.client"):
            importlib.import_module(module)
        return {"gcloud": gcloud.main, "firebase": firebase.main, "python3": run_module}
    sys.path[:0] = [f"{WHAT}/lib", f"{WHAT}/lib/third_party"]
    os.environ["CLOUDSDK_ROOT_DIR"] = WHAT
    for module in ("googlecloudsdk.calliope.cli", "googlecloudsdk.api_lib.util.apis"):
        importlib.import_module(module)
    main: Main = importlib.import_module("googlecloudsdk.gcloud_main").main
    return {"gcloud": main}


def run_module() -> None:
    """Run `python3 -m MODULE ARGUMENT…` in the caller's environment."""
    name = sys.argv[2]
    sys.argv = sys.argv[2:]
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(":")
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def serve(programs: dict[str, Main]) -> None:
    """Accept connections and fork a process for each."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(ADDRESS)
    listener.listen(16)
    gc.freeze()  # keeps memory shared with the children (copy-on-write)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            answer(connection, programs)
        connection.close()


def answer(connection: socket.socket, programs: dict[str, Main]) -> None:
    """Run a program with the caller's arguments, environment, folder and streams, and send back its exit code."""
    data, files, _, _ = socket.recv_fds(connection, 2**20, 3)
    size = int.from_bytes(data[:4], "big")
    while len(data) < size + 4:
        data += connection.recv(2**20)
    program, folder, count, *rest = (os.fsdecode(part) for part in data[4:].split(b"\0"))
    arguments, variables = rest[: int(count)], rest[int(count) :]
    for stream, file in enumerate(files):
        os.dup2(file, stream)
        os.close(file)
    root = os.environ.get("CLOUDSDK_ROOT_DIR", "")
    os.environ.clear()
    os.environ.update(dict(part.split("=", 1) for part in variables), CLOUDSDK_ROOT_DIR=root)
    os.chdir(folder)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", closefd=False) for stream in (1, 2))
    sys.argv = [program, *arguments]
    code = run(programs[program])
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))
    os._exit(0)


def run(main: Main) -> int:
    """Return the exit code of a program. An exception is printed and returns 1."""
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    except Exception:  # noqa: BLE001 - whatever it is belongs to the program, and is shown as its end
        sys.excepthook(*sys.exc_info())
        return 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    return code if isinstance(code, int) else int(bool(code))


serve(load_programs())
