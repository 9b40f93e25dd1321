"""Fill an arcade with synthetic players whose learning is known: `python -m benchmarks.synthetic_play --home FOLDER`.

Every synthetic user has `is_synthetic`, an id that starts with `synthetic-`, and episodes whose provenance says
`"synthetic": true`: no view, board or export counts them, and the research page shows them only as programs.
The rows are those of the real schema with the measures of each episode, but without steps and frames, so that 100,000
episodes take seconds. Equal seeds give equal rows.
"""

import argparse
import asyncio
import json
import sys
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.analysis.learning_laws import Law
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.tables import Table

GAMES = {
    "breakout": ("Breakout", "ALE/Breakout-v5", 2.0, 40.0),
    "pong": ("Pong", "ALE/Pong-v5", -21.0, 30.0),
    "seaquest": ("Seaquest", "ALE/Seaquest-v5", 70.0, 8000.0),
    "ms-pacman": ("Ms. Pac-Man", "ALE/MsPacman-v5", 300.0, 6000.0),
}
"""Name, environment, and mean return at the first episode and gain of a player who has learned everything."""
GAME_SHARES = (0.4, 0.25, 0.2, 0.15)
DEVICES, DEVICE_SHARES = ("keyboard", "touch", "gamepad"), (0.7, 0.2, 0.1)
END_REASONS, END_SHARES = ("terminated", "truncated", "left", "disconnected"), (0.85, 0.03, 0.1, 0.02)
LAWS = tuple(Law)
NOISE_TO_GAIN = 0.1
MORNING_RATE = 3.0
"""Factor of the learning rate of morning players: the answer to the question of the browser test."""
MEAN_EPISODES = 100
N_DEATHS = 2
"""Deaths in each episode, most of them on the left below the middle."""
MAX_EPISODES = 400
START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER_OUT_OF_DATE = datetime(9999, 1, 1, tzinfo=UTC)
"""Time of the measures: without steps they cannot be computed again."""


@dataclass(frozen=True, slots=True)
class SyntheticPlayer:
    """A player of one game, and the truth about them."""

    user_id: str
    game_id: str
    law: Law
    is_morning: bool
    n_episodes: int


