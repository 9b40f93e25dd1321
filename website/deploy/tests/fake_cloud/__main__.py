"""`python -m fake_cloud PORT_FILE`: runs the fake cloud alone, for manual tests."""

import sys
import threading
from pathlib import Path

from fake_cloud.cloud import FakeCloud
from fake_cloud.server import FakeServer

with FakeServer(FakeCloud()) as server:
    Path(sys.argv[1]).write_text(str(server.port))
    threading.Event().wait()
