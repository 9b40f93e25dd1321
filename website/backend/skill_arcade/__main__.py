"""Where the command `skill-arcade` begins. Imports nothing until it runs.

Every process that multiprocessing starts imports the module that its parent began with. Began it with
the command line itself, each game process would carry all of that: 44 MB and more than a second each.
"""


def main() -> None:
    """Run the command line."""
    from skill_arcade.cli import app  # noqa: PLC0415 - see above

    app()


if __name__ == "__main__":
    main()
