"""`skill-arcade agents`: adds and lists agents, and lets them play on a running arcade."""

import asyncio
import json
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.agent_version import Observation, VersionFacts, find_unmatched, matches
from skill_arcade.agents.added import describe_target, load_agent
from skill_arcade.agents.catalogue import AGENTS, Agent, find_agent
from skill_arcade.agents.comparison import compare_agents
from skill_arcade.agents.runner import PlayedEpisode, run_agent
from skill_arcade.analysis.aggregates import Interval
from skill_arcade.cli.formatting import make_grid, open_console, print_table
from skill_arcade.client import ConnectionClosed, EpisodeRefused, LockstepUnavailable
from skill_arcade.client.env import Pace
from skill_arcade.client.http import RequestRefused, read_agent, send_version, sign_in, sign_in_agent
from skill_arcade.errors import InvalidRequest, NotFound, NotReady
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database import agents as stored
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction

app = typer.Typer(no_args_is_help=True, help="Add and list agents, and let them play on a running arcade.")
_Result = TypeVar("_Result")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MAX_LISTED = 1000
Name = Annotated[str, typer.Argument(help="Name of the agent.")]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="SKILL_ARCADE_AGENT_TOKEN",
        help="Token of the agent. Without one it signs in by its name, which an arcade that uses Firebase refuses.",
    ),
]
File = Annotated[Path | None, typer.Option(help="Weights, if `agents add` ran on another machine.")]
PaceOption = Annotated[
    Pace,
    typer.Option(
        help="stepped: the game waits for each action. realtime: it runs as for people. lockstep: the agent steps its "
        "own copy of an Atari game at the same rate, without waiting for the network."
    ),
]


@app.command("list")
def list_agents() -> None:
    """List the agents of this arcade's database, and those that are there from the start."""
    settings = read_settings()
    games = load_catalogue(settings.games_folder).games.values()
    grid = make_grid("agent", "version", "format", "games", "sees", "what it does", right=("version", "games"))
    rows = asyncio.run(_run(settings, lambda connection: stored.list_agents(connection, MAX_LISTED)))
    built_in = {agent.name: agent for agent in AGENTS}
    known = {row.name: (f"{row.number}", row.format, row.observation, row.summary, row.games) for row in rows}
    fresh = {name: ("-", agent.format, agent.observes, agent.summary, agent.games) for name, agent in built_in.items()}
    for name, (number, format_, observation, summary, patterns) in sorted((fresh | known).items()):
        agent = built_in.get(name)
        played = [game.id for game in games if (matches(patterns, game.id) if agent is None else agent.plays(game))]
        shown = played[0] if len(played) == 1 else f"{len(played)}"
        grid.add_row(name, number, format_, shown, observation, summary)
    print_table(grid)


