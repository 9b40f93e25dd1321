"""Python imports this module at start: it lets an export take longer than any test."""

import sys
import time

if "skill_arcade.export.stream" in " ".join(sys.orig_argv):
    from skill_arcade.export import formats

    def find_slow_format(_: formats.FormatName) -> object:
        time.sleep(600)
        raise AssertionError("the job should have been killed")

    formats.find_format = find_slow_format  # type: ignore[assignment]
