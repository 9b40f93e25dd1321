"""Writes a file for gcloud's option --env-vars-file: `python3 -m release.environment FILE NAME=VALUE...`.

The file is JSON, so that every value is a string. In other formats gcloud rejects numbers and splits values at commas.
"""

import json
from pathlib import Path

from release.errors import UserFacingError, run_main


def main(arguments: list[str]) -> None:
    """Write the file. Empty values are omitted, so that the server uses its default."""
    file, *pairs = arguments
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in values:
            raise UserFacingError(f"{name} is not of the form NAME=VALUE, or is given twice")
        if value:
            values[name] = value
    Path(file).write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    run_main(main)
