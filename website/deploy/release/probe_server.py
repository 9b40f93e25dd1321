"""The server that `prove` starts on Cloud Run: it answers with what it sees. Standard library of any Python 3."""

import http.server
import json
import os
import time
import urllib.parse
from pathlib import Path

STARTED_AT = time.time()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every path with facts about the request and the container. `/hold?seconds=N` answers after N seconds."""

    def do_GET(self) -> None:
        """Answer."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        time.sleep(float(query.get("seconds", ["0"])[0]))
        volume = Path("/journal").stat()
        facts = {
            "path": self.path,
            "started_at": STARTED_AT,
            "forwarded_for": self.headers.get("x-forwarded-for", ""),
            "volume_owner": volume.st_uid,
            "volume_mode": oct(volume.st_mode & 0o777),
        }
        data = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
