"""Entry point of `website/play` and `website/test`, and of the check `build`."""

import signal
import sys
from typing import Any

from devtools import play, setup, test

COMMANDS: dict[str, Any] = {"play": play.main, "test": test.main, "build": lambda _: setup.build_page()}
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends this process and all that it runs, without a traceback
COMMANDS[sys.argv[1]](sys.argv[2:])
