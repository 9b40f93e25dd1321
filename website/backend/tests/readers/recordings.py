"""Records episodes of many games, for readers to load."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import URL

from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.conftest import opened_engine
from tests.support.catalogue import load_games
from tests.support.exported_env import CASES, odd_manifest
from tests.support.session_harness import SessionHarness, play_randomly, upload_all

REPRESENTATIVE_GAMES = (
    "breakout",
    "cart-pole",
    "minigrid-door-key",
    "tower-of-hanoi",
    "lunar-lander-continuous",
    "blackjack",
)
UPLOAD_SECONDS = 1200


def record_games(
    url: URL, home: Path, games: Iterable[str], *, steps: int = 60, episodes: int = 2, has_odd: bool = True
) -> None:
    """Play games with random controls, and all odd environments, and upload the episodes below `home`."""
    journal = home / "played"
    catalogue = load_games()
    manifests = [*(catalogue[name] for name in games), *map(odd_manifest, CASES if has_odd else ())]
    for manifest in manifests:
        for seed in range(episodes):
            play_randomly(SessionHarness(journal, manifest), steps if manifest.id in catalogue else 24, seed)

    async def upload() -> None:
        async with opened_engine(url) as engine:
            async with engine.begin() as connection:
                await upsert_user(connection, "user", "somebody@example.org")
                await upsert_games(connection, {manifest.id: {} for manifest in manifests})
            await upload_all(journal, home / "objects", engine, UPLOAD_SECONDS)

    asyncio.run(upload())
