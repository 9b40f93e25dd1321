"""Python imports this module at start: it lets an export allocate more memory than it may."""

import sys

if "skill_arcade.export.stream" in " ".join(sys.orig_argv):
    from skill_arcade.export import formats

    find_format = formats.find_format

    def find_greedy_format(name: formats.FormatName) -> object:
        bytearray(1 << 30)
        return find_format(name)

    formats.find_format = find_greedy_format  # type: ignore[assignment]
