"""A variant of a game on a real server: what is recorded of it, and that a re-run gives it again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import hash_manifest
from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import (
    Arcade,
    Player,
    issue_ticket,
    running_arcade,
    sign_in,
    ticket_subprotocols,
    wait_until_uploaded,
)

pytestmark = pytest.mark.anyio
EMAIL = "ada@example.org"
HANOI = load_catalogue().games["tower-of-hanoi"]


async def play(arcade: Arcade, game: str, query: str = "") -> str:
    """Play one step of a game, and return the id of the episode."""
    ticket = await issue_ticket(arcade.url, await sign_in(arcade.url, EMAIL), game)
    address = f"ws://127.0.0.1:{arcade.port}/ws/{game}{query}"
    async with connect(address, subprotocols=ticket_subprotocols(ticket), compression=None) as socket:
        player = Player(socket)
        await player.hello()
        await player.send("start")
        episode: str = (await player.read_until("started"))["episode"]
        await player.tap("pole-1")
        await player.read_until_frame(1)
        await player.send("leave")
        await player.read_until("ended")
    return episode


async def test_episode_has_game_option_hash_and_environment_of_its_variant(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(home))
    with running_arcade(home, SEGMENT_SECONDS="0.5") as arcade:
        played = {
            await play(arcade, "tower-of-hanoi"): {},
            await play(arcade, "tower-of-hanoi", "?disks=3"): {},
            await play(arcade, "tower-of-hanoi", "?disks=5"): {"disks": "5"},
            await play(arcade, "tower-of-hanoi-5"): {"disks": "5"},
        }
        await wait_until_uploaded(arcade)
        with sa.open() as dataset:
            found: dict[str, dict[str, Any]] = {}
            for episode in dataset.episodes():
                options = episode.provenance["options"]
                found[str(episode.id)] = options
                assert episode.game_id == "tower-of-hanoi"
                assert episode.provenance["manifest_sha256"] == hash_manifest(HANOI, options)
                assert episode.environment["kwargs"] == {"disks": int(options.get("disks", 3))}
            assert found == played
        verified = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--all", "--jobs", "1"])
        assert verified.exit_code == 0, verified.output
        with sa.open() as dataset:
            assert len(list(dataset.episodes(certified=True))) == len(played)


async def test_unknown_variant_is_rejected(home: Path) -> None:
    with running_arcade(home) as arcade, pytest.raises(ConnectionClosed) as closed:
        await play(arcade, "tower-of-hanoi", "?disks=9")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.UNKNOWN_GAME
