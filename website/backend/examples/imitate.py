"""Learns a policy from recorded play, in PyTorch; writes it as ONNX, and lets it play in the arcade.

python examples/imitate.py cart-pole                        # people's episodes of this arcade
python examples/imitate.py minigrid-door-key --ids played.jsonl   # those that `skill-arcade agents run --json` printed
python examples/imitate.py cart-pole --minari FOLDER        # of `skill-arcade export --format minari FOLDER`
python examples/imitate.py pong --align shift_15 --device cuda    # people act on what they saw 250 ms before
... --out clone.onnx --curve curve.csv --card clone.json    # then: skill-arcade agents add clone.onnx ...

It needs torch and onnx: pip install torch onnx
"""

import argparse
import csv
import hashlib
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import skill_arcade.dataset as sa
from skill_arcade.agents.atari import AtariViewPolicy
from skill_arcade.agents.policy import Policy
from skill_arcade.environments.factory import make_environment
from skill_arcade.exact_json import decode_info
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import read_settings

BATCH = 256
N_OBJECTS, N_COLOURS, N_STATES = 11, 6, 4
"""Values of the three numbers of a MiniGrid cell."""
Inputs = dict[str, NDArray[Any]]
Batches = Callable[[int], Iterator[tuple[Inputs, NDArray[np.int64]]]]
"""Yields all samples once, shuffled by a seed."""


@dataclass(frozen=True)
class Samples:
    """Observations with what was done: those to learn from, and those of other episodes to check with."""

    train: Batches
    check: Batches
    n_train: int
    example: Inputs
    """One observation, with a batch of 1 before it."""


class VectorNet(nn.Module):
    """For an observation that is a vector: two hidden layers, after a scaling that is part of the model."""

    def __init__(self, mean: Tensor, deviation: Tensor, n_actions: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        size = mean.numel()
        self.layers = nn.Sequential(
            nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, n_actions)
        )

    def forward(self, observation: Tensor) -> Tensor:
        """Return one value for each action."""
        values: Tensor = self.layers((observation - self.mean) / self.deviation)
        return values


class GridNet(nn.Module):
    """For MiniGrid: the 7 by 7 cells that are seen, each as object, colour and state, and the direction. No mission."""

    def __init__(self, n_actions: int) -> None:
        super().__init__()
        size = 7 * 7 * (N_OBJECTS + N_COLOURS + N_STATES) + 4
        self.layers = nn.Sequential(
            nn.Linear(size, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, n_actions)
        )

    def forward(self, image: Tensor, direction: Tensor) -> Tensor:
        """Return one value for each action."""
        parts = [
            (image[..., place, None] == torch.arange(n, device=image.device)).float().flatten(1)
            for place, n in enumerate((N_OBJECTS, N_COLOURS, N_STATES))
        ]
        faces = (direction[:, None] == torch.arange(4, device=direction.device)).float()
        values: Tensor = self.layers(torch.cat([*parts, faces], dim=1))
        return values


class AtariNet(nn.Module):
    """The network of Mnih et al. 2015 (doi:10.1038/nature14236), for 4 views of 84 by 84.

    What is always there is taken out of the views: a ball of two pixels is not learned beside a bright court.
    """

    def __init__(self, mean: Tensor, deviation: Tensor, n_actions: int) -> None:
        """Scale by the mean of each pixel, (84, 84), and by the standard deviation of all, ()."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.layers = nn.Sequential(
            *(
                nn.Conv2d(4, 32, 8, 4),
                nn.ReLU(),
                nn.Conv2d(32, 64, 4, 2),
                nn.ReLU(),
                nn.Conv2d(64, 64, 3, 1),
                nn.ReLU(),
            ),
            *(nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, n_actions)),
        )

    def forward(self, views: Tensor) -> Tensor:
        """Return one value for each action."""
        values: Tensor = self.layers((views.float() - self.mean) / self.deviation)
        return values


class NetPolicy(Policy):
    """Plays with a network: the action with the greatest value."""

    def __init__(self, net: nn.Module) -> None:
        self._net = net

    def start(self, seed: int) -> None:
        """Begin an episode. A network has no state."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Return an action for an observation of the game, or for the views of an Atari agent."""
        device = next(self._net.parameters()).device
        inputs = [torch.from_numpy(array).to(device) for array in name_inputs(observation).values()]
        with torch.no_grad():
            return int(self._net(*inputs).argmax())


