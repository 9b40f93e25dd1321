"""What a viewer of an episode reads, and who may read it: players, researchers, and whoever has a valid link."""

import asyncio
import hashlib
import io
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import URL, text, update

from skill_arcade.frames.apng import read_apng
from skill_arcade.settings import Settings
from skill_arcade.storage.database.erasures import begin_erasure, erase_episode, finish_erasure
from skill_arcade.storage.database.tables import Table
from tests.support.archive import archive_all
from tests.support.recorded_episode import RecordedEpisode, record_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
ADA, EVA, RITA = "ada@example.org", "eva@example.org", "rita@example.org"
ON_DISK = pytest.mark.parametrize("recording", ["disk"], indirect=True)
ALSO_ARCHIVED = pytest.mark.parametrize("recording", ["disk", "archived"], indirect=True)
MISSION = "go to the red ball"


class Recording:
    """An arcade that has an episode of Ada's."""

    def __init__(self, arcade: Visitor, episode: RecordedEpisode) -> None:
        self.arcade, self.episode = arcade, episode
        self.path = f"/episodes/{episode.id}"

    async def get(self, path: str, email: str | None = ADA, share: str | None = None, **headers: str) -> httpx.Response:
        """Request a path below the episode's, as this user, with the token of a link, or with neither."""
        token = {} if email is None else await self.arcade.sign_in(email)
        link = {} if share is None else {"share-token": share}
        return await self.arcade.http.get(f"{self.path}{path}", headers={**token, **link, **headers})

    async def post(self, path: str, body: Any = None, email: str = ADA) -> httpx.Response:
        token = await self.arcade.sign_in(email)
        return await self.arcade.http.post(f"{self.path}{path}", json=body, headers=token)

    async def make_link(self) -> dict[str, Any]:
        answer = await self.post("/shares")
        assert answer.status_code == 201, answer.text
        link: dict[str, Any] = answer.json()
        return link

    async def execute(self, statement: Any) -> Any:
        async with self.arcade.state.engine.begin() as connection:
            return await connection.execute(statement)


@pytest.fixture(params=["disk", "google"])
async def recording(
    request: pytest.FixtureRequest, settings: Settings, database_url: URL, tmp_path: Path, anyio_backend: str
) -> AsyncIterator[Recording]:
    changes: dict[str, object] = {"researcher_emails": [RITA]}
    if request.param == "google":
        changes["gcp_bucket_name"] = request.getfixturevalue("bucket").bucket.name
    source_folder = tmp_path / "made"
    observe = lambda i: {"mission": MISSION if i < 6 else "done", "x": np.full(3, i, np.int16)}  # noqa: E731
    episode = await asyncio.to_thread(record_episode, database_url, source_folder, user="ada", observe=observe)
    async with open_arcade(settings.model_copy(update=changes)) as arcade:
        for key in episode.keys:
            await arcade.state.objects.put(key, (source_folder / key).read_bytes())
        if request.param == "archived":
            assert (await archive_all(arcade.state.engine, arcade.state.objects)).n_episodes == 1
        yield Recording(arcade, episode)


async def test_replay_segments_give_the_recorded_frames(recording: Recording) -> None:
    replay = (await recording.get("/replay")).json()
    frames: list[Any] = []
    for segment in replay["segments"]:
        assert segment["first_frame"] == len(frames)
        body = (await recording.get(segment["frames"].removeprefix(recording.path))).content
        assert hashlib.sha256(body).hexdigest() == segment["frames_sha256"]
        frames += list(read_apng(body))
    assert np.array_equal(np.stack(frames), recording.episode.frames)
    assert (replay["n_frames"], replay["n_steps"], replay["access"]) == (13, 12, "player")
    assert replay["game"]["pace"] == {"kind": "real-time", "hz": 60.0}
    assert replay["certificate"] is None


async def test_segment_range_requests_join_to_the_whole_file(recording: Recording) -> None:
    whole = (await recording.get("/segments/1/frames")).content
    parts = [(0, 9), (10, len(whole) - 6)]
    answers = [await recording.get("/segments/1/frames", Range=f"bytes={a}-{b}") for a, b in parts]
    answers.append(await recording.get("/segments/1/frames", Range="bytes=-5"))
    assert [answer.status_code for answer in answers] == [206] * 3
    assert b"".join(answer.content for answer in answers) == whole
    assert answers[1].headers["content-range"] == f"bytes 10-{len(whole) - 6}/{len(whole)}"
    assert (await recording.get("/segments/1/frames", Range="bytes=10-")).content == whole[10:]


