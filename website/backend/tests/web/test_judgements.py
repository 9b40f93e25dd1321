"""Judges see clips and nothing else of the recordings, and their answers are stored as they saw them."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import URL, text

from skill_arcade.frames.apng import read_apng
from skill_arcade.settings import Settings
from skill_arcade.storage.database.judgements import close_set, list_clips
from tests.support.consent import give_consent
from tests.support.judging import draw_set
from tests.support.recorded_episode import RecordedEpisode, record_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
RITA, ADA = "rita@example.org", "ada@example.org"
PLAYERS = ("ann", "bob", "cleo")


class Judging:
    """An arcade with three recorded episodes of pong."""

    def __init__(self, arcade: Visitor, episodes: list[RecordedEpisode]) -> None:
        self.arcade = arcade
        self.episodes = {episode.id: episode for episode in episodes}

    async def draw(self, **fields: Any) -> Any:
        async with self.arcade.state.engine.begin() as connection:
            return await draw_set(connection, self.arcade.state.catalogue, "pairs", **fields)

    async def get(self, path: str = "", email: str | None = RITA) -> httpx.Response:
        headers = {} if email is None else await self.arcade.sign_in(email)
        return await self.arcade.http.get(f"/judgements/pairs{path}", headers=headers)

    async def answer(self, number: int, answer: str, email: str = RITA, **fields: Any) -> httpx.Response:
        body = {"number": number, "answer": answer, "rating": None, "reaction_ms": 1500, "n_plays": 2, **fields}
        headers = await self.arcade.sign_in(email)
        return await self.arcade.http.post("/judgements/pairs/answers", json=body, headers=headers)

    async def undo(self, email: str = RITA) -> httpx.Response:
        return await self.arcade.http.post("/judgements/pairs/undo", headers=await self.arcade.sign_in(email))

    async def read(self, query: str) -> list[Any]:
        async with self.arcade.state.engine.connect() as connection:
            return list(await connection.execute(text(query)))


@pytest.fixture
async def judging(settings: Settings, database_url: URL, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Judging]:
    source_folder = tmp_path / "made"
    episodes = [await asyncio.to_thread(record_episode, database_url, source_folder, user=user) for user in PLAYERS]
    async with open_arcade(settings.model_copy(update={"researcher_emails": [RITA]})) as arcade:
        for episode in episodes:
            for key in episode.keys:
                await arcade.state.objects.put(key, (source_folder / key).read_bytes())
        yield Judging(arcade, episodes)


async def test_judge_answers_all_items_and_each_is_stored_as_it_was_shown(judging: Judging) -> None:
    await judging.draw()
    state = (await judging.get()).json()
    assert (state["kind"], state["game"], state["n_items"], state["n_answered"]) == ("pair", "Pong", 5, 0)
    assert (state["frames_per_second"], state["pixel_aspect"], state["question"]) == (60, 1.75, "")
    shown = []
    for position, answer in enumerate(["left", "right", "equal", "cannot_tell", "skip"]):
        number = state["tasks"][0]["number"]
        assert len(state["tasks"]) == min(2, 5 - position)
        following = [task["number"] for task in state["tasks"][1:]]
        state = (await judging.answer(number, answer)).json()
        assert [task["number"] for task in state["tasks"][:1]] == following
        assert state["n_answered"] == position + 1
        shown.append((number, position, answer, 1500, 2))
    assert state["tasks"] == []
    rows = await judging.read(
        "SELECT number, position, answer, reaction_ms, n_plays, is_swapped, consent_id, build, repeat_of "
        "FROM judgement JOIN judgement_item USING (set_name, number) ORDER BY time_created"
    )
    assert [tuple(row[:5]) for row in rows] == shown
    assert all(row.consent_id is not None and row.build for row in rows)
    assert sum(row.is_swapped for row in rows if row.repeat_of is None) == 2
    swapped = {row.number: row.is_swapped for row in rows}
    assert [swapped[row.repeat_of] != row.is_swapped for row in rows if row.repeat_of is not None] == [True]


async def test_clips_have_the_exact_pixels_of_their_frames_on_the_side_that_is_shown(judging: Judging) -> None:
    await judging.draw()
    async with judging.arcade.state.engine.connect() as connection:
        clips = {(clip.number, clip.side): clip for clip in await list_clips(connection, "pairs")}
    state = (await judging.get()).json()
    seen_sides = set()
    while state["tasks"]:
        task = state["tasks"][0]
        bodies = []
        for path in task["clips"]:
            response = await judging.get(path.removeprefix("/judgements/pairs"))
            assert response.status_code == 200, response.text
            assert response.headers["content-type"] == "image/apng"
            assert response.headers["cache-control"] == "no-store"
            bodies.append(read_apng(response.content))
        state = (await judging.answer(task["number"], "left")).json()
        [[is_swapped]] = await judging.read(f"SELECT is_swapped FROM judgement WHERE number = {task['number']}")
        if (task["number"], "first") not in clips:
            continue  # the repeat
        seen_sides.add(is_swapped)
        for side, frames in zip(("second", "first") if is_swapped else ("first", "second"), bodies, strict=True):
            clip = clips[task["number"], side]
            expected = judging.episodes[clip.episode_id].frames[clip.frame_from : clip.frame_to]
            np.testing.assert_array_equal(frames, expected)
    assert seen_sides == {True, False}


async def test_crop_leaves_out_the_rest_of_the_picture(judging: Judging) -> None:
    await judging.draw(crop={"x": 2, "y": 1, "width": 3, "height": 100})
    task = (await judging.get()).json()["tasks"][0]
    response = await judging.get(task["clips"][0].removeprefix("/judgements/pairs"))
    frames = read_apng(response.content)
    assert frames.shape == (6, 5, 3, 3)
    wholes = [episode.frames[:, 1:, 2:5] for episode in judging.episodes.values()]
    assert any((whole[start : start + 6] == frames).all() for whole in wholes for start in range(8))


async def test_judge_learns_neither_recording_nor_player_nor_score(judging: Judging) -> None:
    await judging.draw()
    state = await judging.get()
    clip = await judging.get(state.json()["tasks"][0]["clips"][1].removeprefix("/judgements/pairs"))
    told = [state.text, str(state.headers), str(clip.headers), clip.content.decode("latin-1")]
    secrets = [*(str(id_) for id_ in judging.episodes), *PLAYERS, "score", "reward", "gold", "episode", "is_program"]
    assert [(secret, text_) for text_ in told for secret in secrets if secret in text_] == []


async def test_undo_brings_the_last_item_back_and_keeps_the_retracted_answer(judging: Judging) -> None:
    await judging.draw()
    first = (await judging.get()).json()["tasks"][0]["number"]
    second = (await judging.answer(first, "left")).json()["tasks"][0]["number"]
    await judging.answer(second, "left")
    state = (await judging.undo()).json()
    assert (state["tasks"][0]["number"], state["n_answered"]) == (second, 1)
    await judging.answer(second, "right")
    assert (await judging.undo()).json()["tasks"][0]["number"] == second
    assert (await judging.undo()).json()["tasks"][0]["number"] == first
    assert (await judging.undo()).json()["n_answered"] == 0
    rows = await judging.read("SELECT number, answer, time_retracted IS NULL FROM judgement ORDER BY id")
    assert [tuple(row) for row in rows] == [(first, "left", False), (second, "left", False), (second, "right", False)]


async def test_second_answer_to_an_item_changes_nothing(judging: Judging) -> None:
    await judging.draw()
    number = (await judging.get()).json()["tasks"][0]["number"]
    before = (await judging.answer(number, "left")).json()
    assert (await judging.answer(number, "right")).json() == before
    assert [row[0] for row in await judging.read("SELECT answer FROM judgement")] == ["left"]


async def test_judges_of_a_set_for_everyone_have_orders_of_their_own(judging: Judging) -> None:
    await judging.draw(audience="everyone", items=20)
    orders = []
    for email in (RITA, ADA):
        state = (await judging.get(email=email)).json()
        orders.append([task["number"] for task in state["tasks"]])
        await judging.answer(state["tasks"][0]["number"], "equal", email)
        assert (await judging.get(email=email)).json()["n_answered"] == 1
    assert orders[0] != orders[1]


async def test_only_those_who_are_invited_may_judge(judging: Judging) -> None:
    assert (await judging.get()).status_code == 404
    await judging.draw()
    number = (await judging.get()).json()["tasks"][0]["number"]
    assert (await judging.get(email=None)).status_code == 401
    for response in (
        await judging.get(email=ADA),
        await judging.get(f"/items/{number}/clips/left", ADA),
        await judging.answer(number, "left", ADA),
        await judging.undo(ADA),
    ):
        assert (response.status_code, response.json()["error"]) == (403, "NotAllowed")
    async with judging.arcade.state.engine.begin() as connection:
        await close_set(connection, "pairs")
    closed = await judging.get()
    assert (closed.status_code, closed.json()["message"]) == (
        403,
        "This set of clips is closed, and takes no more answers.",
    )


async def test_judge_must_allow_research(judging: Judging) -> None:
    await judging.draw(audience="everyone")
    for scopes in ((), ("boards",)):
        headers = await judging.arcade.sign_in(f"judge{len(scopes)}@example.org", consents=False)
        await give_consent(judging.arcade.http, headers, scopes)
        response = await judging.arcade.http.get("/judgements/pairs", headers=headers)
        assert (response.status_code, response.json()["error"]) == (403, "ConsentRequired")
    headers = await judging.arcade.sign_in("new@example.org", consents=False)
    assert (await judging.arcade.http.get("/judgements/pairs", headers=headers)).status_code == 403
    await give_consent(judging.arcade.http, headers, ("research",))
    assert (await judging.arcade.http.get("/judgements/pairs", headers=headers)).status_code == 200


async def test_r38_clip_of_a_player_who_does_not_allow_it_any_more_is_not_shown(judging: Judging) -> None:
    await judging.draw(items=6)
    path = (await judging.get()).json()["tasks"][0]["clips"][0].removeprefix("/judgements/pairs")
    assert (await judging.get(path)).status_code == 200
    async with judging.arcade.state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM consent_decision"))
    assert (await judging.get(path)).status_code == 404
    state = (await judging.get()).json()
    assert (state["n_items"], state["tasks"]) == (0, [])


@pytest.mark.parametrize(
    ("kind", "answer", "rating"),
    [
        ("pair", "rating", 3),
        ("pair", "left", 3),
        ("pair", "better", None),
        ("rating", "left", None),
        ("rating", "rating", None),
        ("rating", "rating", 0),
        ("rating", "rating", 6),
        ("rating", "rating", 2.5),
    ],
)
async def test_answer_that_does_not_fit_the_set_is_refused(
    judging: Judging, kind: str, answer: str, rating: float | None
) -> None:
    await judging.draw(kind=kind, **({} if kind == "pair" else {"gold": 0}))
    number = (await judging.get()).json()["tasks"][0]["number"]
    assert (await judging.answer(number, answer, rating=rating)).status_code == 422
    assert await judging.read("SELECT 1 FROM judgement") == []


@pytest.mark.parametrize(("scale", "rating"), [("1-5", 5), ("0-100", 77)])
async def test_ratings_have_one_clip_and_are_stored(judging: Judging, scale: str, rating: int) -> None:
    await judging.draw(kind="rating", gold=0, scale=scale)
    state = (await judging.get()).json()
    assert (state["scale"], len(state["tasks"][0]["clips"])) == (scale, 1)
    response = await judging.get(state["tasks"][0]["clips"][0].removeprefix("/judgements/pairs"))
    assert len(read_apng(response.content)) == 6
    await judging.answer(state["tasks"][0]["number"], "rating", rating=rating)
    [row] = await judging.read("SELECT answer, rating, is_swapped FROM judgement")
    assert tuple(row) == ("rating", rating, False)


async def test_clips_wait_for_others_that_are_being_made(judging: Judging) -> None:
    await judging.draw(items=6)
    tasks = (await judging.get()).json()["tasks"]
    paths = [path.removeprefix("/judgements/pairs") for task in tasks for path in task["clips"]]
    responses = await asyncio.gather(*(judging.get(path) for path in paths))
    assert [response.status_code for response in responses] == [200] * 4
    assert all(io.BytesIO(response.content).read(8) == b"\x89PNG\r\n\x1a\n" for response in responses)


async def test_clip_that_waits_too_long_is_answered_429(judging: Judging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skill_arcade.web.routes.judgements.MAX_CLIP_WAIT_SECONDS", 0.05)
    await judging.draw()
    path = (await judging.get()).json()["tasks"][0]["clips"][0].removeprefix("/judgements/pairs")
    slots = judging.arcade.state.clips._slots
    await slots.acquire()
    await slots.acquire()
    busy = await judging.get(path)
    assert (busy.status_code, busy.json()["error"]) == (429, "TooManyRequests")
    slots.release()
    assert (await judging.get(path)).status_code == 200
    slots.release()
