"""`skill-arcade games`: list them, check a manifest, write a first one, draw their pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from skill_arcade.cli import formatting
from skill_arcade.environments.control_probe import ineffective_controls
from skill_arcade.environments.cover_art import render_cover_art
from skill_arcade.environments.factory import describe_environment
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.errors import ManifestError, NotFound
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue, load_manifest
from skill_arcade.games.draft import draft_manifest
from skill_arcade.settings import read_settings

app = typer.Typer(help="List the games that can be played; check, add and draw them.", invoke_without_command=True)


@app.callback()
def list_games(ctx: typer.Context) -> None:
    """List the games that can be played; check, add and draw them."""
    if ctx.invoked_subcommand is not None:
        return
    folder = read_settings().games_folder
    catalogue = load_catalogue(folder)
    if not catalogue.games:
        raise NotFound(f"There is no manifest of a game in {folder or 'this package'}.")
    formatting.print_table(formatting.games_table(catalogue.games.values()))


@app.command()
def check(
    file: Annotated[list[Path], typer.Argument(help="Manifests, as GAME.yaml.", exists=True, dir_okay=False)],
) -> None:
    """Say what is wrong with a manifest: its fields, whether its environment is as it says, and controls do something.

    A control that changes the picture at no moment of a scripted play may need a key or a ladder that the script did
    not find, so that is told and not counted.
    """
    faults = 0
    for path in file:
        game = load_manifest(path)
        found = validate_game(game)
        if not found:
            with formatting.open_console().status(f"{path}: pressing every control ..."):
                silent = ineffective_controls(game)
            for control in sorted(silent):
                typer.echo(
                    f"{path}: {control} was pressed again and again, and changed no picture. Is its action right?"
                )
        faults += len(found)
        for fault in found:
            typer.echo(f"{path}: {fault}", err=True)
        if not found:
            typer.echo(f"{path}: plays as it says.")
    if faults:
        raise ManifestError(f"{faults} things to mend.")


@app.command()
def add(
    env_id: Annotated[str, typer.Argument(help="A Gymnasium id; `module:id` imports the module that registers it.")],
    name: Annotated[str | None, typer.Option(help="The game's name; none: from the id.")] = None,
) -> None:
    """Write a first manifest for any installed Gymnasium environment, for you to put into words."""
    folder = read_settings().games_folder or MANIFESTS
    game_id, text = draft_manifest(describe_environment(env_id), name)
    path = folder / f"{game_id}.yaml"
    if path.exists():
        raise ManifestError(f"{path} is there already.")
    path.write_text(text, encoding="utf-8")
    typer.echo(f"{path} is written: put summary, labels and keys into words, then `skill-arcade games check {path}`.")


@app.command()
def covers(
    game: Annotated[list[str] | None, typer.Argument(help="Ids; none: every game without pictures.")] = None,
) -> None:
    """Draw each game's cover and moving preview from a few seconds of scripted play."""
    folder = read_settings().games_folder or MANIFESTS.parent
    games = load_catalogue(read_settings().games_folder).games
    unknown = [name for name in game or () if name not in games]
    if unknown:
        raise NotFound(f"There is no game {', '.join(unknown)}; `skill-arcade games` lists them.")
    wanted = game or [name for name in games if not (folder / "covers" / f"{name}.webp").exists()]
    for kind in ("covers", "previews"):
        (folder / kind).mkdir(exist_ok=True)
    for name in track(wanted, description="Drawing"):
        portrait = render_cover_art(games[name])
        (folder / "covers" / f"{name}.webp").write_bytes(portrait.cover)
        (folder / "previews" / f"{name}.webp").write_bytes(portrait.preview)
    typer.echo(f"{len(wanted)} games drawn in {folder}.")
