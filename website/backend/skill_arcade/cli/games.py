"""`skill-arcade games`: lists games, checks and creates manifests, renders covers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from skill_arcade.cli import formatting
from skill_arcade.environments.control_probe import ineffective_controls
from skill_arcade.environments.cover_art import render_cover_art
from skill_arcade.environments.factory import describe_environment
from skill_arcade.environments.trial import SEEDS, try_game
from skill_arcade.errors import EnvironmentFailed, ManifestError, NotFound
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue, load_manifest
from skill_arcade.games.draft import draft_manifest
from skill_arcade.settings import read_settings

app = typer.Typer(help="List games, check and create manifests, render covers.", invoke_without_command=True)


@app.callback()
def list_games(ctx: typer.Context) -> None:
    """List games, check and create manifests, render covers."""
    if ctx.invoked_subcommand is not None:
        return
    folder = read_settings().games_folder
    catalogue = load_catalogue(folder)
    if not catalogue.games:
        raise NotFound(f"No manifest was found in {folder or 'this package'}: check GAMES_FOLDER.")
    formatting.print_table(formatting.games_table(catalogue.games.values()))


@app.command()
def check(
    file: Annotated[list[Path], typer.Argument(help="Manifests: files GAME.yaml.", exists=True, dir_okay=False)],
) -> None:
    """Check manifests: their fields, their environments, and whether each control has an effect.

    The environment plays some hundred steps with several seeds, in processes of its own: whether everything can be
    recorded, repeated and shown, how long a step takes, and what Gymnasium's own checker says.

    A control without an effect in scripted play is a warning, because its effect may need a situation that the
    script did not reach.
    """
    faults = 0
    for path in file:
        game = load_manifest(path)
        with formatting.open_console().status(f"{path}: playing {len(SEEDS)} episodes in two processes ..."):
            report = try_game(game)
        found = report.problems
        for warning in report.warnings:
            typer.echo(f"{path}: warning: {warning}")
        if not found:
            step_times = f"{report.n_steps} steps, {report.median_step_ms} ms each (median)"
            typer.echo(f"{path}: played {step_times}, at most {report.max_step_ms} ms.")
            try:
                with formatting.open_console().status(f"{path}: pressing every control ..."):
                    ineffective = ineffective_controls(game)
            except EnvironmentFailed as error:
                found, ineffective = [str(error)], set()
            for control in sorted(ineffective):
                typer.echo(f"{path}: warning: pressing {control} never changed the picture; check its action.")
        faults += len(found)
        for fault in found:
            typer.echo(f"{path}: {fault}", err=True)
        if not found:
            typer.echo(f"{path}: OK")
    if faults:
        raise ManifestError(f"{faults} problems found.")


@app.command()
def add(
    env_id: Annotated[str, typer.Argument(help="Gymnasium id; `module:id` imports the module that registers it.")],
    name: Annotated[str | None, typer.Option(help="Name of the game; default: derived from the id.")] = None,
) -> None:
    """Write a draft of a manifest for an installed Gymnasium environment."""
    folder = read_settings().games_folder or MANIFESTS
    game_id, text = draft_manifest(describe_environment(env_id), name)
    path = folder / f"{game_id}.yaml"
    if path.exists():
        raise ManifestError(f"{path} exists already: delete it first, or edit it.")
    path.write_text(text, encoding="utf-8")
    typer.echo(f"Wrote {path}: edit summary, labels and keys, then run `skill-arcade games check {path}`.")


@app.command()
def covers(
    game: Annotated[list[str] | None, typer.Argument(help="Ids of games; default: all games without a cover.")] = None,
) -> None:
    """Render the cover and the animated preview of games from a few seconds of scripted play."""
    folder = read_settings().games_folder or MANIFESTS.parent
    games = load_catalogue(read_settings().games_folder).games
    unknown = [name for name in game or () if name not in games]
    if unknown:
        raise NotFound(f"Unknown game: {', '.join(unknown)}; `skill-arcade games` lists all games.")
    selected = game or [name for name in games if not (folder / "covers" / f"{name}.webp").exists()]
    for kind in ("covers", "previews"):
        (folder / kind).mkdir(exist_ok=True)
    for name in track(selected, description="Rendering"):
        art = render_cover_art(games[name])
        (folder / "covers" / f"{name}.webp").write_bytes(art.cover)
        (folder / "previews" / f"{name}.webp").write_bytes(art.preview)
    typer.echo(f"Rendered {len(selected)} games in {folder}.")