def name_inputs(observation: Any) -> Inputs:
    """Return the inputs of a network for one observation, with a batch of 1."""
    if isinstance(observation, Mapping):
        image = np.asarray(observation["image"], np.int64)[None]
        return {"image": image, "direction": np.asarray(observation["direction"], np.int64)[None]}
    array = np.asarray(observation)
    return {"observation": array[None] if array.dtype == np.uint8 else array.astype(np.float32)[None]}


def read_samples(episodes: list[sa.Episode], game: Manifest, align: str, cache: Path) -> Samples:
    """Read observations and actions. A tenth of the episodes, at least one, is kept to check with."""
    n_check = max(1, len(episodes) // 10)
    parts = (episodes[n_check:] or episodes, episodes[:n_check])
    if game.environment.id.startswith("ALE/"):
        views = [sa.AgentViews(part, cache, align=align) for part in parts]
        train, check = (_stream_views(one) for one in views)
        return Samples(train, check, len(views[0]), {"observation": np.zeros((1, 4, 84, 84), np.uint8)})
    arrays = [_join([_read_episode(episode, align) for episode in part]) for part in parts]
    example = {name: array[:1] for name, array in arrays[0][0].items()}
    train, check = (_shuffle(*one) for one in arrays)
    return Samples(train, check, len(arrays[0][1]), example)


def _read_episode(episode: sa.Episode, align: str) -> tuple[Inputs, NDArray[np.int64]]:
    windows = list(sa.Windows([episode], align=align))
    observations = [name_inputs(_first(window["observations"])) for window in windows]
    actions = np.array([window["actions"][0] for window in windows], np.int64)
    return {name: np.concatenate([one[name] for one in observations]) for name in observations[0]}, actions


def _first(observations: Any) -> Any:
    return {k: v[0] for k, v in observations.items()} if isinstance(observations, Mapping) else observations[0]


def _join(parts: list[tuple[Inputs, NDArray[np.int64]]]) -> tuple[Inputs, NDArray[np.int64]]:
    names = parts[0][0]
    joined = {name: np.concatenate([inputs[name] for inputs, _ in parts]) for name in names}
    return joined, np.concatenate([actions for _, actions in parts])


def _shuffle(inputs: Inputs, actions: NDArray[np.int64]) -> Batches:
    def batches(seed: int) -> Iterator[tuple[Inputs, NDArray[np.int64]]]:
        order = np.random.default_rng(seed).permutation(len(actions))
        for rows in np.array_split(order, range(BATCH, len(order), BATCH)):
            yield {name: array[rows] for name, array in inputs.items()}, actions[rows]

    return batches


def _stream_views(views: sa.AgentViews) -> Batches:
    return lambda seed: (({"observation": seen}, done) for seen, done in views.batches(BATCH, seed))


def make_net(samples: Samples, n_actions: int) -> nn.Module:
    """Return the network for these observations."""
    shape = {name: array.shape[1:] for name, array in samples.example.items()}
    if "image" in shape:
        return GridNet(n_actions)
    if shape["observation"] == (4, 84, 84):
        views = torch.cat(
            [torch.from_numpy(inputs["observation"]) for inputs, _ in islice(samples.train(0), 10)]
        ).float()
        mean = views.mean((0, 1))
        return AtariNet(mean, (views - mean).std() + 1e-6, n_actions)
    seen = torch.cat([torch.from_numpy(inputs["observation"]) for inputs, _ in samples.train(0)])
    return VectorNet(seen.mean(0), seen.std(0) + 1e-6, n_actions)


def train(
    net: nn.Module,
    samples: Samples,
    epochs: int,
    play: Callable[[nn.Module], NDArray[np.float64]],
    minutes: float,
) -> tuple[list[dict[str, float]], NDArray[np.float64]]:
    """Fit the network by cross-entropy with Adam.

    Return the learning curve, a row for each epoch, and the returns of the episodes played after the last one.
    """
    device = next(net.parameters()).device
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-4 if isinstance(net, AtariNet) else 1e-3)
    curve: list[dict[str, float]] = []
    returns: NDArray[np.float64] = np.empty(0)
    end = time.monotonic() + 60 * minutes
    for epoch in range(1, epochs + 1):
        net.train()
        total, count = 0.0, 0
        for inputs, actions in samples.train(epoch):
            values = net(*(torch.from_numpy(array).to(device) for array in inputs.values()))
            loss = nn.functional.cross_entropy(values, torch.from_numpy(actions).to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + float(loss.detach()) * len(actions), count + len(actions)
        is_last = epoch == epochs or time.monotonic() > end
        row = {"epoch": epoch, "loss": total / count, "accuracy": measure_accuracy(net, samples)}
        if is_last or epoch % 5 == 0:
            returns = play(net)
            row["return"] = float(returns.mean())
        curve.append(row)
        print(", ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)  # noqa: T201
        if is_last:
            break
    return curve, returns


def measure_accuracy(net: nn.Module, samples: Samples) -> float:
    """Return the share of the checked steps in which the network would do what was done."""
    net.eval()
    device = next(net.parameters()).device
    right = n_checked = 0
    with torch.no_grad():
        for inputs, actions in samples.check(0):
            values = net(*(torch.from_numpy(array).to(device) for array in inputs.values()))
            right += int((values.argmax(1).cpu().numpy() == actions).sum())
            n_checked += len(actions)
    return right / max(n_checked, 1)


def play_episodes(game: Manifest, policy: Policy, seeds: range, max_steps: int) -> NDArray[np.float64]:
    """Return the returns of episodes of the game itself, which are not recorded."""
    env = make_environment(game.environment)
    is_atari = game.environment.id.startswith("ALE/")
    player = AtariViewPolicy(policy) if is_atari else policy
    totals = []
    for seed in seeds:
        result, total, n_steps = env.reset(seed), 0.0, 0
        player.start(seed)
        while not (result.terminated or result.truncated or n_steps == max_steps):
            observation = env.picture().rgb() if is_atari else result.observation
            info = {**decode_info(result.info), "arcade": {"frame": n_steps}}
            result = env.step(player.choose(observation, info))
            total, n_steps = total + result.reward, n_steps + 1
        totals.append(total)
    env.close()
    return np.array(totals, np.float64)


def play_net(net: nn.Module, *, game: Manifest, seeds: range, max_steps: int) -> NDArray[np.float64]:
    """Return the returns of episodes that a network plays."""
    return play_episodes(game, NetPolicy(net), seeds, max_steps)


def write_onnx(net: nn.Module, samples: Samples, path: Path, card: Mapping[str, Any]) -> None:
    """Write the network, with its card in the file."""
    net = net.cpu().eval()
    inputs = tuple(torch.from_numpy(array) for array in samples.example.values())
    torch.onnx.export(
        net,
        inputs,
        str(path),
        input_names=list(samples.example),
        output_names=["values"],
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(path))
    for name, value in card.items():
        model.metadata_props.add(key=name, value=str(value))
    onnx.save(model, str(path))


@dataclass(frozen=True)
class MinariEpisode:
    """An episode of an export, with what is read of a recorded one."""

    id: str
    observations: Any
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    times: Mapping[str, Any]

    @property
    def frames(self) -> Any:
        """The observations of an Atari game."""
        return self.observations

    @property
    def score(self) -> float:
        """The sum of the rewards."""
        return float(self.rewards.sum())

    def __len__(self) -> int:
        return len(self.actions)


def read_minari(folder: Path, game: str) -> list[Any]:
    """Return the episodes of a game in an export. Their times say when a key was pressed, so `seen` works too."""
    os.environ["MINARI_DATASETS_PATH"] = str(folder)  # Minari reads it at import
    import minari  # noqa: PLC0415

    episodes = []
    for one in minari.load_dataset(f"skill-arcade/{game}/human-v0").iterate_episodes():
        times = {name: np.asarray(one.infos[name])[1:, 0] for name in ("input_us", "input_frame")}
        episodes.append(MinariEpisode(str(one.id), one.observations, one.actions, one.rewards, times))
    return episodes


def choose_episodes(dataset: sa.Dataset, game: str, ids: Path | None) -> list[sa.Episode]:
    """Return the episodes to learn from: people's, or those whose ids a file of JSON lines has."""
    if ids is None:
        return list(dataset.episodes(game=game))
    lines = [json.loads(line) for line in ids.read_text().splitlines() if line.strip()]
    return [dataset.episode(UUID(line["id"])) for line in lines]


def describe_play(episodes: list[Any]) -> dict[str, Any]:
    """Describe the play that was learned from: whose it was, and by which seeds of an agent it can be made again."""
    facts: dict[str, Any] = {"recorded_episodes": len(episodes)}
    agents = [getattr(episode, "provenance", {}).get("agent") for episode in episodes]
    if not any(agents):
        return {"recorded_play": "people", **facts}
    if not all(agents):
        return {"recorded_play": "people and agents", **facts}
    versions = sorted({f"agent {one['name']}, SHA-256 {one['sha256']}" for one in agents})
    seeds = sorted({episode.seed for episode in episodes})
    is_range = seeds == list(range(seeds[0], seeds[-1] + 1))
    described = f"{seeds[0]} to {seeds[-1]}" if is_range else ", ".join(map(str, seeds))
    return {"recorded_play": "; ".join(versions), **facts, "recorded_seeds": described}


def describe_returns(returns: NDArray[np.float64], seeds: range) -> dict[str, Any]:
    """Describe what the clone reached in episodes of the game itself."""
    return {
        "return": float(returns.mean()),
        "return_deviation": float(returns.std(ddof=1)) if len(returns) > 1 else None,
        "return_episodes": len(returns),
        "return_seeds": f"{seeds[0]} to {seeds[-1]}",
    }


def describe_normalised(dataset: sa.Dataset, game: Manifest, result: float) -> str:
    """Return the human-normalised score (Mnih et al. 2015), if the arcade has the scores of people and of chance."""
    where = f"environment_id = '{game.environment.id}' AND source_id = 'dqn-zoo'"
    rows = dataset.query(f"SELECT random, human FROM baseline WHERE {where}").to_pylist()
    if not rows:
        return ""
    random, human = rows[0]["random"], rows[0]["human"]
    return f", human-normalised {(result - random) / (human - random):.3f} (random {random:g}, human {human:g})"


def main() -> None:
    """Read recorded play, train, and write the policy."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("game", help="id of a game: CartPole and other vectors, MiniGrid, Atari")
    parser.add_argument("--ids", type=Path, metavar="FILE", help="JSON lines with the ids of episodes")
    parser.add_argument("--minari", type=Path, metavar="FOLDER", help="an export, rather than this arcade")
    parser.add_argument("--align", default="applied", help="applied, seen, or shift_K: what an action is paired with")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=8, help="the epoch that runs then is the last")
    parser.add_argument("--seed", type=int, default=1, help="of the first weights")
    parser.add_argument("--seeds", type=int, default=20, help="episodes played after every fifth epoch")
    parser.add_argument("--max-steps", type=int, default=20_000, help="of each of them")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("clone.onnx"))
    parser.add_argument("--curve", type=Path, help="CSV of the learning curve")
    parser.add_argument("--card", type=Path, help="JSON with the facts of the training, for `agents add --training`")
    parser.add_argument("--cache", type=Path, default=Path("agent-views"), help="folder of Atari views")
    options = parser.parse_args()
    game = load_catalogue(read_settings().games_folder).games[options.game]
    n_actions = make_environment(game.environment).n_actions
    with sa.open() as dataset:
        if options.minari is None:
            episodes = choose_episodes(dataset, options.game, options.ids)
        else:
            episodes = read_minari(options.minari, options.game)
        if not episodes:
            sys.exit(f"There are no episodes of {options.game} to learn from. Play some, or name them with --ids.")
        samples = read_samples(episodes, game, options.align, options.cache)
        human = float(np.mean([float(episode.score) for episode in episodes]))
        print(f"{len(episodes)} episodes with a mean return of {human:.4g}, {samples.n_train} steps to learn from")  # noqa: T201
        torch.manual_seed(options.seed)
        net = make_net(samples, n_actions).to(options.device)
        seeds = range(1_000_001, 1_000_001 + options.seeds)
        play = partial(play_net, game=game, seeds=seeds, max_steps=options.max_steps)
        before = float(play(net).mean())
        curve, returns = train(net, samples, options.epochs, play, options.minutes)
        result = float(returns.mean())
        normalised = describe_normalised(dataset, game, result)
    print(f"untrained {before:.4g}, clone {result:.4g}, recorded play {human:.4g}{normalised}")  # noqa: T201
    card = {
        "game": options.game,
        **describe_play(episodes),
        "recorded_return": human,
        "steps": samples.n_train,
        "align": options.align,
        "epochs": len(curve),
        "seed": options.seed,
        "accuracy": curve[-1]["accuracy"],
        "untrained_return": before,
        **describe_returns(returns, seeds),
        "command": f"python examples/imitate.py {shlex.join(sys.argv[1:])}",
        "torch": torch.__version__,
    }
    write_onnx(net, samples, options.out, card)
    print(f"wrote {options.out}")  # noqa: T201
    if options.card is not None:
        sha256 = hashlib.sha256(options.out.read_bytes()).hexdigest()
        options.card.write_text(json.dumps({**card, "sha256": sha256}, indent=2) + "\n")
    if options.curve is not None:
        with options.curve.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["epoch", "loss", "accuracy", "return"])
            writer.writeheader()
            writer.writerows(curve)


if __name__ == "__main__":
    main()
