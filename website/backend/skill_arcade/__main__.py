"""Where the command `skill-arcade` begins. Imports next to nothing until it runs.

Every process that multiprocessing starts imports the module that its parent began with. Began it with
the command line itself, each game process would carry all of that: 44 MB and more than a second each.
"""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["serve"]:
        from skill_arcade.play.processes.fork_server_client import get_fork_server  # noqa: PLC0415 - see above

        get_fork_server()
    from skill_arcade.cli import app  # noqa: PLC0415 - see above

    app()


if __name__ == "__main__":
    main()
