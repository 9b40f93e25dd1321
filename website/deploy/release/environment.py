"""Writes what gcloud's --env-vars-file reads: `python3 -m release.environment FILE NAME=VALUE...`.

As JSON every value is a string, whatever is in it; gcloud refuses 16 and cuts at a comma elsewhere.
"""

import json
from pathlib import Path

from release.trouble import Trouble, run_main


def main(arguments: list[str]) -> None:
    """Write the file; a value that is empty is left out, so that the server's own default holds."""
    file, *pairs = arguments
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in values:
            raise Trouble(f"{name} is not NAME=VALUE, or there twice")
        if value:
            values[name] = value
    Path(file).write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    run_main(main)
