"""An emulator of the Cloud Run API that runs the commands of jobs as processes."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

COMMANDS = {"arcade-export": "export-requested", "arcade-certify": "certify"}


class RunApi(ThreadingHTTPServer):
    """Answers `jobs.run` as Google's discovery document describes it, by starting the job's command."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        api = json.loads((files("googleapiclient") / "discovery_cache/documents/run.v2.json").read_text())
        jobs = api["resources"]["projects"]["resources"]["locations"]["resources"]["jobs"]
        self.method: dict[str, Any] = jobs["methods"]["run"]
        self.body_fields: set[str] = set(api["schemas"][self.method["request"]["$ref"]]["properties"])
        self.environment: dict[str, str] = {}
        self.executions: list[subprocess.Popen[bytes]] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RunApi

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = self.path.removeprefix("/v2/").removesuffix(":run")
        is_valid = self.path[1:] == self.server.method["path"].replace("{+name}", name)
        is_valid = is_valid and re.fullmatch(self.server.method["parameters"]["name"]["pattern"], name) is not None
        status = self.server.status if is_valid and set(body) <= self.server.body_fields else 400
        if status == 200:
            command = [sys.executable, "-m", "skill_arcade", COMMANDS[name.rpartition("/")[2]]]
            self.server.executions.append(subprocess.Popen(command, env={**os.environ, **self.server.environment}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"{}")


@contextmanager
def running_run_api() -> Iterator[RunApi]:
    """Run the API, and end its executions with it."""
    server = RunApi()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        for execution in server.executions:
            execution.kill()
            execution.wait()
