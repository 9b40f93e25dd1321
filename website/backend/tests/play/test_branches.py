"""Episodes that begin at a frame of a recorded one (rules O32 and R31)."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

import skill_arcade.dataset as sa
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.export.episode_facts import describe_episode
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import Branch
from skill_arcade.play.session.resumption import ResumeFailed
from skill_arcade.recording.segment import Segment
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import database_url
from skill_arcade.storage.database.episode_measures import UNMEASURED
from skill_arcade.storage.database.tables import CertificateResult
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade, wait_until_uploaded
from tests.support.database import execute
from tests.support.moved import read_all, recorded_digests
from tests.support.rounds import N_FRAMES, play, playing, request
from tests.support.session_harness import SessionHarness

GAMES = ["breakout", "berzerk", "qbert", "tetris", "mountain-car", "tower-of-hanoi", "minigrid-locked-room"]
ATARI = [id_ for id_, game in load_catalogue().games.items() if game.environment.id.startswith("ALE/")]


def play_actions(harness: SessionHarness, actions: list[int]) -> list[Segment]:
    """Play an episode by these actions, at most until it ends. Return what was recorded."""
    for action in actions:
        if harness.has_ended():
            break
        harness.send("act", action=action, frame=None)
    harness.send("leave")
    harness.session.stop("left", harness.now)
    return read_all(harness.journal, episode=harness.headers[-1].episode_id)


def branch_at(segments: list[Segment], step: int, digests: list[str]) -> Branch:
    """Return the branch at a frame of a recorded episode."""
    head = segments[0].header
    steps = [one for segment in segments for one in segment.steps]
    return Branch(
        parent=head.episode_id,
        step=step,
        root=head.episode_id,
        seed=head.seed,
        actions=[one.action for one in steps[:step]],
        environment=head.environment,
        score=sum(one.reward for one in steps[:step]),
        picture_sha256=digests[step],
    )


def begin_branch(harness: SessionHarness, branch: Branch) -> None:
    """Bring a session to the frame of a branch, and start its episode."""
    resumption = harness.session.open_resumption(branch)
    while (last_result := resumption.advance()) is None:
        pass
    harness.session.branch(branch, last_result)
    harness.send("start", mode="streamed", program={"pace": "stepped", "seed": None})


def check_branches(tmp_path: Path, game: str, n_steps: int, n_branches: int) -> None:
    """Play a game at random, branch at random frames with the same actions, and compare each with what was recorded."""
    draw = random.Random(game)
    harness = SessionHarness(tmp_path / "parent", game, is_program=True)
    harness.send("start", mode="streamed", program={"pace": "stepped", "seed": None})
    actions = [draw.randrange(harness.env.n_actions) for _ in range(n_steps)]
    parent = play_actions(harness, actions)
    digests, steps = recorded_digests(parent), [one for segment in parent for one in segment.steps]
    for number in range(n_branches):
        step = draw.randrange(len(steps))
        branch = branch_at(parent, step, digests)
        child = SessionHarness(tmp_path / f"child-{number}", game, seed=branch.seed, is_program=True)
        begin_branch(child, branch)
        segments = play_actions(child, [one.action for one in steps[step:]])
        assert recorded_digests(segments) == digests[step:], f"{game} from step {step}"
        played = [one for segment in segments for one in segment.steps]
        assert [one.reward for one in played] == [one.reward for one in steps[step:]]
        assert [one.terminated for one in played] == [one.terminated for one in steps[step:]]


@pytest.mark.parametrize("game", GAMES)
def test_R31_branch_with_the_actions_of_its_parent_equals_the_rest_of_it(tmp_path: Path, game: str) -> None:
    check_branches(tmp_path, game, n_steps=120, n_branches=2)


@pytest.mark.slow
@pytest.mark.parametrize("game", ATARI)
def test_R31_branches_of_every_atari_game_equal_the_rest_of_their_parent(tmp_path: Path, game: str) -> None:
    check_branches(tmp_path, game, n_steps=1500, n_branches=5)


def test_R31_frame_that_repeating_does_not_lead_to_is_refused(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path / "parent", "breakout", is_program=True)
    harness.send("start", mode="streamed", program={"pace": "stepped", "seed": None})
    parent = play_actions(harness, [1, 2, 3, 2, 2, 3])
    branch = branch_at(parent, 4, recorded_digests(parent))
    child = SessionHarness(tmp_path / "child", "breakout", seed=branch.seed, is_program=True)
    with pytest.raises(ResumeFailed, match="picture"):
        begin_branch(child, branch.model_copy(update={"picture_sha256": "0" * 64}))
    with pytest.raises(ResumeFailed, match="score"):
        begin_branch(child, branch.model_copy(update={"score": branch.score + 1}))


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


@pytest.mark.anyio
async def test_R31_branches_of_branches_begin_at_the_frame_and_are_certified(arcade: Arcade) -> None:
    root = await play(arcade, "ada@example.org")
    line, frames = [root], [40, 25, 10, 30, 5, 20, 15, 8, 12, 3]
    for frame in frames:
        line.append(await play(arcade, "ada@example.org", branch={"episode": line[-1], "frame": frame}))
    with sa.open() as data:
        episodes = [data.episode(UUID(id_)) for id_ in line]
        n_before, score = 0, 0.0
        for parent, child, frame in zip(episodes[:-1], episodes[1:], frames, strict=True):
            n_before, score = n_before + frame, score + float(parent.rewards[:frame].sum())
            assert child.seed == episodes[0].seed
            assert child.branch == {
                "kind": "play-from-here",
                "parent": str(parent.id),
                "step": frame,
                "root": root,
                "root_step": n_before,
                "score": score,
            }
            assert np.array_equal(child.frames[0], parent.frames[frame])
            assert child.provenance["mode"] == "streamed"
            facts, of_parent = (describe_episode(0, one, "00" * 16).facts for one in (child, parent))
            assert facts["branch"]["parent"] == of_parent["episode_id"] != str(parent.id)
        assert len(episodes[-1].prefix_actions) == sum(frames)
        assert [rerun_episode(one).result for one in episodes] == [CertificateResult.certified] * len(line)
        unmeasured = data.query(f"SELECT e.id {UNMEASURED}")["id"].to_pylist()
        assert set(line) & set(map(str, unmeasured)) == {root}  # charts leave branches out


@pytest.mark.anyio
async def test_O32_reconnect_of_a_branch_goes_on_with_it(arcade: Arcade) -> None:
    root = await play(arcade, "eve@example.org")
    branch = {"episode": root, "frame": 30}
    async with playing(arcade, "eve@example.org", branch=branch) as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.read_until_frame(5)
    async with playing(arcade, "eve@example.org", branch=branch) as player:
        assert (await player.hello())["phase"] == "paused"
        assert (await player.read_until("started"))["episode"] == episode
        again: list[str] = []
        for _ in range(2):  # at once, and after the record of the round before is closed
            await player.send("leave")
            await player.read_until("ended")
            await asyncio.sleep(1.5 * len(again))
            await player.send("start")
            again.append((await player.read_until("started"))["episode"])
            await player.read_until_frame(5)
    async with playing(arcade, "eve@example.org") as player:  # another game ends the branch
        await player.hello()
    await wait_until_uploaded(arcade)
    with sa.open() as data:
        first = data.episode(UUID(root)).frames[30]
        for id_ in (episode, *again):
            round_ = data.episode(UUID(id_))
            assert np.array_equal(round_.frames[0], first)
            assert rerun_episode(round_).result is CertificateResult.certified


@pytest.mark.anyio
async def test_O32_ticket_names_only_frames_that_can_be_played_from(arcade: Arcade) -> None:
    root = await play(arcade, "cai@example.org")

    async def ask(email: str = "dan@example.org", **body: Any) -> tuple[int, str]:
        answer = await request(arcade, "POST", "/play/tickets", email, {"game_id": "breakout", **body})
        return answer.status_code, "" if answer.status_code == 200 else answer.text

    assert (await ask(branch={"episode": root, "frame": 3}))[0] == 404
    assert (await ask(branch={"episode": str(uuid4()), "frame": 3}))[0] == 404
    shares = await request(arcade, "POST", f"/episodes/{root}/shares", "cai@example.org")
    link = shares.raise_for_status().json()["token"]
    assert await ask(branch={"episode": root, "frame": 3}, share_token=link) == (200, "")
    assert (await ask("cai@example.org", branch={"episode": root, "frame": -1}))[0] == 422
    status, detail = await ask("cai@example.org", branch={"episode": root, "frame": 100_000})
    assert status == 422
    assert "frame 100000" in detail
    status, detail = await ask("cai@example.org", game_id="pong", branch={"episode": root, "frame": 3})
    assert status == 422
    assert "another game" in detail
    status, detail = await ask("cai@example.org", branch={"episode": root, "frame": 3}, ghost=root)
    assert status == 422
    assert "ghost" in detail


@pytest.mark.anyio
async def test_O32_replay_says_beforehand_that_nobody_can_play_from_it(arcade: Arcade) -> None:
    root = await play(arcade, "hal@example.org")

    async def read_refusal() -> str | None:
        replay = await request(arcade, "GET", f"/episodes/{root}/replay", "hal@example.org")
        refusal: str | None = replay.raise_for_status().json()["branch_refusal"]
        return refusal

    async def ask() -> int:
        body = {"game_id": "breakout", "branch": {"episode": root, "frame": 3}}
        return (await request(arcade, "POST", "/play/tickets", "hal@example.org", body)).status_code

    assert (await read_refusal(), await ask()) == (None, 200)
    url = await asyncio.to_thread(database_url, Settings(_env_file=None, skill_arcade_home=arcade.home))
    for column, path, refusal in (
        ("environment", "{packages,ale-py}", "changed"),
        ("provenance", "{options,lost}", "changed"),  # an option that the game does not have any more
        ("provenance", "{daily}", "daily"),
    ):
        change = f"UPDATE episode SET {column} = jsonb_set({column}, '{path}', '\"0\"') WHERE id = '{root}'"
        await execute(url, change)
        assert (await read_refusal(), await ask()) == (refusal, 422)


@pytest.mark.anyio
async def test_R31_branch_outlives_its_erased_parent_and_says_why_it_cannot_be_certified(arcade: Arcade) -> None:
    root = await play(arcade, "fay@example.org")
    link = (await request(arcade, "POST", f"/episodes/{root}/shares", "fay@example.org")).json()["token"]
    body = {"branch": {"episode": root, "frame": 20}, "share_token": link}
    child = await play(arcade, "gus@example.org", **body)
    erasure = await request(arcade, "POST", "/me/erasure", "fay@example.org", {"word": "erase"})
    assert erasure.raise_for_status().json()["finished"]
    with sa.open() as data:
        episode = data.episode(UUID(child))
        assert len(episode.frames) > N_FRAMES
        verdict = rerun_episode(episode)
    assert verdict.result is CertificateResult.irreproducible
    assert "was erased" in verdict.reason
    answer = await request(arcade, "POST", "/play/tickets", "gus@example.org",
                           {"game_id": "breakout", "branch": {"episode": child, "frame": 5}})  # fmt: skip
    assert answer.status_code == 404, answer.text
    assert "was erased" in answer.text
