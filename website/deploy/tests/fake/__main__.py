"""`python -m fake PORT_FILE`: the cloud by itself, for trying things by hand."""

import sys
import threading
from pathlib import Path

from fake.cloud import Cloud
from fake.server import Server

with Server(Cloud()) as server:
    Path(sys.argv[1]).write_text(str(server.port))
    threading.Event().wait()