@ON_DISK
@pytest.mark.parametrize(
    ("requested", "status"),
    [("bytes=999999-", 416), ("bytes=-0", 416), ("bytes=0-1,3-4", 200), ("lines=1-2", 200), ("bytes=9-2", 200)],
)
async def test_segment_range_that_is_unsatisfiable_answers_416_and_odd_ones_are_ignored(
    recording: Recording, requested: str, status: int
) -> None:
    assert (await recording.get("/segments/1/frames", Range=requested)).status_code == status


@ALSO_ARCHIVED
async def test_step_columns_equal_the_recorded_rows_on_every_page_size(recording: Recording) -> None:
    whole = (await recording.get("/replay/steps")).json()
    assert whole["action"] == [step % 3 for step in range(12)]
    assert whole["reward"] == [step / 4 for step in range(12)]
    assert whole["server_us"] == [16_667 * step for step in range(12)]
    assert whole["shown_us"][2] is None
    for size in (1, 5, 11):
        pages = [
            (await recording.get(f"/replay/steps?first={first}&count={size}")).json() for first in range(0, 12, size)
        ]
        for name in ("action", "reward", "server_us", "stepped_us", "shown_us", "input_us", "input_received_us"):
            assert [value for page in pages for value in page[name]] == whole[name], name
    assert (await recording.get("/replay/steps?first=12")).json()["action"] == []


@ALSO_ARCHIVED
async def test_step_columns_know_the_lives_at_the_start_of_each_page(recording: Recording) -> None:
    manifest = json.dumps({"name": "Pong", "show": {"lives": "lives"}})
    await recording.execute(text("UPDATE game SET config = cast(:config AS jsonb)").bindparams(config=manifest))
    firsts = [(await recording.get(f"/replay/steps?first={first}&count=2")).json()["lives"] for first in (0, 4, 6, 11)]
    assert firsts == [[5, None], [5, 4], [4, None], [4]]


@ON_DISK
async def test_step_columns_name_rewards_that_json_cannot_say(recording: Recording) -> None:
    transition = Table.metadata.tables["transition"]
    for step, reward in enumerate((math.nan, math.inf, -math.inf)):
        await recording.execute(update(transition).where(transition.c.step == step).values(reward=reward))
    rewards = (await recording.get("/replay/steps")).json()["reward"]
    assert rewards[:3] == ["NaN", "Infinity", "-Infinity"]


@ALSO_ARCHIVED
async def test_frame_info_is_that_of_reset_or_of_the_step_before(recording: Recording) -> None:
    infos = [(await recording.get(f"/replay/info/{frame}")).json()["info"]["lives"] for frame in range(13)]
    assert infos == [5] * 6 + [4] * 7
    assert (await recording.get("/replay/info/13")).status_code == 404


@ON_DISK
async def test_captions_are_the_changes_of_the_text_in_the_observation(recording: Recording) -> None:
    assert (await recording.get("/replay/captions")).json() == {"captions": []}
    manifest = json.dumps({"name": "Pong", "show": {"text": "mission"}})
    await recording.execute(text("UPDATE game SET config = cast(:config AS jsonb)").bindparams(config=manifest))
    assert (await recording.get("/replay/captions")).json()["captions"] == [
        {"frame": 0, "text": MISSION},
        {"frame": 6, "text": "done"},
    ]


@pytest.mark.parametrize("path", ["", "/steps", "/events", "/info/1", "/captions"])
@pytest.mark.parametrize(("email", "status"), [(None, 401), (EVA, 404), (ADA, 200), (RITA, 200)])
@ON_DISK
async def test_replay_is_readable_by_player_and_researchers_only(
    recording: Recording, path: str, email: str | None, status: int
) -> None:
    assert (await recording.get(f"/replay{path}", email)).status_code == status


@ON_DISK
async def test_replay_of_program_is_readable_by_researchers(recording: Recording) -> None:
    """The charts of programs link to their replays; the view of consents has people only."""
    await recording.execute(text("UPDATE \"user\" SET is_synthetic = true WHERE id = 'ada'"))
    assert (await recording.get("/replay", RITA)).status_code == 200
    assert (await recording.get("/replay", EVA)).status_code == 404


