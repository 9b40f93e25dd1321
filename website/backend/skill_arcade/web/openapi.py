"""`python -m skill_arcade.web.openapi` prints openapi.json. The output is deterministic."""

import json
import sys

from skill_arcade.web.app import create_app


def print_document() -> None:
    """Write the OpenAPI document to standard output."""
    json.dump(create_app().openapi(), sys.stdout, indent=2, sort_keys=True, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    print_document()
