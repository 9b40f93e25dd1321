"""Where game processes are forked from: a process that has imported all they need, so that one is there at once.

Imports nothing of ours: it is started first of all, and gets ready on another core while the server imports its own.
"""

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

PRELOADED = ["skill_arcade.play.preload"]


def open_nursery() -> ForkServerContext:
    """The context that game processes are made in. The first call starts their parent and does not wait for it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    return context
