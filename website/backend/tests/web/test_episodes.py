"""Recordings go back to the player whose they are and to researchers, from a folder and from a bucket alike."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest
from sqlalchemy import URL

from skill_arcade.frames.apng import read_apng
from skill_arcade.settings import Settings
from tests.support.cloud.storage import Answer, StorageServer, storage_server
from tests.support.recorded_episode import RecordedEpisode, record_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
ADA, EVA, RITA = "ada@example.org", "eva@example.org", "rita@example.org"
FRAMES = "/segments/1/frames"
ON_DISK = pytest.mark.parametrize("kept", ["disk"], indirect=True)
IN_A_BUCKET = pytest.mark.parametrize("kept", ["google"], indirect=True)


class Kept:
    """An arcade, and an episode of Ada's that it keeps."""

    def __init__(self, arcade: Visitor, episode: RecordedEpisode) -> None:
        self.arcade, self.episode = arcade, episode

    async def ask(self, path: str = "", email: str | None = ADA, **headers: str) -> httpx.Response:
        """Ask about the episode, signed in by this e-mail, or as nobody."""
        token = {} if email is None else await self.arcade.sign_in(email)
        return await self.arcade.http.get(f"/episodes/{self.episode.id}{path}", headers={**token, **headers})


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture(params=["disk", "google"])
async def kept(
    request: pytest.FixtureRequest, settings: Settings, database_url: URL, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[Kept]:
    told: dict[str, object] = {"researcher_emails": [RITA]}
    if request.param == "google":
        told["gcp_bucket_name"] = request.getfixturevalue("bucket").bucket.name
    made = tmp_path / "made"
    episode = await asyncio.to_thread(
        record_episode, database_url, made, user="ada", observe=lambda i: np.full(3, i, np.int16)
    )
    async with open_arcade(settings.model_copy(update=told)) as arcade:
        for key in episode.keys:
            await arcade.state.objects.put(key, (made / key).read_bytes())
        yield Kept(arcade, episode)


async def test_what_is_read_back_is_what_was_recorded(kept: Kept) -> None:
    told = (await kept.ask()).json()
    assert (told["id"], told["game_id"], told["n_steps"], told["status"]) == (str(kept.episode.id), "pong", 12, "won")
    assert [part["n_frames"] for part in told["segments"]] == [5, 3, 5]
    shown, seen = [], []
    token = await kept.arcade.sign_in(ADA)
    for part in told["segments"]:
        frames = await kept.arcade.http.get(part["frames"], headers=token)
        assert frames.headers["content-type"] == "image/apng"
        shown += list(read_apng(frames.content))
        observations = await kept.arcade.http.get(part["observations"], headers=token)
        with np.load(io.BytesIO(observations.content)) as arrays:
            seen += list(arrays["observation"])
    assert np.array_equal(np.stack(shown), kept.episode.frames)
    assert np.array_equal(np.stack(seen), np.stack(kept.episode.observations))


@pytest.mark.parametrize(("email", "status"), [(None, 401), (EVA, 404), (ADA, 200), (RITA, 200)])
async def test_it_is_for_the_player_and_for_researchers(kept: Kept, email: str | None, status: int) -> None:
    answers = [await kept.ask(path, email) for path in ("", FRAMES, "/segments/1/observations")]
    assert [answer.status_code for answer in answers] == [status] * 3


@ON_DISK
async def test_another_player_can_not_tell_it_from_an_episode_that_is_not_there(kept: Kept) -> None:
    real = await kept.ask(email=EVA)
    kept.episode, there = replace(kept.episode, id=uuid4()), kept.episode.id
    none = await kept.ask(email=EVA)
    assert none.json()["message"].replace(str(kept.episode.id), str(there)) == real.json()["message"]
    assert (real.status_code, none.status_code) == (404, 404)


@ON_DISK
async def test_what_is_not_there_is_said_in_a_sentence(kept: Kept) -> None:
    for path, status in {"9/frames": 404, "1/score": 422, "-1/frames": 422, "x/frames": 422}.items():
        answer = await kept.ask(f"/segments/{path}")
        assert (answer.status_code, set(answer.json())) == (status, {"error", "message"}), path


@ON_DISK
async def test_a_browser_keeps_it_for_this_person_only_and_asks_by_its_tag(kept: Kept) -> None:
    first = await kept.ask(FRAMES)
    assert first.headers["cache-control"].startswith("private")
    assert "Authorization" in first.headers["vary"]
    again = await kept.ask(FRAMES, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await kept.ask(FRAMES, EVA, **{"if-none-match": first.headers["etag"]})).status_code == 404


@IN_A_BUCKET
async def test_a_bucket_that_is_away_is_503_and_tells_nothing_of_itself(kept: Kept, bucket: StorageServer) -> None:
    bucket.faults["download"].append(Answer(403))
    answer = await kept.ask(FRAMES)
    assert answer.status_code == 503
    assert bucket.bucket.name not in answer.text


@IN_A_BUCKET
async def test_a_recording_that_is_damaged_is_not_sent(kept: Kept, bucket: StorageServer) -> None:
    key = next(key for key in bucket.bucket.objects if key.endswith("000001.png"))
    bucket.bucket.insert(key, b"other bytes", {}, None)
    answer = await kept.ask(FRAMES)
    assert (answer.status_code, answer.json()["error"]) == (500, "RecordingDamaged")
    assert b"other bytes" not in answer.content
