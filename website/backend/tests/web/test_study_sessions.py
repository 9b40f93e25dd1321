"""The shipped study of three sessions, walked over days on a clock that the test moves."""

from collections.abc import AsyncIterator

import pytest

from skill_arcade.settings import Settings
from skill_arcade.storage.database.studies import count_places
from tests.support.database_clock import DatabaseClock
from tests.support.studies import load_example, open_in_database
from tests.web.conftest import Visitor, open_arcade
from tests.web.test_studies import Bot, post_join, rows

pytestmark = pytest.mark.anyio
DEVICE = {"refresh_hz": 60, "round_trip_ms": 30, "has_keyboard": True, "rollover_keys": 2}
SESSION_STEPS = 20 * 60 * 60
STUDY = "breakout-learning"


@pytest.fixture
async def arcade(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An arcade with all games, and with the study open for one participant."""
    content = load_example(STUDY).model_dump(mode="json", by_alias=True) | {"quota": 1}
    async with open_arcade(settings.model_copy(update={"games_folder": None})) as visitor:
        await open_in_database(visitor.state.engine, content, STUDY)
        yield visitor


@pytest.fixture
async def clock(arcade: Visitor) -> DatabaseClock:
    """The clock of the arcade's database."""
    clock = DatabaseClock(arcade.state.engine)
    await clock.install()
    return clock


async def begin(arcade: Visitor) -> Bot:
    bot = await Bot(arcade).join(STUDY)
    await bot.consent(("research", "publication"))
    await bot.answer(DEVICE)
    assert (await bot.answer())["stage"]["name"] == "session-1"
    return bot


async def play_session(bot: Bot, number: int) -> None:
    """Play two games, which together are a session, and go on."""
    assert bot.page["stage"]["name"] == f"session-{number}"
    for n_steps in (SESSION_STEPS // 3, SESSION_STEPS - SESSION_STEPS // 3):
        await bot.write_trial("truncated", n_steps)
        await bot.answer()


async def test_three_sessions_on_three_days_lead_to_the_end(arcade: Visitor, clock: DatabaseClock) -> None:
    bot = await begin(arcade)
    for number in (1, 2):
        await play_session(bot, number)
        assert (bot.page["stage"]["name"], bot.page["stage"]["is_due"]) == (f"night-{number}", False)
        await clock.move(hours=15.9)
        assert (await bot.answer())["message"] == "It is too early to continue."
        assert await post_join(arcade, study=STUDY) == (403, "StudyClosed")  # who waits keeps the place
        await clock.move(hours=0.2 if number == 1 else 31.9)
        assert (await bot.read())["stage"]["is_due"] is True
        await bot.answer()
    await play_session(bot, 3)
    assert bot.page["stage"]["name"] == "debrief"
    assert (await bot.answer())["completion"]["outcome"] == "complete"
    [row] = await rows(arcade, "participant")
    assert 62 < (row.time_ended - row.time_created).total_seconds() / 3600 < 65


async def test_participant_who_comes_too_late_is_replaced(arcade: Visitor, clock: DatabaseClock) -> None:
    bot = await begin(arcade)
    await play_session(bot, 1)
    await clock.move(hours=48.1)
    second = await begin(arcade)
    assert (await bot.answer())["completion"]["outcome"] == "screened-out"
    async with arcade.state.engine.connect() as connection:
        assert await count_places(connection, STUDY) == 1
    assert {row.user_id: row.holds_slot for row in await rows(arcade, "participant")} == {
        bot.user_id: False,
        second.user_id: True,
    }


async def test_participant_who_leaves_a_session_can_come_back_to_it(arcade: Visitor, clock: DatabaseClock) -> None:
    bot = await begin(arcade)
    await play_session(bot, 1)
    await clock.move(hours=20)
    await bot.answer()
    await bot.write_trial("left", 1000)
    await clock.move(hours=3.1)  # longer than active_minutes
    second = await begin(arcade)
    assert (await bot.read())["stage"]["name"] == "session-2"
    assert bot.page["stage"]["progress"] == pytest.approx(1000 / SESSION_STEPS)
    assert {row.user_id: row.holds_slot for row in await rows(arcade, "participant")} == {
        bot.user_id: False,
        second.user_id: True,
    }
