"""Builds the front end if its sources changed. `website/test` runs this as the check `build`."""

from devtools.frontend import build_page


def main(arguments: list[str]) -> int:
    """Build the front end. The command takes no arguments."""
    del arguments
    build_page()
    return 0
