"""Entry point of the command `skill-arcade`. It imports almost nothing until it runs.

Every process that `multiprocessing` spawns imports the main module of its parent. If that were the command line itself,
each child would need 44 MB more and over a second to start.
"""

import sys


def main() -> None:
    """Run the command line. `serve` starts the fork server first, so that it loads while the rest is imported."""
    import gc  # noqa: PLC0415 - see above

    gc.disable()  # almost all objects that imports create stay, and looking for others takes a sixth of the time
    if sys.argv[1:2] == ["serve"]:
        from skill_arcade.play.processes.fork_server_client import get_fork_server  # noqa: PLC0415 - see above

        get_fork_server()
    from skill_arcade.cli import app  # noqa: PLC0415 - see above

    gc.enable()
    app()


if __name__ == "__main__":
    main()