@app.command()
def add(
    target: Annotated[str, typer.Argument(metavar="FILE.onnx|module:Class", help="Weights, or a Python class.")],
    name: Annotated[str, typer.Option(help="Name of the agent: lower-case letters, digits and `-`.")],
    game: Annotated[list[str], typer.Option(help="A game that it plays, or a pattern such as minigrid-*.")],
    licence: Annotated[str, typer.Option(help="Licence of the weights or of the source, such as MIT.")],
    summary: Annotated[str | None, typer.Option(help="What it does, in a sentence.")] = None,
    observation: Annotated[
        Observation,
        typer.Option(
            help="What the policy gets. picture: the frame. environment: what the game's environment returns. "
            "atari: 4 grey views of 84 by 84, one action for 4 frames."
        ),
    ] = "picture",
    owner: Annotated[str | None, typer.Option(help="E-mail address of the user who is responsible for it.")] = None,
    env_spec: Annotated[Path | None, typer.Option(help="File with env.spec.to_json() of the training.")] = None,
    action_map: Annotated[
        str | None, typer.Option(metavar="0,2,3", help="Action of the game for each output of the weights.")
    ] = None,
    training: Annotated[Path | None, typer.Option(help="JSON file with facts of its training.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of an arcade that knows the agent, to which a version is added.")
    ] = None,
    token: Token = None,
) -> None:
    """Add an agent to this arcade's database, or a version to an agent. With --url and --token: to another arcade.

    A version never changes. It is loaded once before it is stored; the weights are copied to SKILL_ARCADE_HOME, where
    `agents run` finds them, and are not sent.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"--name {name}: use 1 to 40 lower-case letters, digits and `-`.")
    if name in {agent.name for agent in AGENTS}:
        raise InvalidRequest(f"--name {name}: an agent that is there from the start has this name. Choose another one.")
    settings = read_settings()
    _check_games(settings, game)
    facts = describe_target(
        target,
        games=tuple(game),
        observation=observation,
        env_spec=None if env_spec is None else _read_text(env_spec),
        action_map=None if action_map is None else _read_action_map(action_map),
        training=None if training is None else _read_training(training),
        licence=licence,
    )
    if facts.format == "onnx":
        kept = _weights_path(settings, facts.sha256)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, kept)
    if url is not None:
        number = _send_version(url, token, name, facts, is_new=bool(summary or owner))
    else:
        _, number = asyncio.run(
            _run(settings, lambda connection: stored.add_version(connection, name, facts, summary=summary, owner=owner))
        )
    typer.echo(f"{name}, version {number}: {facts.format}, SHA-256 {facts.sha256}.")


def _send_version(url: str, token: str | None, name: str, facts: VersionFacts, *, is_new: bool) -> int:
    """Add a version at an arcade, signed in as the agent. Return its number. Raises InvalidRequest or NotReady."""
    if token is None or is_new:
        raise InvalidRequest(
            "At another arcade a version is added to an agent that it knows: give the agent's --token, and leave out "
            "--summary and --owner."
        )
    with _explaining(name, url):
        return int(send_version(url, sign_in_agent(url, token), name, asdict(facts))["number"])


@app.command("token")
def make_token(name: Name) -> None:
    """Make a token by which an agent signs in. It is shown once; its hash is stored."""

    async def work(connection: AsyncConnection) -> str:
        return await stored.issue_token(connection, (await stored.find_agent(connection, name)).user_id)

    typer.echo(asyncio.run(_run(read_settings(), work)))


@app.command()
def revoke(name: Name) -> None:
    """Reject all tokens of an agent from now on, and sign it out. A server notices within a minute."""

    async def work(connection: AsyncConnection) -> int:
        return await stored.revoke_tokens(connection, (await stored.find_agent(connection, name)).user_id)

    typer.echo(f"Revoked {asyncio.run(_run(read_settings(), work))} tokens of {name}.")


@app.command()
def run(
    agent: Annotated[str, typer.Argument(help="Name of the agent.")],
    game: Annotated[str, typer.Argument(help="Id of the game.")],
    url: Annotated[str, typer.Option(help="Address of the arcade.")] = "http://localhost:8080",
    episodes: Annotated[int, typer.Option(min=1, help="Number of episodes.")] = 1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the first episode; each next one has the next.")] = 1,
    pace: PaceOption = "stepped",
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the game.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps after which an episode is left.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="Number of the version; by default the newest.")] = None,
    token: Token = None,
    file: File = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each episode.")] = False,
) -> None:
    """Let an agent play on a running arcade, where it is recorded and certified as an agent.

    No view, board, export or question of people counts its episodes.
    """
    terms = _read_terms(url, game, option, range(seed, seed + episodes), pace, max_steps)
    player = _find_player(agent, terms, token, version, file)
    played = []
    try:
        for one in _play(player, terms):
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
    pace: PaceOption = "stepped",
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the game.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps after which an episode is left.")] = None,
) -> None:
    """Let agents play the same seeds of one game, and compare their scores.

    The table has the interquartile mean of each agent, and the mean difference to the first agent by seed, both with an
    interval of 95 % (bootstrap over the episodes). All episodes are recorded as those of agents. They sign in by name.
    """
    if len(set(agents)) < 2:
        raise InvalidRequest("Name at least two different agents; `skill-arcade agents list` lists them.")
    terms = _read_terms(url, game, option, range(seed, seed + episodes), pace, max_steps)
    chosen = {name: _find_player(name, terms, None, None, None) for name in agents}
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


@dataclass(frozen=True, slots=True)
class _Player:
    """An agent that is going to play, and the number of its version, or None if the arcade does not know it."""

    agent: Agent
    version: int | None
    token: str | None


def _read_terms(
    url: str, game: str, option: list[str] | None, seeds: range, pace: Pace, max_steps: int | None
) -> _Terms:
    """Find the game, and read its options. Raises NotFound or InvalidRequest."""
    found = load_catalogue(read_settings().games_folder).find(game, _read_options(option or []))
    if found is None:
        raise NotFound(f"There is no game {game!r}; `skill-arcade games` lists all games.")
    return _Terms(url, *found, seeds, pace, max_steps)


def _find_player(name: str, terms: _Terms, token: str | None, version: int | None, file: Path | None) -> _Player:
    """Find an agent, and which of its versions the arcade knows it as. Raises NotFound or InvalidRequest."""
    built_in = find_agent(name, terms.game) if name in {agent.name for agent in AGENTS} else None
    with _explaining(name, terms.url):
        session = sign_in(terms.url, name) if token is None else sign_in_agent(terms.url, token)
        card = read_agent(terms.url, session, name)
    versions: list[Mapping[str, Any]] = card["versions"]
    if built_in is not None:
        same = [one for one in versions if one["sha256"] == built_in.sha256]
        if not same:
            typer.echo(f"{terms.url} has another version of {name}, so its episodes name no version.", err=True)
        return _Player(built_in, same[0]["number"] if same else None, token)
    found = next((one for one in versions if version in (None, one["number"])), None)
    if found is None:
        raise NotFound(f"The agent {name} has no version {version}; it has {', '.join(_numbers(versions))}.")
    path = file or (_weights_path(read_settings(), found["sha256"]) if found["format"] == "onnx" else None)
    agent = load_agent(name, card["summary"], found, path)
    if not agent.plays(terms.game):
        raise InvalidRequest(f"The agent {name} does not play {terms.game.id}. It plays: {', '.join(agent.games)}.")
    return _Player(agent, found["number"], token)


def _numbers(versions: list[Mapping[str, Any]]) -> list[str]:
    return [str(one["number"]) for one in versions]


def _play(player: _Player, terms: _Terms) -> Iterator[PlayedEpisode]:
    """Let an agent play, with a line that says so on a terminal."""
    url, variant, name = terms.url, terms.game.resolve_variant(terms.options), player.agent.name
    with _explaining(name, url), open_console().status(f"{name} plays {terms.game.name} on {url} ..."):
        yield from run_agent(
            url,
            player.agent,
            variant,
            options=terms.options,
            seeds=terms.seeds,
            pace=terms.pace,
            max_steps=terms.max_steps,
            token=player.token,
            version=player.version,
        )


@contextmanager
def _explaining(name: str, url: str) -> Iterator[None]:
    """Turn errors of the arcade into those of the command."""
    try:
        yield
    except (RequestRefused, ConnectionClosed, EpisodeRefused, LockstepUnavailable) as error:
        raise InvalidRequest(f"The arcade at {url} did not let {name} play on: {error}") from error
    except OSError as error:
        raise NotReady(f"The arcade at {url} does not answer; start it with `website/play`. ({error})") from error


async def _run(settings: Settings, work: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
    async with open_engine(settings) as engine, transaction(engine) as connection:
        await check_schema(connection)
        return await work(connection)


def _weights_path(settings: Settings, sha256: str) -> Path:
    return settings.skill_arcade_home / "agents" / f"{sha256}.onnx"


def _check_games(settings: Settings, patterns: list[str]) -> None:
    """Raise NotFound for a pattern that fits no game."""
    if (pattern := find_unmatched(patterns, load_catalogue(settings.games_folder).games)) is not None:
        raise NotFound(f"--game {pattern}: no game has such an id; `skill-arcade games` lists all games.")


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read as text: {error}") from error


def _read_training(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(_read_text(path))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise InvalidRequest(f'{path}: expected a JSON object, such as {{"frames": 10000000}}.')
    return facts


def _read_action_map(value: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(,\d+)*", value):
        raise InvalidRequest(f"--action-map {value}: expected numbers of actions with commas between them: 0,2,3.")
    return tuple(int(number) for number in value.split(","))


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
