"""Agents that somebody has added to an arcade: weights in ONNX, or a Python class."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from skill_arcade.agent_version import Observation, VersionFacts
from skill_arcade.agents.atari import AtariViewPolicy
from skill_arcade.agents.catalogue import Agent, hash_source
from skill_arcade.agents.onnx import OnnxPolicy
from skill_arcade.agents.policy import Policy
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.manifest import Manifest

_ENTRY_POINT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def describe_target(
    target: str,
    *,
    games: tuple[str, ...],
    observation: Observation,
    env_spec: str | None = None,
    action_map: tuple[int, ...] | None = None,
    training: Mapping[str, Any] | None = None,
    licence: str,
) -> VersionFacts:
    """Describe a file of weights, or an entry point `module:Class`, after it was loaded once.

    Args:
        target: the file, whose name ends in `.onnx`, or the entry point.
        games: patterns of ids of the games that it plays.
        observation: what its policy gets.
        env_spec: JSON of Gymnasium's `EnvSpec`, as `env.spec.to_json()` gives it.
        action_map: action of the game for each action of the policy.
        training: facts of its training. What an ONNX file says about itself is added.
        licence: licence of the weights or of the source.

    Raises:
        InvalidRequest: it cannot be loaded, or a fact is not what it should be.
    """
    spec = None if env_spec is None else read_env_spec(env_spec)
    if target.endswith(".onnx"):
        policy = OnnxPolicy(Path(target), action_map)
        if action_map is not None and policy.n_outputs not in (None, len(action_map)):
            raise InvalidRequest(
                f"{target} has {policy.n_outputs} actions, and the action map {len(action_map)}. Give one for each."
            )
        facts = {**policy.metadata, **(training or {})}
        digest = hash_file(Path(target))
        return VersionFacts(digest, "onnx", games, observation, None, spec, action_map, facts, licence)
    if action_map is not None:
        raise InvalidRequest("An action map is for weights. The class of an entry point returns actions of the game.")
    load_class(target)
    digest = hash_source(target.partition(":")[0])
    return VersionFacts(digest, "entry-point", games, observation, target, spec, None, dict(training or {}), licence)


def load_agent(name: str, summary: str, version: Mapping[str, Any], file: Path | None) -> Agent:
    """Return the agent that a version describes, as the arcade's API gives it. `file` has its weights.

    Raises:
        NotFound: the weights are not at `file`.
        InvalidRequest: weights or source differ from those of the version, or cannot be loaded.
    """
    entry_point, action_map = version["entry_point"], version["action_map"]
    if version["format"] == "onnx":
        if file is None or not file.is_file():
            raise NotFound(f"The weights of {name} are not at {file}. Give their file with --file.")
        if hash_file(file) != version["sha256"]:
            raise InvalidRequest(
                f"{file} has other weights than version {version['number']} of {name}. Add them as another version "
                "with `skill-arcade agents add`, or give the right file with --file."
            )
        policy = OnnxPolicy(file, action_map)
        make: Callable[[Manifest, int], Policy] = lambda _game, _n_actions: policy  # noqa: E731
    else:
        class_ = load_class(entry_point)
        if hash_source(entry_point.partition(":")[0]) != version["sha256"]:
            raise InvalidRequest(
                f"The source of {entry_point} differs from that of version {version['number']} of {name}. Add it as "
                "another version with `skill-arcade agents add`."
            )
        make = lambda _game, n_actions: class_(n_actions)  # noqa: E731
    games = tuple(version["games"])
    if version["observation"] != "atari":
        observes: Observation = version["observation"]
        return Agent(name, summary, games, make, version["sha256"], entry_point, observes, version["format"])
    return Agent(
        name,
        summary,
        games,
        lambda game, n_actions: AtariViewPolicy(make(game, n_actions)),
        version["sha256"],
        entry_point,
        "picture",
        version["format"],
    )


def load_class(entry_point: str) -> Callable[[int], Policy]:
    """Return the class of an entry point `module:Class`, which is called with the number of actions.

    Raises:
        InvalidRequest: there is no such class, or it cannot be imported.
    """
    if not _ENTRY_POINT.fullmatch(entry_point):
        raise InvalidRequest(f"{entry_point!r} is neither a file that ends in .onnx nor an entry point module:Class.")
    module, _, name = entry_point.partition(":")
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.append(folder)
    try:
        found: Callable[[int], Policy] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidRequest(
            f"{entry_point} cannot be imported: {error}. The module must be in this folder or installed."
        ) from error
    missing = [method for method in ("start", "choose") if not callable(getattr(found, method, None))]
    if missing:
        raise InvalidRequest(f"{entry_point} has no method {' and no method '.join(missing)}; see docs/programs.md.")
    return found


def read_env_spec(text: str) -> dict[str, Any]:
    """Return Gymnasium's `EnvSpec` as JSON, after Gymnasium has read it. Raises InvalidRequest."""
    from gymnasium.envs.registration import EnvSpec  # noqa: PLC0415  (half a second)

    try:
        EnvSpec.from_json(text)
        spec = json.loads(text)
    except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise InvalidRequest(
            f"The environment specification is not one that Gymnasium reads: {error}. Write it with env.spec.to_json()."
        ) from error
    if not isinstance(spec, dict):
        raise InvalidRequest("The environment specification is not a JSON object. Write it with env.spec.to_json().")
    return spec


def hash_file(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal. Raises NotFound."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.") from error
