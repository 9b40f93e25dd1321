"""Recordings are returned to their player and to researchers, from a folder and from a bucket alike."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest
from sqlalchemy import URL

from skill_arcade.frames.apng import read_apng
from skill_arcade.settings import Settings
from tests.support.cloud.storage import Answer, StorageServer
from tests.support.recorded_episode import RecordedEpisode, record_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
ADA, EVA, RITA = "ada@example.org", "eva@example.org", "rita@example.org"
FRAMES = "/segments/1/frames"
ON_DISK = pytest.mark.parametrize("recording", ["disk"], indirect=True)
IN_BUCKET = pytest.mark.parametrize("recording", ["google"], indirect=True)


class RecordingClient:
    """A client of an arcade that has an episode of Ada's."""

    def __init__(self, arcade: Visitor, episode: RecordedEpisode) -> None:
        self.arcade, self.episode = arcade, episode

    async def request(self, path: str = "", email: str | None = ADA, **headers: str) -> httpx.Response:
        """Request the episode as the user with this e-mail address, or without a token if it is None."""
        token = {} if email is None else await self.arcade.sign_in(email)
        return await self.arcade.http.get(f"/episodes/{self.episode.id}{path}", headers={**token, **headers})


@pytest.fixture(params=["disk", "google"])
async def recording(
    request: pytest.FixtureRequest, settings: Settings, database_url: URL, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[RecordingClient]:
    changes: dict[str, object] = {"researcher_emails": [RITA]}
    if request.param == "google":
        changes["gcp_bucket_name"] = request.getfixturevalue("bucket").bucket.name
    source_folder = tmp_path / "made"
    episode = await asyncio.to_thread(
        record_episode, database_url, source_folder, user="ada", observe=lambda i: np.full(3, i, np.int16)
    )
    async with open_arcade(settings.model_copy(update=changes)) as arcade:
        for key in episode.keys:
            await arcade.state.objects.put(key, (source_folder / key).read_bytes())
        yield RecordingClient(arcade, episode)


async def test_episode_frames_and_observations_equal_the_recorded_ones(recording: RecordingClient) -> None:
    changes = (await recording.request()).json()
    assert (changes["id"], changes["game_id"], changes["n_steps"], changes["status"]) == (
        str(recording.episode.id),
        "pong",
        12,
        "won",
    )
    assert [part["n_frames"] for part in changes["segments"]] == [5, 3, 5]
    frames_read, observations_read = [], []
    token = await recording.arcade.sign_in(ADA)
    for part in changes["segments"]:
        frames = await recording.arcade.http.get(part["frames"], headers=token)
        assert frames.headers["content-type"] == "image/apng"
        frames_read += list(read_apng(frames.content))
        observations = await recording.arcade.http.get(part["observations"], headers=token)
        with np.load(io.BytesIO(observations.content)) as arrays:
            observations_read += list(arrays["observation"])
    assert np.array_equal(np.stack(frames_read), recording.episode.frames)
    assert np.array_equal(np.stack(observations_read), np.stack(recording.episode.observations))


@pytest.mark.parametrize(("email", "status"), [(None, 401), (EVA, 404), (ADA, 200), (RITA, 200)])
async def test_episode_is_readable_by_player_and_researchers_only(
    recording: RecordingClient, email: str | None, status: int
) -> None:
    answers = [await recording.request(path, email) for path in ("", FRAMES, "/segments/1/observations")]
    assert [answer.status_code for answer in answers] == [status] * 3


@ON_DISK
async def test_episode_of_other_player_answers_like_missing_episode(recording: RecordingClient) -> None:
    other_users = await recording.request(email=EVA)
    recording.episode, real_id = replace(recording.episode, id=uuid4()), recording.episode.id
    missing = await recording.request(email=EVA)
    assert missing.json()["message"].replace(str(recording.episode.id), str(real_id)) == other_users.json()["message"]
    assert (other_users.status_code, missing.status_code) == (404, 404)


@ON_DISK
async def test_missing_segments_answer_problem(recording: RecordingClient) -> None:
    for path, status in {"9/frames": 404, "1/score": 422, "-1/frames": 422, "x/frames": 422}.items():
        answer = await recording.request(f"/segments/{path}")
        assert (answer.status_code, set(answer.json())) == (status, {"error", "message"}), path


@ON_DISK
async def test_segment_is_cached_privately_with_etag(recording: RecordingClient) -> None:
    first = await recording.request(FRAMES)
    assert first.headers["cache-control"].startswith("private")
    assert "Authorization" in first.headers["vary"]
    cached = await recording.request(FRAMES, **{"if-none-match": first.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")
    assert (await recording.request(FRAMES, EVA, **{"if-none-match": first.headers["etag"]})).status_code == 404


@IN_BUCKET
async def test_unavailable_bucket_answers_503_without_details(
    recording: RecordingClient, bucket: StorageServer
) -> None:
    bucket.faults["download"].append(Answer(403))
    answer = await recording.request(FRAMES)
    assert answer.status_code == 503
    assert bucket.bucket.name not in answer.text


@IN_BUCKET
async def test_damaged_recording_answers_500_without_content(recording: RecordingClient, bucket: StorageServer) -> None:
    key = next(key for key in bucket.bucket.objects if key.endswith("000001.png"))
    bucket.bucket.insert(key, b"other bytes", {}, None)
    answer = await recording.request(FRAMES)
    assert (answer.status_code, answer.json()["error"]) == (500, "RecordingDamaged")
    assert b"other bytes" not in answer.content
