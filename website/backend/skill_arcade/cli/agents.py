"""`skill-arcade agents`: lists the agents that are there from the start, and lets them play on a running arcade."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from skill_arcade.agents.catalogue import AGENTS, Agent, find_agent
from skill_arcade.agents.comparison import compare_agents
from skill_arcade.agents.runner import PlayedEpisode, run_agent
from skill_arcade.analysis.aggregates import Interval
from skill_arcade.cli.formatting import make_grid, open_console, print_table
from skill_arcade.client import ConnectionClosed
from skill_arcade.client.env import Pace
from skill_arcade.client.http import RequestRefused
from skill_arcade.errors import InvalidRequest, NotFound, NotReady
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
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
    terms = _read_terms(url, game, option, range(seed, seed + episodes), pace, max_steps)
    played = []
    try:
        for one in _play(find_agent(agent, terms.game), terms):
            played.append(one)
            if as_json:
                typer.echo(json.dumps(asdict(one)))
    finally:
        if played and not as_json:
            _print_episodes(played)


@app.command()
def compare(
    agents: Annotated[list[str], typer.Argument(help="Names of the agents; they are compared with the first one.")],
    game: Annotated[str, typer.Option(help="Id of the game.")],
    url: Annotated[str, typer.Option(help="Address of the arcade.")] = "http://localhost:8080",
    episodes: Annotated[int, typer.Option(min=2, help="Number of episodes of each agent.")] = 10,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the first episode; each next one has the next.")] = 1,
    pace: Annotated[Pace, typer.Option(help="stepped: the game waits for them. realtime: it runs as for people.")] = (
        "stepped"
    ),
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the game.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps after which an episode is left.")] = None,
) -> None:
    """Let agents play the same seeds of one game, and compare their scores.

    The table has the interquartile mean of each agent, and the mean difference to the first agent by seed, both with an
    interval of 95 % (bootstrap over the episodes). All episodes are recorded as those of programs.
    """
    if len(set(agents)) < 2:
        raise InvalidRequest("Name at least two different agents; `skill-arcade agents list` lists them.")
    terms = _read_terms(url, game, option, range(seed, seed + episodes), pace, max_steps)
    chosen = {name: find_agent(name, terms.game) for name in agents}
    played = {name: list(_play(agent, terms)) for name, agent in chosen.items()}
    try:
        results = compare_agents(played)
    except ValueError as error:
        raise InvalidRequest(f"The scores cannot be compared: {error}.") from error
    numbers = ("episodes", "score", "95 %", "to the first", "95 %")
    grid = make_grid("agent", *numbers, "", right=numbers)
    for one in results:
        left = f"{one.n_left} left at {max_steps} steps" if one.n_left else ""
        differs = ("", "") if one.difference is None else _format_interval(one.difference)
        grid.add_row(one.name, f"{one.n_episodes}", *_format_interval(one.middle), *differs, left)
    print_table(grid)
    chosen_options = " ".join(f"{name}={value}" for name, value in terms.options.items()) or "default options"
    typer.echo(f"{terms.game.name}, {chosen_options}, pace {pace}, seeds {seed} to {seed + episodes - 1}.")


@dataclass(frozen=True, slots=True)
class _Terms:
    """What agents play, and how."""

    url: str
    game: Manifest
    options: dict[str, str]
    seeds: range
    pace: Pace
    max_steps: int | None


def _read_terms(
    url: str, game: str, option: list[str] | None, seeds: range, pace: Pace, max_steps: int | None
) -> _Terms:
    """Find the game, and read its options. Raises NotFound or InvalidRequest."""
    found = load_catalogue(read_settings().games_folder).find(game, _read_options(option or []))
    if found is None:
        raise NotFound(f"There is no game {game!r}; `skill-arcade games` lists all games.")
    return _Terms(url, *found, seeds, pace, max_steps)


def _play(agent: Agent, terms: _Terms) -> Iterator[PlayedEpisode]:
    """Let an agent play, with a line that says so on a terminal."""
    url, variant = terms.url, terms.game.resolve_variant(terms.options)
    try:
        with open_console().status(f"{agent.name} plays {terms.game.name} on {url} ..."):
            yield from run_agent(
                url,
                agent,
                variant,
                options=terms.options,
                seeds=terms.seeds,
                pace=terms.pace,
                max_steps=terms.max_steps,
            )
    except (RequestRefused, ConnectionClosed) as error:
        raise InvalidRequest(f"The arcade at {url} did not let {agent.name} play on: {error}") from error
    except OSError as error:
        raise NotReady(f"The arcade at {url} does not answer; start it with `website/play`. ({error})") from error


def _format_interval(interval: Interval) -> tuple[str, str]:
    return f"{interval.estimate:.4g}", f"{interval.low:.4g} to {interval.high:.4g}"


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
