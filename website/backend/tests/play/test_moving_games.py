"""A short run of `benchmarks.moves`: random reconnects while a server is killed with its disk and Postgres restarts."""

import asyncio
import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from skill_arcade.uploader.reconcile import EpisodeReport
from tests.support.cloud.storage import StorageServer
from tests.support.database import execute, opened_engine, temporary_home
from tests.support.moving_games import CountingBucket, Faults, Moves, find_owners, play_games, wait_until_certified
from tests.support.random_proxy import random_proxy
from tests.support.server_pair import running_servers

SEED = int(os.environ.get("FAULTS_SEED", "20261129"))
N_GAMES, GAME_SECONDS, LOST_SECONDS = 2, 30.0, 6.0


@dataclass
class Outcome:
    """What the players saw, and what was stored."""

    moves: Moves
    reports: dict[UUID, EpisodeReport]
    owners: dict[tuple[str, int], list[int]]
    certified: dict[str, int]
    n_shipments: int


@pytest.fixture(scope="module")
def outcome() -> Iterator[Outcome]:
    """Play all games once; the tests look at what became of them."""
    bucket = CountingBucket("arcade")
    storage = StorageServer(bucket)
    threading.Thread(target=storage.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch, temporary_home() as folder:
        patch.setenv("STORAGE_EMULATOR_HOST", storage.address)
        postgres = EmbeddedPostgres(folder)
        url = postgres.server.url().set(database="moves")
        asyncio.run(execute(postgres.server.url(), "CREATE DATABASE moves"))
        migrate_sync(url)
        settings = {"GCP_BUCKET_NAME": "arcade", "SEGMENT_SECONDS": "5", "SERVER_LOST_SECONDS": str(LOST_SECONDS)}
        with running_servers(url, 2, **settings) as servers:

            async def play() -> Outcome:
                moves, rng = Moves(), random.Random(SEED)
                faults = Faults(servers, postgres, LOST_SECONDS, random.Random(SEED), moves)
                async with random_proxy(servers, random.Random(SEED)) as proxy, asyncio.TaskGroup() as group:
                    group.create_task(faults.run(["kill", "postgres"], 5.0))
                    await play_games(
                        proxy, rng, moves, n_games=N_GAMES, n_at_once=N_GAMES, seconds=GAME_SECONDS, stay=(2.0, 6.0)
                    )
                async with opened_engine(url) as engine:
                    certified = await wait_until_certified(engine, 120)
                reports = {report.episode: report for report in await servers[0].check(moves.seen)}
                return Outcome(moves, reports, find_owners(servers), certified, bucket.n_shipments)

            yield asyncio.run(play())
        postgres.close()
    storage.shutdown()
    storage.server_close()


def test_game_goes_on_to_its_end_through_all_faults(outcome: Outcome) -> None:
    assert outcome.moves.not_continued == []
    assert len(outcome.moves.seen) == N_GAMES
    assert outcome.moves.faults == {"kill": 1, "postgres": 1}
    assert outcome.moves.n_reconnects > N_GAMES


def test_steps_of_moved_games_are_stored_once(outcome: Outcome) -> None:
    assert outcome.reports.keys() == outcome.moves.seen.keys()
    for episode, report in outcome.reports.items():
        assert (report.stored, report.lost, report.duplicated, report.problems) == (
            outcome.moves.seen[episode],
            0,
            0,
            [],
        )


def test_reconnect_without_a_fault_shows_everything_that_was_seen(outcome: Outcome) -> None:
    assert outcome.moves.n_rewound_without_fault == 0


def test_each_fence_has_one_owner_and_all_games_are_certified(outcome: Outcome) -> None:
    assert [owners for owners in outcome.owners.values() if len(owners) > 1] == []
    assert outcome.certified == {"certified": N_GAMES}
    assert outcome.n_shipments > 0