@ON_DISK
async def test_link_opens_its_episode_only_until_it_is_revoked(recording: Recording) -> None:
    link = await recording.make_link()
    paths = ["/replay", "/replay/steps", "/replay/events", "/segments/0/frames", "/segments/0/observations"]
    for email in (None, EVA):
        answers = [await recording.get(path, email, link["token"]) for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(paths)
    other = Recording(recording.arcade, recording.episode)
    other.path = f"/episodes/{uuid4()}"
    assert (await other.get("/replay", None, link["token"])).status_code == 404
    assert (await recording.get("/replay", None, "x" * 43)).status_code == 404
    headers = await recording.arcade.sign_in(ADA)
    revoked = await recording.arcade.http.delete(f"{recording.path}/shares/{link['id']}", headers=headers)
    assert revoked.json()["time_revoked"] is not None
    answers = [await recording.get(path, None, link["token"]) for path in paths]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(410, "LinkRevoked")] * len(paths)
    assert (await recording.get("/replay", ADA, link["token"])).status_code == 200


@ON_DISK
async def test_link_is_stored_as_a_hash_and_made_by_the_player_only(recording: Recording) -> None:
    link = await recording.make_link()
    rows = (await recording.execute(text("SELECT to_jsonb(share) FROM share"))).scalars().all()
    assert link["token"] not in json.dumps(rows)
    assert rows[0]["token_sha256"] == hashlib.sha256(link["token"].encode()).hexdigest()
    assert len(link["token"]) >= 43
    for email, status in ((EVA, 404), (RITA, 403)):
        assert (await recording.post("/shares", email=email)).status_code == status
        assert (await recording.get("/shares", email)).status_code == status
    listed = (await recording.get("/shares")).json()
    assert [entry["id"] for entry in listed] == [link["id"]]
    assert "token" not in listed[0]


@ON_DISK
async def test_link_reveals_neither_player_nor_device(recording: Recording) -> None:
    episode, event = Table.metadata.tables["episode"], Table.metadata.tables["event"]
    provenance = {"mode": "streamed", "player": {"browser": "SecretBrowser"}}
    await recording.execute(update(episode).values(provenance=provenance))
    await recording.execute(update(event).values(kind="setup", data={"gamepads": ["SecretPad"]}))
    token = (await recording.make_link())["token"]
    for path in ("/replay", "/replay/events", "/replay/steps"):
        body = (await recording.get(path, None, token)).text
        assert not any(secret in body for secret in ("Secret", "ada"))
    assert "SecretBrowser" in (await recording.get("/replay")).text
    assert "SecretPad" in (await recording.get("/replay/events")).text


@ON_DISK
async def test_share_page_previews_title_and_picture_and_opens_the_viewer(recording: Recording) -> None:
    link = await recording.make_link()
    page = await recording.arcade.http.get(f"{link['address']}?f=3-7&speed=0.25&evil=%22%3E")
    assert page.status_code == 200
    target = f"/replay/{recording.episode.id}?f=3-7&amp;speed=0.25#share={link['token']}"
    assert f'content="0; url={target}"' in page.text
    assert "Pong: 3 points" in page.text
    assert "evil" not in page.text
    address = page.text.partition('og:image" content="')[2].partition('"')[0]
    picture = await recording.arcade.http.get(address)
    image = np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))
    assert image.shape == (630, 1200, 3)
    scale = 630 // 6
    top, left = (630 - 6 * scale) // 2, (1200 - 8 * scale) // 2
    shown = image[top : top + 6 * scale : scale, left : left + 8 * scale : scale]
    assert np.array_equal(shown, recording.episode.frames[3])


@ON_DISK
async def test_share_page_of_hosted_page_opens_its_origin(settings: Settings, recording: Recording) -> None:
    link = await recording.make_link()
    recording.arcade.state.settings.__dict__["cors_origins"] = ("https://arcade.example.org",)
    page = await recording.arcade.http.get(link["address"])
    assert f'url=https://arcade.example.org/replay/{recording.episode.id}#share={link["token"]}"' in page.text


@ON_DISK
async def test_share_page_of_revoked_or_unknown_link_answers_410_or_404(recording: Recording) -> None:
    link = await recording.make_link()
    headers = await recording.arcade.sign_in(ADA)
    await recording.arcade.http.delete(f"{recording.path}/shares/{link['id']}", headers=headers)
    http = recording.arcade.http
    assert (await http.get(link["address"])).status_code == 410
    assert (await http.get(f"{link['address']}/picture.png")).status_code == 410
    assert (await http.get("/shared/unknown")).status_code == 404
    assert (await http.get("/shared/unknown/picture.png")).status_code == 404


