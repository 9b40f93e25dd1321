"""`skill-arcade publish`: uploads an export to the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import typer

from skill_arcade.export.hub import publish_export


def publish(
    folder: Annotated[Path, typer.Argument(help="A complete export.")],
    repository: Annotated[str, typer.Argument(help="Owner and name of the dataset, such as `ann/breakout-people`.")],
    public: Annotated[bool, typer.Option("--public", help="Everybody can read a new repository.")] = False,
) -> None:
    """Publish an export on the Hugging Face Hub, as a dataset with its card.

    Without `--public` a new repository can be read by its owner only; an existing one stays as it is. Files of an
    earlier version are replaced. The token is the one of `hf auth login`, or `HF_TOKEN`.

    Publish only what the players agreed to: a published export cannot be recalled.
    """
    for address in publish_export(folder, repository, private=not public):
        typer.echo(f"Published: {address}")
