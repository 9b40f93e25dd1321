"""`skill-arcade games`: lists games, checks and creates manifests, renders covers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from skill_arcade.cli import formatting
from skill_arcade.environments.atari_facts import find_atari_facts
from skill_arcade.environments.control_probe import ineffective_controls
from skill_arcade.environments.cover_art import render_cover_art
from skill_arcade.environments.factory import describe_environment
from skill_arcade.environments.trial import SEEDS, try_game
from skill_arcade.errors import EnvironmentFailed, ManifestError, NotFound
from skill_arcade.games.catalogue import MANIFESTS, load_catalogue, load_manifests, read_manifest_file
from skill_arcade.games.draft import draft_manifest
from skill_arcade.games.families import expand_family, format_facts
from skill_arcade.games.manifest import Manifest
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
    games: Annotated[
        list[str], typer.Argument(metavar="GAME...", help="Files of manifests, or ids or former ids of games.")
    ],
) -> None:
    """Check games: the fields of their manifests, their environments, and whether each control has an effect.

    The environment plays some hundred steps with several seeds, in processes of its own: whether everything can be
    recorded, repeated and shown, how long a step takes, and what Gymnasium's own checker says.

    A control without an effect in scripted play is a warning, because its effect may need a situation that the
    script did not reach.
    """
    faults = sum(_check_game(place, game) for name in games for place, game in _find_games(name))
    if faults:
        raise ManifestError(f"{faults} problems found.")


def _find_games(name: str) -> list[tuple[str, Manifest]]:
    """Return the games of a file, or the game with an id, each with the text by which messages name it.

    A former id gives the variant that it stands for.
    """
    path = Path(name)
    if path.suffix == ".yaml":
        if not path.is_file():
            raise NotFound(f"{path}: no such file.")
        found = load_manifests(path)
        return [(name if len(found) == 1 else f"{name}: {game}", manifest) for game, manifest in found.items()]
    found_game = load_catalogue(read_settings().games_folder).find(name)
    if found_game is None:
        raise NotFound(f"{name}: neither a file GAME.yaml nor a game; `skill-arcade games` lists all games.")
    game, options = found_game
    return [(name, game.resolve_variant(options) if options else game)]


def _check_game(place: str, game: Manifest) -> int:
    """Check one game, print what was found, and return the number of problems."""
    with formatting.open_console().status(f"{place}: playing {len(SEEDS)} episodes in two processes ..."):
        report = try_game(game)
    found = report.problems
    for warning in report.warnings:
        typer.echo(f"{place}: warning: {warning}")
    if not found:
        step_times = f"{report.n_steps} steps, {report.median_step_ms} ms each (median)"
        typer.echo(f"{place}: played {step_times}, at most {report.max_step_ms} ms.")
        try:
            with formatting.open_console().status(f"{place}: pressing every control ..."):
                ineffective = ineffective_controls(game)
        except EnvironmentFailed as error:
            found, ineffective = [str(error)], set()
        for control in sorted(ineffective):
            typer.echo(f"{place}: warning: pressing {control} never changed the picture; check its action.")
    for fault in found:
        typer.echo(f"{place}: {fault}", err=True)
    if not found:
        typer.echo(f"{place}: OK")
    return len(found)


@app.command()
def facts() -> None:
    """Ask ALE for the meanings of actions, modes and difficulties of its games, and write them beside the manifests."""
    for path in sorted((read_settings().games_folder or MANIFESTS).glob("*.yaml")):
        content = read_manifest_file(path)
        if "facts" not in content:
            continue
        games = expand_family(path, content, with_facts=False)
        progress = track(games.items(), description=f"{path.name}")
        found = {game: find_atari_facts(fields) for game, fields in progress}
        target = path.parent / content["facts"]
        target.write_text(format_facts(found), encoding="utf-8")
        typer.echo(f"Wrote {target}: {len(found)} games.")


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
def publish(
    folder: Annotated[Path, typer.Argument(help="Folder of a built page.", exists=True, file_okay=False)],
) -> None:
    """Write games.json and all pictures into a built page, whose site then serves them instead of a server."""
    from skill_arcade.web.game_assets import GameAssets  # noqa: PLC0415 - the web framework takes 0.3 s

    settings = read_settings()
    catalogue = load_catalogue(settings.games_folder)
    n_pictures = GameAssets(catalogue, settings.games_folder).write(folder)
    typer.echo(f"{folder}: wrote {len(catalogue.games)} games and {n_pictures} pictures.")


@app.command()
def covers(
    game: Annotated[
        list[str] | None, typer.Argument(help="Ids or former ids of games; default: all games without a cover.")
    ] = None,
) -> None:
    """Render the cover and the animated preview of games from a few seconds of scripted play.

    A former id stands for its game, whose cover all variants share.
    """
    folder = read_settings().games_folder or MANIFESTS.parent
    catalogue = load_catalogue(read_settings().games_folder)
    games, named = catalogue.games, dict.fromkeys(catalogue.current_id(name) for name in game or ())
    unknown = [name for name in named if name not in games]
    if unknown:
        raise NotFound(f"Unknown game: {', '.join(unknown)}; `skill-arcade games` lists all games.")
    selected = list(named) or [name for name in games if not (folder / "covers" / f"{name}.webp").exists()]
    for kind in ("covers", "previews"):
        (folder / kind).mkdir(exist_ok=True)
    for name in track(selected, description="Rendering"):
        art = render_cover_art(games[name])
        (folder / "covers" / f"{name}.webp").write_bytes(art.cover)
        (folder / "previews" / f"{name}.webp").write_bytes(art.preview)
    typer.echo(f"Rendered {len(selected)} games in {folder}.")