def simulate_scores(law: Law, n: int, rate: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return n scores with an expected gain of 1 and normal noise. `rate` scales the speed of learning."""
    x = np.arange(n, dtype=np.float64)
    # Rates are per episode, so that a player who stops early has not learned everything.
    pace = rate * rng.uniform(0.03, 0.06)
    match law:
        case Law.flat:
            curve = np.zeros(n)
        case Law.exponential:
            curve = 1 - np.exp(-pace * x)
        case Law.power:
            curve = 1 - (x + 1) ** -(0.5 * rate**0.5)
        case Law.delayed_exponential:
            start, steepness = 40 / rate, 4 * pace
            begun = np.exp(steepness * start)
            curve = 1 - (begun + 1) / (begun + np.exp(np.minimum(steepness * x, 700)))
        case Law.step:
            curve = (x >= 45 / rate).astype(np.float64)
    return np.asarray(curve + rng.normal(0, NOISE_TO_GAIN, n))


async def fill(
    connection: AsyncConnection, n_episodes: int, *, seed: int = 1, is_synthetic: bool = True
) -> list[SyntheticPlayer]:
    """Write `n_episodes` episodes and return their players. The games are added if they are missing.

    Args:
        connection: a connection in a transaction.
        n_episodes: number of episodes of all players together.
        seed: seed of the random numbers.
        is_synthetic: False makes the players people, for a test in a database of its own.
    """
    rng = np.random.default_rng(seed)
    config = {name: {"name": title, "pace": {"kind": "real-time", "hz": 60}} for name, (title, *_) in GAMES.items()}
    games = [{"id": name, "config": config[name]} for name in GAMES]
    tables = Table.metadata.tables
    await connection.execute(upsert(tables["game"]).values(games).on_conflict_do_nothing())
    players: list[SyntheticPlayer] = []
    rows: dict[str, list[dict[str, Any]]] = {"episode": [], "episode_measure": [], "certificate": [], "death": []}
    n_left = n_episodes
    while n_left > 0:
        player = _draw_player(len(players), n_left, seed, rng)
        players.append(player)
        n_left -= player.n_episodes
        _add_rows(player, rows, rng)
    users = [{"id": player.user_id, "is_synthetic": is_synthetic} for player in players]
    await connection.execute(insert(tables["user"]).values(users))
    driver: Any = (await connection.get_raw_connection()).driver_connection
    for name, records in rows.items():
        columns = list(records[0])
        await driver.copy_records_to_table(name, records=[tuple(r.values()) for r in records], columns=columns)
    return players


def _draw_player(number: int, n_left: int, seed: int, rng: np.random.Generator) -> SyntheticPlayer:
    """Draw a player. The numbers of episodes are skewed: most players drop out early."""
    n = int(min(MAX_EPISODES, 1 + rng.exponential(MEAN_EPISODES), n_left))
    law = LAWS[rng.integers(len(LAWS))]
    game_id = str(rng.choice(list(GAMES), p=GAME_SHARES))
    return SyntheticPlayer(f"synthetic-{seed}-{number:06d}", game_id, law, bool(rng.random() < 0.3), n)


def _add_rows(player: SyntheticPlayer, rows: dict[str, list[dict[str, Any]]], rng: np.random.Generator) -> None:
    n = player.n_episodes
    _, environment_id, base, gain = GAMES[player.game_id]
    curve = simulate_scores(player.law, n, MORNING_RATE if player.is_morning else 1.0, rng)
    scores = np.round(base + gain * curve, 1)
    seconds = np.round(rng.gamma(4, 20, n) + 10, 3)
    starts = _draw_starts(player, seconds, rng)
    device = str(rng.choice(DEVICES, p=DEVICE_SHARES))
    mode, arm = ("lockstep", "streamed")[int(rng.random() < 0.3)], ("control", "delay")[int(rng.random() < 0.5)]
    study = "synthetic-delay" if rng.random() < 0.2 else None
    facts: dict[str, Any] = {"synthetic": True, "mode": mode, "law": player.law}
    if study is not None:
        facts["study"] = {"name": study, "arm": arm}
    places_rng = np.random.default_rng(zlib.crc32(player.user_id.encode()))  # the other numbers do not depend on it
    kwargs = {"frameskip": 1, "repeat_action_probability": 0.0, "max_num_frames_per_episode": 108_000}
    environment = json.dumps({"id": environment_id, "kwargs": kwargs, "packages": {"ale-py": "0.12.1"}})
    for start, length, score in zip(starts, seconds, scores, strict=True):
        ended, steps, random_bits = start + timedelta(seconds=float(length)), int(60 * length), rng.bytes(10)
        episode = {
            "user_id": player.user_id,
            "game_id": player.game_id,
            "seed": int(rng.integers(1, 2**31 - 1)),
            "status": "lost",
            "score": float(score),
            "end_reason": str(rng.choice(END_REASONS, p=END_SHARES)),
            "time_ended": ended,
        }
        id_ = _make_id(start, random_bits)
        rows["episode"].append(
            episode
            | {"id": id_, "n_steps": steps, "environment": environment, "provenance": json.dumps(facts)}
            | {"reset_info": "{}", "time_created": start, "time_updated": ended}
        )
        rows["episode_measure"].append(
            episode
            | {"episode_id": id_, "steps": steps, "variant": player.game_id, "environment_id": environment_id}
            | {"time_started": start, "study": study, "arm": arm if study else None, "mode": mode, "device": device}
            | {"actions_md5": random_bits.hex(), "time_measured": NEVER_OUT_OF_DATE}
            | _draw_behaviour(steps, mode, rng)
        )
        verdict = "mismatch" if rng.random() < 0.005 else "certified"
        rows["certificate"].append(
            {"episode_id": id_, "time_created": ended + timedelta(minutes=1), "result": verdict, "reason": ""}
            | {"n_steps": steps, "seconds": 1.0, "versions": "{}"}
        )
        places = np.clip(places_rng.normal((0.3, 0.7), (0.15, 0.1), (N_DEATHS, 2)), 0, 1)
        rows["death"] += [
            {"episode_id": id_, "frame": (number + 1) * steps // N_DEATHS - 1, "x": float(x), "y": float(y)}
            | {"screen": 0, "columns": None, "rows": None}
            for number, (x, y) in enumerate(places)
        ]


def _draw_behaviour(steps: int, mode: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the measures of quality and behaviour. Each fault is in a few of a hundred episodes."""
    latency = float(rng.gamma(20, 2.0 if mode == "streamed" else 1.2))
    is_slow_link, drops, is_late, is_unfocused, is_idle, is_slow = rng.random(6) < (0.03, 0.02, 0.02, 0.05, 0.03, 0.01)
    shares = rng.dirichlet((6, 3, 3, 1))
    return {
        "latency_p50_ms": latency,
        "latency_p95_ms": latency * (6 if is_slow_link else 1.6),
        "dropped_frames": steps // 20 if drops else 1,
        "missed_ticks": steps // 30 if is_late else 0,
        "focus_losses": int(is_unfocused),
        "idle_seconds": 45.0 if is_idle else float(rng.exponential(2)),
        "paused_seconds": 0.0,
        "active_speed": 0.8 if is_slow else 1.0,
        "quarantined_segments": 0,
        "actions": json.dumps({str(action): int(share * steps) for action, share in enumerate(shares)}),
        "entropy_bits": float(-(shares * np.log2(np.maximum(shares, 1e-12))).sum()),
        "hold_steps": float(rng.gamma(8, 1.5)),
        "reaction_ms": float(rng.normal(350, 40)),
    }


def _make_id(start: datetime, random_bits: bytes) -> UUID:
    """Return a UUID version 7."""
    value = int(start.timestamp() * 1000) << 80 | int.from_bytes(random_bits, "big")
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62)


def _draw_starts(player: SyntheticPlayer, seconds: NDArray[np.float64], rng: np.random.Generator) -> list[datetime]:
    """Draw when each episode starts: sittings of about twelve episodes, at a player's own time of day, days apart."""
    hour = rng.uniform(6, 11) if player.is_morning else rng.uniform(13, 23)
    day, at, starts = START + timedelta(days=float(rng.uniform(0, 150) // 1)), None, []
    for length in seconds:
        if at is None or rng.random() < 1 / 12:
            day += timedelta(days=int(rng.geometric(0.5)))
            at = day + timedelta(hours=float(hour + rng.uniform(-0.5, 0.5)))
        starts.append(at)
        at += timedelta(seconds=float(length) + float(rng.uniform(3, 20)))
    return starts


async def run(home: Path, n_episodes: int, seed: int) -> None:
    """Fill the arcade of a home folder."""
    started = time.monotonic()
    async with open_engine(Settings(skill_arcade_home=home)) as engine:
        async with transaction(engine) as connection:
            players = await fill(connection, n_episodes, seed=seed)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
    took = time.monotonic() - started
    sys.stdout.write(f"{n_episodes:,} episodes of {len(players):,} synthetic players in {took:.0f} s\n")


def main() -> None:
    """Parse the arguments and fill."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="SKILL_ARCADE_HOME of the arcade")
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="a second run needs another seed")
    options = parser.parse_args()
    asyncio.run(run(options.home, options.episodes, options.seed))


if __name__ == "__main__":
    main()
