"""`python -m fake PORT_FILE`: the cloud by itself, for trying resources by hand."""

import sys
import threading
from pathlib import Path

from fake_cloud.cloud import FakeCloud
from fake_cloud.server import FakeServer

with FakeServer(FakeCloud()) as server:
    Path(sys.argv[1]).write_text(str(server.port))
    threading.Event().wait()