@ON_DISK
async def test_notes_of_player_are_read_by_author_and_researchers(recording: Recording) -> None:
    note = {"step_from": 2, "step_to": 5, "tag": "mistake", "text": " too late "}
    written = await recording.post("/notes", note)
    assert written.status_code == 201
    assert written.json() | {"text": "too late", "author_role": "player", "is_own": True} == written.json()
    by_researcher = await recording.post("/notes", note | {"tag": None, "text": "look"}, RITA)
    assert by_researcher.json()["author_role"] == "researcher"
    assert [entry["text"] for entry in (await recording.get("/notes")).json()["notes"]] == ["too late"]
    read = (await recording.get("/notes", RITA)).json()
    assert [(entry["text"], entry["is_own"]) for entry in read["notes"]] == [("too late", False), ("look", True)]
    assert "mistake" in {tag["name"] for tag in read["tags"]}
    token = (await recording.make_link())["token"]
    assert (await recording.get("/notes", None, token)).status_code == 401
    assert (await recording.get("/notes", EVA, token)).status_code == 404


@ON_DISK
@pytest.mark.parametrize(
    "change",
    [{"step_to": 2}, {"step_to": 14}, {"step_from": -1}, {"tag": "unheard-of"}, {"tag": None, "text": " "}],
)
async def test_note_that_is_invalid_answers_422(recording: Recording, change: dict[str, Any]) -> None:
    note = {"step_from": 2, "step_to": 13, "tag": "mistake", "text": ""}
    assert (await recording.post("/notes", note)).status_code == 201
    assert (await recording.post("/notes", note | change)).status_code == 422


@ON_DISK
async def test_note_is_retracted_by_its_author_only_and_stays(recording: Recording) -> None:
    note = {"step_from": 0, "step_to": 1, "tag": "luck", "text": ""}
    id_ = (await recording.post("/notes", note)).json()["id"]
    assert (await recording.post(f"/notes/{id_}/retraction", email=RITA)).status_code == 404
    first = (await recording.post(f"/notes/{id_}/retraction")).json()
    again = (await recording.post(f"/notes/{id_}/retraction")).json()
    assert first["time_retracted"] is not None
    assert again == first
    assert [entry["id"] for entry in (await recording.get("/notes")).json()["notes"]] == [id_]


@ON_DISK
async def test_erasure_removes_links_and_notes_of_the_episode_and_of_the_author(recording: Recording) -> None:
    link = await recording.make_link()
    note = {"step_from": 0, "step_to": 1, "tag": "luck", "text": ""}
    await recording.post("/notes", note)
    await recording.post("/notes", note, RITA)
    async with recording.arcade.state.engine.begin() as connection:
        rita = (
            await connection.execute(text('SELECT id FROM "user" WHERE email = :e').bindparams(e=RITA))
        ).scalar_one()
        await begin_erasure(connection, rita)
        await finish_erasure(connection, rita)
        roles = (await connection.execute(text("SELECT author_role FROM note"))).scalars().all()
        assert roles == ["player"]
        await begin_erasure(connection, "ada")
        await erase_episode(connection, recording.episode.id)
        await finish_erasure(connection, "ada")
        for table in ("share", "note"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    assert (await recording.arcade.http.get(link["address"])).status_code == 404
    assert (await recording.get("/replay", None, link["token"])).status_code == 404


@ALSO_ARCHIVED
async def test_clip_across_segments_has_the_recorded_frames_and_durations(recording: Recording) -> None:
    token = (await recording.make_link())["token"]
    answer = await recording.get("/clips?format=apng&first=3&end=11", None, token)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/apng")
    image: Any = Image.open(io.BytesIO(answer.content))
    assert image.n_frames == 8
    for index in range(8):
        image.seek(index)
        assert np.array_equal(np.asarray(image.convert("RGB")), recording.episode.frames[3 + index])
        assert image.info["duration"] == pytest.approx(1000 / 60, abs=0.02)


@ON_DISK
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("format=png&first=12&end=13", 200),
        ("format=png&first=12&end=14", 404),
        ("format=png&first=3&end=3", 422),
        ("format=gif&first=0&end=3700", 422),
        ("format=webp&first=0&end=3", 422),
    ],
)
async def test_clip_request_outside_of_the_episode_or_limits_is_refused(
    recording: Recording, query: str, status: int
) -> None:
    assert (await recording.get(f"/clips?{query}")).status_code == status
    assert (await recording.get(f"/clips?{query}", EVA)).status_code in (404, 422)


@ON_DISK
async def test_clip_worker_answers_429_while_it_is_busy(recording: Recording) -> None:
    answers = await asyncio.gather(*(recording.get("/clips?format=mp4&first=0&end=13") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200, 429}
