"""What is opened before the first request, in order, and closed after the last, in reverse."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from skill_arcade.certify.process import run_certifier
from skill_arcade.companion import Companion
from skill_arcade.delivery.process import run_delivery
from skill_arcade.games.catalogue import Catalogue, load_catalogue
from skill_arcade.play.provenance import find_commit
from skill_arcade.play.room import Room
from skill_arcade.play.roster import Roster
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, opened, transaction
from skill_arcade.storage.database.queries import upsert_games
from skill_arcade.storage.objects import open_objects
from skill_arcade.urgency import hurry
from skill_arcade.web.emulator import EmulatorShelf
from skill_arcade.web.exports import Exports
from skill_arcade.web.limits import Limits, Pauses
from skill_arcade.web.people import People
from skill_arcade.web.production import check_settings
from skill_arcade.web.secret import find_secret
from skill_arcade.web.shelf import Shelf
from skill_arcade.web.state import AppState
from skill_arcade.web.stopping import draining
from skill_arcade.web.tokens import Tokens

if TYPE_CHECKING:
    from skill_arcade.web.firebase import Firebase

GAMES_SECONDS, DELIVERY_SECONDS, CERTIFIER_SECONDS = 3.0, 5.0, 0.5
"""What each may take to stop. Cloud Run gives 10 s for all; a re-run that is cut off is done again."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def run_arcade(settings: Settings) -> AsyncIterator[Mapping[str, AppState]]:
    """Open every part and give them to the requests as `request.state.arcade`.

    What needs no time is checked first: a wrong setting or manifest stops the start at once. Whatever was
    opened is closed, however far the start got and whatever closing another part raises.

    Raises:
        SettingsError, ManifestError, NotReady: a sentence that says what to do.
    """
    async with AsyncExitStack() as stack:
        state = await open_parts(settings, stack)
        companions, roster = open_companions(settings, stack), state.roster
        stack.push_async_callback(roster.stop)  # first out: what it seals, delivery then takes away
        await roster.start()
        for companion in companions:  # a moment later: a player waits for a game, nobody for these
            await companion.start()
        watching = asyncio.create_task(roster.room.watch(roster.tell_room), name="watch the journal")
        stack.callback(watching.cancel)
        stack.enter_context(draining(partial(roster.stop, GAMES_SECONDS)))
        hurry()
        log.info("%d games in the catalogue", len(state.catalogue.games))
        yield {"arcade": state}


async def open_parts(settings: Settings, stack: AsyncExitStack) -> AppState:
    """Open what answers requests; `stack` closes it. No other process is started but the embedded database's."""
    check_settings(settings)
    tokens = Tokens(find_secret(settings))
    catalogue = load_catalogue(settings.games_folder)
    engine = await stack.enter_async_context(opened(settings))
    async with transaction(engine) as connection:
        await check_schema(connection)
        await upsert_games(connection, describe_games(catalogue))
    objects = open_objects(settings)
    stack.push_async_callback(objects.close)
    exports = Exports(settings)
    stack.push_async_callback(exports.stop)
    firebase = open_firebase(settings)
    if firebase is not None:
        stack.callback(firebase.close)
    return AppState(
        settings=settings,
        tokens=tokens,
        catalogue=catalogue,
        shelf=Shelf(catalogue.games, settings.games_folder),
        engine=engine,
        people=People(engine),
        objects=objects,
        firebase=firebase,
        roster=open_roster(settings),
        emulator=EmulatorShelf(settings.lockstep_folder, on=settings.lockstep_on),
        exports=exports,
        tickets=Limits(rate=0.5, burst=20),
        pauses=Pauses(),
    )


def open_firebase(settings: Settings) -> "Firebase | None":
    """Make what reads Firebase's tokens, where one signs in by them."""
    if settings.sign_in_method != "firebase":
        return None
    from skill_arcade.web.firebase import Firebase  # noqa: PLC0415  (takes half a second and 20 MB)

    return Firebase(settings)


def open_companions(settings: Settings, stack: AsyncExitStack) -> tuple[Companion, ...]:
    """What runs beside the server, not started yet. Both stop at once: a stop has few seconds."""
    certifier = Companion("certifier", run_certifier, settings)
    delivery = Companion("delivery", run_delivery, settings)

    async def stop() -> None:
        await asyncio.gather(delivery.stop(DELIVERY_SECONDS), certifier.stop(CERTIFIER_SECONDS))

    stack.push_async_callback(stop)  # what only half started is stopped too, so this is noted before the start
    return delivery, certifier


def open_roster(settings: Settings) -> Roster:
    """Make the roster that the settings describe."""
    return Roster(
        room=Room(
            settings.journal_folder,
            settings.delivery_report,
            least_bytes=settings.journal_least_mb << 20,
            backlog_seconds=settings.backlog_seconds,
        ),
        segment_seconds=settings.segment_seconds,
        resume_seconds=settings.resume_seconds,
        max_games=settings.max_games,
        games_per_process=settings.games_per_process,
        commit=settings.skill_arcade_commit or find_commit(),
        log_as=(settings.log_format, settings.log_level),
    )


def describe_games(catalogue: Catalogue) -> dict[str, dict[str, object]]:
    """Put the catalogue as the table of games keeps it: id to the whole manifest."""
    return {id_: game.model_dump(mode="json") for id_, game in catalogue.games.items()}
