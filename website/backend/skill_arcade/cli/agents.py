"""`skill-arcade agents`: lists the agents that are there from the start, and lets them play on a running arcade."""

import json
import re
from dataclasses import asdict
from typing import Annotated

import typer

from skill_arcade.agents.catalogue import AGENTS, find_agent
from skill_arcade.agents.runner import PlayedEpisode, run_agent
from skill_arcade.cli.formatting import make_grid, open_console, print_table
from skill_arcade.client import ConnectionClosed
from skill_arcade.client.env import Pace
from skill_arcade.client.http import RequestRefused
from skill_arcade.errors import InvalidRequest, NotFound, NotReady
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="List scripted agents, and let them play on a running arcade.")


@app.command("list")
def list_agents() -> None:
    """List the agents that are there from the start, with the number of games that each plays."""
    games = load_catalogue(read_settings().games_folder).games.values()
    grid = make_grid("agent", "games", "sees", "what it does", right=("games",))
    for agent in AGENTS:
        played = [game.id for game in games if agent.plays(game)]
        shown = played[0] if len(played) == 1 else f"{len(played)}"
        grid.add_row(agent.name, shown, agent.observes, agent.summary)
    print_table(grid)


@app.command()
def run(
    agent: Annotated[str, typer.Argument(help="Name of the agent.")],
    game: Annotated[str, typer.Argument(help="Id of the game.")],
    url: Annotated[str, typer.Option(help="Address of the arcade.")] = "http://localhost:8080",
    episodes: Annotated[int, typer.Option(min=1, help="Number of episodes.")] = 1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the first episode; each next one has the next.")] = 1,
    pace: Annotated[Pace, typer.Option(help="stepped: the game waits for it. realtime: it runs as for people.")] = (
        "stepped"
    ),
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the game.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps after which an episode is left.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each episode.")] = False,
) -> None:
    """Let an agent play on a running arcade, where it is recorded and certified as a program.

    No view, board, export or question of people counts its episodes.
    """
    found = load_catalogue(read_settings().games_folder).find(game, _read_options(option or []))
    if found is None:
        raise NotFound(f"There is no game {game!r}; `skill-arcade games` lists all games.")
    manifest, options = found
    chosen, variant = find_agent(agent, manifest), manifest.resolve_variant(options)
    seeds = range(seed, seed + episodes)
    played = []
    try:
        with open_console().status(f"{agent} plays {manifest.name} on {url} ..."):
            for one in run_agent(url, chosen, variant, options=options, seeds=seeds, pace=pace, max_steps=max_steps):
                played.append(one)
                if as_json:
                    typer.echo(json.dumps(asdict(one)))
    except (RequestRefused, ConnectionClosed) as error:
        raise InvalidRequest(f"The arcade at {url} did not let {agent} play on: {error}") from error
    except OSError as error:
        raise NotReady(f"The arcade at {url} does not answer; start it with `website/play`. ({error})") from error
    finally:
        if played and not as_json:
            _print_episodes(played)


def _print_episodes(played: list[PlayedEpisode]) -> None:
    numbers = ("seed", "steps", "score", "s")
    grid = make_grid("episode", *numbers, "", right=numbers)
    for one in played:
        end = "" if one.is_over else "left"
        grid.add_row(one.id, f"{one.seed}", f"{one.n_steps}", f"{one.score:g}", f"{one.seconds:.1f}", end)
    print_table(grid)


def _read_options(texts: list[str]) -> dict[str, str]:
    """Read options of the form NAME=VALUE. Raises InvalidRequest for other text."""
    for text in texts:
        if not re.fullmatch(r"[^=]+=.+", text):
            raise InvalidRequest(f"--option {text}: expected NAME=VALUE, such as disks=5.")
    return dict(text.split("=", 1) for text in texts)
