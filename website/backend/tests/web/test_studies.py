"""Studies by HTTP: participants join, are judged, drawn and sent back; the database has where they are."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from skill_arcade.ids import new_episode_id
from skill_arcade.play.assignment import Ghost
from skill_arcade.settings import Settings
from skill_arcade.storage.database.studies import (
    close_study,
    count_places,
    list_answers,
    list_participants,
    list_study_trials,
)
from skill_arcade.storage.database.tables import Table
from tests.support.consent import BIRTH_YEAR
from tests.support.studies import make_study, open_in_database
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
TABLES = Table.metadata.tables
PARTICIPANT, EPISODE = TABLES["participant"], TABLES["episode"]
FITTING = {"round_trip_ms": 20, "has_keyboard": True}
Step = Callable[[], Awaitable[Any]]
ANSWERS = {"fun": 3, "check-1": 1, "check-2": 2}
PROLIFIC = make_study(recruiter={"kind": "prolific"})


@pytest.fixture
async def arcade(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An arcade with an open study."""
    async with open_arcade(settings) as visitor:
        await open_in_database(visitor.state.engine)
        yield visitor


@dataclass
class Bot:
    """A participant by HTTP."""

    arcade: Visitor
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    page: dict[str, Any] = field(default_factory=dict)
    user_id: str = ""
    resume: str | None = None

    async def join(self, study: str = "ice", **fields: Any) -> "Bot":
        body = {"study": study, "query": self.query, "resume": None, **fields}
        joined = (await self.arcade.http.post("/studies/participants", json=body)).raise_for_status().json()
        self.headers = {"authorization": f"Bearer {joined['token']}"}
        self.user_id, self.page = joined["user_id"], joined["page"]
        self.resume = joined["resume"]
        return self

    async def read(self) -> dict[str, Any]:
        self.page = (await self.arcade.http.get("/studies/me", headers=self.headers)).raise_for_status().json()
        return self.page

    async def answer(self, data: dict[str, Any] | None = None, stage: str | None = None) -> dict[str, Any]:
        body = {"stage": stage or self.page["stage"]["name"], "data": data or {}}
        answer = await self.arcade.http.post("/studies/me/answers", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        self.page = answer.json()
        return self.page

    async def consent(self, scopes: tuple[str, ...] = ("research",), year: int | None = BIRTH_YEAR) -> dict[str, Any]:
        document = self.page["stage"]["sha256"]
        return await self.answer({"document": document, "scopes": scopes, "birth_year": year if scopes else None})

    async def reach_games(self) -> dict[str, Any]:
        await self.consent()
        await self.answer(FITTING)
        return await self.answer({"key": "left"})

    async def write_trial(self, end_reason: str = "terminated", n_steps: int = 9, **fields: Any) -> None:
        """Write an episode of the current stage, as the uploader does."""
        stage = self.page["stage"]
        study = {"name": "ice", "version": 1, "arm": "a", "sequence": None, "stage": stage["name"]}
        study |= {"trial": stage["trial"], "attempt": 0, "practice": stage["kind"] == "practice"}
        now = datetime.now(UTC)
        values = {"id": new_episode_id(), "user_id": self.user_id, "game_id": stage["game_id"], "seed": 1}
        values |= {"n_steps": n_steps, "end_reason": end_reason, "provenance": {"study": study}}
        values |= {"time_created": now, "time_ended": now, **fields}
        async with self.arcade.state.engine.begin() as connection:
            await connection.execute(insert(EPISODE).values(**values))

    async def play_all(self) -> dict[str, Any]:
        while self.page["stage"]["kind"] in ("practice", "games"):
            await self.write_trial()
            await self.answer()
        return self.page

    async def finish(self) -> dict[str, Any]:
        await self.reach_games()
        await self.play_all()
        await self.answer(ANSWERS)
        return await self.answer()


async def rows(arcade: Visitor, table: str) -> list[Any]:
    async with arcade.state.engine.connect() as connection:
        return list(await connection.execute(select(TABLES[table])))


async def post_join(arcade: Visitor, **body: Any) -> tuple[int, str]:
    answer = await arcade.http.post("/studies/participants", json={"study": "ice", "query": {}, "resume": None, **body})
    return answer.status_code, answer.json().get("error", "")


async def test_participant_walks_all_stages_to_the_code(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    assert bot.page["study"]["title"] == "Ice"
    kinds = [bot.page["stage"]["kind"]]
    await bot.consent(("research", "publication"))
    kinds.append(bot.page["stage"]["kind"])
    await bot.answer(FITTING)
    kinds.append(bot.page["stage"]["kind"])
    await bot.answer({"key": "left"})
    kinds.append(bot.page["stage"]["kind"])
    assert kinds == ["consent", "screening", "instructions", "practice"]
    assert bot.page["n_stages"] == 7
    await bot.play_all()
    await bot.answer(ANSWERS)
    page = await bot.answer()
    assert page["completion"] == {"outcome": "complete", "code": None, "url": None}
    assert page["stage"] is None
    [row] = await rows(arcade, "participant")
    assert (row.status, row.holds_slot, row.slot) == ("complete", True, 0)
    assert row.arm in ("a", "b")
    answers = {one.stage: one.data for one in await rows(arcade, "participant_answer")}
    assert answers["after"] == {"answers": ANSWERS}
    assert answers["screening"]["round_trip_ms"] == 20


async def test_page_learns_no_limit_no_correct_answer_and_no_other_code(settings: Settings) -> None:
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, PROLIFIC)
        bot = await Bot(arcade, {"PROLIFIC_PID": "p1"}).join()
        texts = [str(bot.page), str(await bot.consent()), str(await bot.answer(FITTING))]
        texts.append(str(await bot.answer({"key": "left"})))
        await bot.play_all()
        texts += [str(bot.page), str(await bot.answer(ANSWERS))]
        page = await bot.answer()
        for text in texts:
            assert "correct" not in text.lower()
            assert "200" not in text
            assert not any(word in text for word in ("COMPLETE", "SCREENED", "birth_year"))
        assert page["completion"]["url"] == "https://app.prolific.com/submissions/complete?cc=COMPLETE"
        assert "SCREENED" not in str(page)


async def test_consent_of_the_study_is_what_episodes_are_recorded_under(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.consent()
    [consent], documents = await rows(arcade, "consent"), await rows(arcade, "consent_document")
    assert (consent.user_id, consent.decision, consent.scopes) == (bot.user_id, "given", ["research"])
    assert [one.study_name for one in documents if one.sha256 == consent.document_sha256] == ["ice"]
    played = await arcade.state.consents.check_play(bot.user_id, study="ice")
    assert (played.id, played.is_recorded, played.is_watchable) == (consent.id, True, False)


async def test_language_of_the_consent_is_that_of_the_page(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    page = (await arcade.http.get("/studies/me?language=de-AT", headers=bot.headers)).json()
    assert (page["stage"]["language"], page["stage"]["title"]) == ("de", "Studie")
    assert page["stage"]["age"] == "In welchem Jahr sind Sie geboren?"
    await bot.answer({"document": page["stage"]["sha256"], "scopes": ["research"], "birth_year": BIRTH_YEAR})
    assert bot.page["stage"]["kind"] == "screening"


async def test_participant_plays_only_games_of_the_study(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.reach_games()
    body = {"game_id": "frozen-lake"}
    answer = await arcade.http.post("/play/tickets", json=body, headers=bot.headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "ConsentRequired")
    assert (await arcade.http.post("/studies/me/tickets", headers=bot.headers)).status_code == 200
    other = await arcade.sign_in()
    assert (await arcade.http.post("/studies/me/tickets", headers=other)).status_code == 404


@pytest.mark.parametrize(
    ("scopes", "year", "outcome"),
    [((), None, "no-consent"), (("research",), datetime.now(UTC).year - 18, "screened-out")],
)
async def test_participant_without_consent_ends_and_stays_so(
    arcade: Visitor, scopes: tuple[str, ...], year: int | None, outcome: str
) -> None:
    bot = await Bot(arcade).join()
    page = await bot.consent(scopes, year)
    assert page["completion"]["outcome"] == outcome
    again = await Bot(arcade).join(resume=bot.resume)
    assert (again.user_id, again.page["completion"]["outcome"]) == (bot.user_id, outcome)
    assert (await rows(arcade, "participant"))[0].arm is None


async def test_device_that_does_not_fit_ends_with_its_own_code(settings: Settings) -> None:
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, PROLIFIC)
        bot = await Bot(arcade, {"PROLIFIC_PID": "p1"}).join()
        await bot.consent()
        page = await bot.answer({"round_trip_ms": 500, "has_keyboard": True})
        assert page["completion"]["code"] == "INCOMPATIBLE-DEVICE"
        assert page["message"] == "The connection is too slow."


async def test_comprehension_check_has_two_attempts(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.consent()
    await bot.answer(FITTING)
    page = await bot.answer({"key": "right"})
    assert (page["stage"]["kind"], page["completion"]) == ("instructions", None)
    assert page["message"]
    assert (await bot.answer({"key": "right"}))["completion"]["outcome"] == "screened-out"


async def test_failed_attention_checks_end_beyond_the_limit(arcade: Visitor) -> None:
    outcomes = []
    for answers in (ANSWERS | {"check-1": 3}, ANSWERS | {"check-1": 3, "check-2": 3}):
        bot = await Bot(arcade).join()
        await bot.reach_games()
        await bot.play_all()
        page = await bot.answer(answers)
        outcomes.append(page["completion"] and page["completion"]["outcome"])
    assert outcomes == [None, "failed-checks"]


async def test_recruiter_id_is_one_participant_in_one_place_and_apart_from_behaviour(settings: Settings) -> None:
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, PROLIFIC)
        query = {"PROLIFIC_PID": "person-7", "SESSION_ID": "s"}
        bots = await asyncio.gather(*(Bot(arcade, query).join() for _ in range(5)))
        assert len({bot.user_id for bot in bots}) == 1
        await bots[0].consent()
        assert (await bots[1].read())["stage"]["kind"] == "screening"
        assert (await Bot(arcade, {"PROLIFIC_PID": "person-8"}).join()).user_id != bots[0].user_id
        for table in set(TABLES) - {"participant_identity"}:
            assert "person-7" not in str(await rows(arcade, table))
        assert await post_join(arcade, query={}) == (422, "InvalidRequest")


async def test_answer_that_is_sent_again_or_late_changes_nothing(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.consent()
    await bot.answer(FITTING)
    await bot.answer({"round_trip_ms": 500}, stage="screening")
    assert bot.page["stage"]["kind"] == "instructions"
    results = await asyncio.gather(
        *(
            arcade.http.post("/studies/me/answers", json=body, headers=bot.headers)
            for body in [{"stage": "how", "data": {}}] * 2
        )
    )
    assert [result.status_code for result in results] == [200, 200]
    assert (await bot.read())["completion"]["outcome"] == "screened-out"
    assert len([one for one in await rows(arcade, "participant_answer") if one.stage == "how"]) == 2


async def test_trial_is_repeated_until_the_game_ends_and_counts_when_it_is_stored(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.reach_games()
    await bot.write_trial("left")
    assert (await bot.answer())["stage"]["name"] == "warm-up"
    await bot.write_trial(time_ended=None)
    assert (await bot.answer())["stage"]["name"] == "warm-up"
    await bot.write_trial()
    page = await bot.answer()
    assert (page["stage"]["name"], page["stage"]["trial"], page["stage"]["n_trials"]) == ("play", 0, 2)
    await bot.write_trial()
    assert (await bot.answer())["stage"]["trial"] == 1
    assert (await bot.read())["stage"]["progress"] == 0.5


async def test_assignment_of_a_trial_has_condition_seed_and_practice(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.reach_games()
    game_id, key = await arcade.state.studies.trials.issue(bot.user_id)
    assert game_id == "frozen-lake"
    practice = (await arcade.state.studies.trials.assign(bot.user_id, key)).study
    assert (practice.stage, practice.practice, practice.trial) == ("warm-up", True, 0)
    await bot.write_trial()
    await bot.answer()
    seeds = []
    for _ in range(2):
        _, key = await arcade.state.studies.trials.issue(bot.user_id)
        assigned = await arcade.state.studies.trials.assign(bot.user_id, key)
        trial = assigned.study
        assert (trial.name, trial.version, trial.practice) == ("ice", 1, False)
        assert (assigned.ghost, assigned.uses_lockstep, trial.sound, trial.ghost, trial.lockstep) == (
            *(None, False, None, False, False),
        )
        seeds.append(trial.seed)
        await bot.write_trial()
        await bot.answer()
    assert seeds == [11, 12]


async def test_R30_lockstep_and_ghost_are_for_the_arm_whose_stage_has_them(settings: Settings) -> None:
    content, stages = make_study(), make_study()["stages"]
    plain = {**stages[4], "arms": ["a"]}
    content["stages"][3:5] = [plain, {**plain, "name": "raced", "arms": ["b"], "lockstep": True, "ghost": True}]
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, content)
        for _ in range(2):
            bot = await Bot(arcade).join()
            stage = (await bot.reach_games())["stage"]
            is_raced = stage["name"] == "raced"
            assert (stage["sound"], stage["ghost"]) == (None, None)
            await bot.write_trial("terminated")
            await bot.write_trial("left")
            await bot.answer()
            complete = str((await rows(arcade, "episode"))[-2].id)
            assert (await bot.read())["stage"]["ghost"] == (complete if is_raced else None)
            _, key = await arcade.state.studies.trials.issue(bot.user_id)
            assigned = await arcade.state.studies.trials.assign(bot.user_id, key)
            assert assigned.uses_lockstep == assigned.study.lockstep == assigned.study.ghost == is_raced
            # The episode has no record of its settings, so nothing says that the seed makes the same game.
            assert assigned.ghost == (Ghost(episode=complete, seed=None) if is_raced else None)


async def test_frames_limit_the_last_trial(settings: Settings) -> None:
    content = make_study()
    content["stages"][3] |= {"amount": {"frames": 100}, "max_trial_frames": 80}
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, content)
        bot = await Bot(arcade).join()
        await bot.reach_games()
        limits = []
        for n_steps in (80, 20):
            _, key = await arcade.state.studies.trials.issue(bot.user_id)
            game = (await arcade.state.studies.trials.assign(bot.user_id, key)).game
            limits.append(game.environment.kwargs["max_episode_steps"])
            await bot.write_trial("truncated", n_steps)
            await bot.answer()
        assert limits == [80, 20]
        assert bot.page["stage"]["name"] == "play"


async def test_pause_between_trials_delays_the_ticket(settings: Settings) -> None:
    content = make_study()
    content["stages"][4] |= {"break_seconds": 60}
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, content)
        bot = await Bot(arcade).join()
        await bot.reach_games()
        await bot.write_trial()
        await bot.answer()
        await bot.write_trial()
        assert 50 < (await bot.answer())["stage"]["wait_seconds"] <= 60
        answer = await arcade.http.post("/studies/me/tickets", headers=bot.headers)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 50


async def test_quota_counts_complete_and_active_and_a_drop_out_frees_the_place_with_its_arm(arcade: Visitor) -> None:
    bots = [await Bot(arcade).join() for _ in range(5)]
    for bot in bots[:4]:
        await bot.reach_games()
    assert await post_join(arcade) == (403, "StudyClosed")
    await bots[4].consent()
    assert (await bots[4].answer(FITTING))["completion"]["outcome"] == "full"
    before = {row.slot: row.arm for row in await rows(arcade, "participant") if row.holds_slot}
    assert Counter(before.values()) == {"a": 2, "b": 2}
    await set_inactive(arcade, bots[1].user_id)
    late = await Bot(arcade).join()
    await late.reach_games()
    after = {row.slot: row.arm for row in await rows(arcade, "participant") if row.holds_slot}
    assert after == before
    # The one who was inactive comes back: in the same arm, beyond the quota.
    await bots[1].read()
    states = {row.user_id: row for row in await rows(arcade, "participant")}
    own = states[bots[1].user_id]
    assert (own.status, own.holds_slot, own.arm) == ("active", False, states[late.user_id].arm)


async def set_inactive(arcade: Visitor, user_id: str, hours: float = 3) -> None:
    async with arcade.state.engine.begin() as connection:
        own = update(PARTICIPANT).where(PARTICIPANT.c.user_id == user_id)
        early = PARTICIPANT.c.time_active - timedelta(hours=hours)
        await connection.execute(own.values(time_active=early, time_stage=early))


async def test_participant_who_waits_for_a_session_keeps_the_place(settings: Settings) -> None:
    content = make_study(quota=1)
    pause = {"kind": "return", "name": "night", "not_before_hours": 2, "not_after_hours": 24}
    content["stages"].insert(4, pause)
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, content)
        bot = await Bot(arcade).join()
        await bot.reach_games()
        await bot.write_trial()
        assert (await bot.answer())["stage"]["is_due"] is False
        assert (await bot.answer())["message"] == "It is too early to continue."
        await set_inactive(arcade, bot.user_id, hours=3)
        assert await post_join(arcade) == (403, "StudyClosed")
        assert (await bot.read())["stage"]["is_due"] is True
        assert (await bot.answer())["stage"]["name"] == "play"


async def test_strata_and_orders_are_drawn_once(settings: Settings) -> None:
    content = make_study(quota=40, stratify=["hand"], counterbalance=["warm-up", "play"])
    hands = [{"type": "radiogroup", "name": "hand", "title": "Hand?", "choices": ["l", "r"], "isRequired": True}]
    content["stages"].insert(1, {"kind": "questionnaire", "name": "who", "survey": {"pages": [{"elements": hands}]}})
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, content)
        for number in range(16):
            bot = await Bot(arcade).join()
            await bot.consent()
            await bot.answer({"hand": "lr"[number // 8]})
            await bot.answer(FITTING)
            await bot.answer({"key": "left"})
        cells = Counter((row.stratum, row.arm, row.sequence) for row in await rows(arcade, "participant"))
        assert set(cells) == {(f"hand={hand}", arm, order) for hand in "lr" for arm in "ab" for order in (0, 1)}
        assert set(cells.values()) == {2}
        first = {row.sequence: row.user_id for row in await rows(arcade, "participant")}
        pages = [await arcade.state.studies.stages.read(first[order]) for order in (0, 1)]
        assert [page.stage and page.stage.name for page in pages] == ["warm-up", "play"]


async def test_participants_at_once_are_drawn_one_after_the_other(settings: Settings) -> None:
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, make_study(quota=12))
        bots = [await Bot(arcade).join() for _ in range(12)]
        await asyncio.gather(*(bot.reach_games() for bot in bots))
        states = await rows(arcade, "participant")
        assert sorted(row.slot for row in states) == list(range(12))
        assert Counter(row.arm for row in states) == {"a": 6, "b": 6}


@pytest.mark.parametrize("n_bots", [120, pytest.param(1000, marks=pytest.mark.slow)])
async def test_arms_stay_within_one_block_when_a_fifth_drops_out(settings: Settings, n_bots: int) -> None:
    content = make_study(quota=n_bots, arms={"a": {}, "b": {}, "c": {"weight": 2}}, block_repeats=2)
    rng = random.Random(n_bots)
    async with open_arcade(settings.model_copy(update={"rate_limit_burst": 100_000})) as arcade:
        await open_in_database(arcade.state.engine, content)
        places = asyncio.Semaphore(8)

        async def take_part(stage_of_drop_out: int | None) -> None:
            async with places:
                bot = await Bot(arcade).join()
                answer: Step = partial(bot.answer, ANSWERS)
                steps: tuple[Step, ...] = (bot.reach_games, bot.play_all, answer, bot.answer)
                for number, step in enumerate(steps):
                    if number == stage_of_drop_out:
                        await set_inactive(arcade, bot.user_id)
                        return
                    await step()

        drops = [rng.choice(range(4)) if rng.random() < 0.2 else None for _ in range(n_bots)]
        # Who comes last stays, so that there is somebody to take the places of those who dropped out.
        await asyncio.gather(*(take_part(drop) for drop in [*drops[:-20], *([None] * 20)]))
        states = [row for row in await rows(arcade, "participant") if row.holds_slot]
        held = Counter(row.arm for row in states)
        shares = {"a": held["a"], "b": held["b"], "c": held["c"] / 2}
        assert max(shares.values()) - min(shares.values()) <= 2
        assert len({row.slot for row in states}) == len(states) >= 0.75 * n_bots


async def test_changed_study_is_a_new_version_and_participants_keep_theirs(arcade: Visitor) -> None:
    old = await Bot(arcade).join()
    await open_in_database(arcade.state.engine, make_study(title="Ice and snow"))
    await open_in_database(arcade.state.engine, make_study(title="Ice and snow"))
    new = await Bot(arcade).join()
    assert ((await old.read())["study"]["title"], new.page["study"]["title"]) == ("Ice", "Ice and snow")
    assert [row.number for row in await rows(arcade, "study_version")] == [1, 2]
    await old.consent()
    await new.consent()
    assert len(await rows(arcade, "consent")) == 2


@pytest.mark.parametrize("change", [{"frame_skip": 4}, {"stages": [{"kind": "hologram", "name": "new"}]}])
async def test_study_of_a_newer_version_is_refused_in_words_until_a_server_knows_it(
    arcade: Visitor, change: dict[str, Any]
) -> None:
    version = TABLES["study_version"]
    [known] = [one.content for one in await rows(arcade, "study_version")]
    for content, status in (({**known, **change}, 503), (known, 200)):
        async with arcade.state.engine.begin() as connection:
            await connection.execute(update(version).values(content=content))
        body: dict[str, Any] = {"study": "ice", "query": {}, "resume": None}
        answer = await arcade.http.post("/studies/participants", json=body)
        assert answer.status_code == status, answer.text
        if status == 503:
            assert answer.json()["error"] == "NewerStudy"
            assert "newer version" in answer.json()["message"]
            assert await rows(arcade, "participant") == []


async def test_closed_study_takes_nobody_new_and_lets_others_finish(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    async with arcade.state.engine.begin() as connection:
        await close_study(connection, "ice")
    assert await post_join(arcade) == (403, "StudyClosed")
    assert (await bot.finish())["completion"]["outcome"] == "complete"
    assert await post_join(arcade, study="snow") == (404, "NotFound")
    assert await post_join(arcade, resume="wrong") == (404, "NotFound")


async def test_study_accepts_participants_only_between_its_dates(arcade: Visitor) -> None:
    now = datetime.now(UTC)
    for number, (opens, closes) in enumerate([(1, 2), (-2, -1)]):
        times = {"opens": now + timedelta(hours=opens), "closes": now + timedelta(hours=closes)}
        content = make_study(**{name: time.isoformat() for name, time in times.items()})
        await open_in_database(arcade.state.engine, content, f"dated-{number}")
        assert await post_join(arcade, study=f"dated-{number}") == (403, "StudyClosed")


async def test_withdrawal_deletes_the_participant_with_every_id(settings: Settings) -> None:
    async with open_arcade(settings) as arcade:
        await open_in_database(arcade.state.engine, PROLIFIC)
        bot = await Bot(arcade, {"PROLIFIC_PID": "person-7"}).join()
        await bot.finish()
        answer = await arcade.http.post("/studies/me/withdrawal", headers=bot.headers)
        assert answer.json() == {"study": "ice"}
        assert (await arcade.http.get("/studies/me", headers=bot.headers)).status_code in (401, 404)
        # The uploader's eraser does this; here is none.
        await erase(arcade, bot.user_id)
        for table in set(TABLES) - {"erasure"}:
            text = str(await rows(arcade, table))
            assert "person-7" not in text
            assert bot.user_id not in text
        again = await Bot(arcade, {"PROLIFIC_PID": "person-7"}).join()
        assert again.user_id != bot.user_id


@pytest.mark.parametrize("scopes", [["research"], ["research", "publication"]])
async def test_withdrawal_of_research_deletes_answers_and_frees_the_place(arcade: Visitor, scopes: list[str]) -> None:
    done, playing, other = [await Bot(arcade).join() for _ in range(3)]
    await done.finish()
    await playing.reach_games()
    await other.finish()
    assert await count_places_of(arcade) == 3
    for bot in (done, playing):
        body = {"scopes": scopes}
        (await arcade.http.post("/me/consent/withdrawal", json=body, headers=bot.headers)).raise_for_status()
    assert {row.user_id for row in await rows(arcade, "participant_answer")} == {other.user_id}
    found = {row.user_id: row for row in await rows(arcade, "participant")}
    assert [found[bot.user_id].status for bot in (done, playing)] == ["complete", "no-consent"]
    assert await count_places_of(arcade) == 1
    assert (await done.read())["completion"]["outcome"] == "complete"
    assert (await playing.answer({}, "warm-up"))["completion"]["outcome"] == "no-consent"
    async with arcade.state.engine.connect() as connection:
        for list_rows in (list_participants, list_answers, list_study_trials):
            for row in await list_rows(connection, "ice"):
                assert {"user_id": other.user_id, "player_id": other.user_id}.items() & row._mapping.items()


async def test_withdrawal_of_publication_keeps_answers(arcade: Visitor) -> None:
    bot = await Bot(arcade).join()
    await bot.finish()
    body = {"scopes": ["publication"]}
    (await arcade.http.post("/me/consent/withdrawal", json=body, headers=bot.headers)).raise_for_status()
    assert len(await rows(arcade, "participant_answer")) > 3
    assert await count_places_of(arcade) == 1


async def count_places_of(arcade: Visitor) -> int:
    async with arcade.state.engine.connect() as connection:
        return await count_places(connection, "ice")


async def erase(arcade: Visitor, user_id: str) -> None:
    from skill_arcade.storage.database.erasures import erase_episode, finish_erasure, list_user_episodes  # noqa: PLC0415

    async with arcade.state.engine.begin() as connection:
        for episode in await list_user_episodes(connection, user_id, 100):
            await erase_episode(connection, episode)
        await finish_erasure(connection, user_id)


async def test_programs_take_part_and_are_not_counted(arcade: Visitor) -> None:
    headers = {"x-skill-arcade-synthetic": "true"}
    body: dict[str, Any] = {"study": "ice", "query": {}, "resume": None}
    (await arcade.http.post("/studies/participants", json=body, headers=headers)).raise_for_status()
    async with arcade.state.engine.connect() as connection:
        built_in = select(TABLES["agent"].c.user_id)
        others = TABLES["user"].c.is_synthetic & TABLES["user"].c.id.not_in(built_in)
        synthetic = select(func.count()).select_from(TABLES["user"]).where(others)
        assert (await connection.execute(synthetic)).scalar_one() == 1


async def test_researcher_sees_persons_by_arm_and_stage_and_nobody_else_does(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"researcher_emails": ("rosa@example.org",)})) as arcade:
        await open_in_database(arcade.state.engine)
        rosa = await arcade.sign_in("rosa@example.org")
        waiting, playing, done = [await Bot(arcade).join() for _ in range(3)]
        program = {"x-skill-arcade-synthetic": "true"}
        body: dict[str, Any] = {"study": "ice", "query": {}, "resume": None}
        (await arcade.http.post("/studies/participants", json=body, headers=program)).raise_for_status()
        await playing.reach_games()
        await done.finish()
        listed = (await arcade.http.get("/research/studies", headers=rosa)).json()
        assert listed == [{"name": "ice", "status": "open", "version": 1, "title": "Ice"}]
        status = (await arcade.http.get("/research/studies/ice", headers=rosa)).json()
        assert (status["study"], status["quota"], status["places"]) == (listed[0], 4, 2)
        counts = {(one["status"], one["stage_name"]): one["participants"] for one in status["counts"]}
        assert counts == {("active", "consent"): 1, ("active", "warm-up"): 1, ("complete", ""): 1}
        assert [one["participants"] for one in status["quality"]] == [1]
        assert not any(bot.user_id in str(status) for bot in (waiting, playing, done))
        for headers, code in ((waiting.headers, 403), ({}, 401)):
            assert (await arcade.http.get("/research/studies/ice", headers=headers)).status_code == code
        assert (await arcade.http.get("/research/studies/none", headers=rosa)).status_code == 404
