"""Builds the page when its sources changed; `website/test` runs this as a check of its own."""

from devtools.frontend import build_page


def main(arguments: list[str]) -> int:
    """Build it; takes no arguments."""
    del arguments
    build_page()
    return 0
