"""A worker process of the certifier.

`python -m skill_arcade.certify.worker {file descriptor}`. It is a new interpreter with a hash seed of its own, so that
it shares nothing with the process that recorded the episode.
"""

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from skill_arcade.child_processes import kill_descendants


def main() -> None:
    """Run jobs until the parent closes the connection or ends."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the parent, which ends this process
    threading.Thread(target=_exit_with_parent, name="exit-with-parent", daemon=True).start()
    # The imports take seconds, at idle priority minutes: a parent that ends meanwhile must be noticed.
    from skill_arcade.certify.worker_jobs import serve_jobs  # noqa: PLC0415

    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    serve_jobs(connection)


def _exit_with_parent() -> None:
    """Exit, and end what environments have started, when the parent's end of standard input is closed."""
    while os.read(0, 4096):
        pass
    kill_descendants(os.getpid())
    os._exit(0)


if __name__ == "__main__":
    main()
