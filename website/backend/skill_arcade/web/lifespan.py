"""Startup and shutdown: components are opened in order before the first request, and closed in reverse order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from skill_arcade.certify.process import run_certifier
from skill_arcade.games.catalogue import Catalogue, load_catalogue
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.play.session.provenance import find_commit
from skill_arcade.scheduling import request_short_slice
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.queries import upsert_games
from skill_arcade.storage.objects import open_objects
from skill_arcade.supervised_process import SupervisedProcess
from skill_arcade.uploader.process import run_uploader
from skill_arcade.uploader.uploader import storage_answers
from skill_arcade.web.emulator_cache import EmulatorCache
from skill_arcade.web.exports import Exports
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.graceful_shutdown import graceful_shutdown
from skill_arcade.web.signing_key import find_secret
from skill_arcade.web.startup_checks import check_settings
from skill_arcade.web.state import AppState
from skill_arcade.web.token_bucket import Cooldowns, KeyedRateLimiter
from skill_arcade.web.tokens import Tokens
from skill_arcade.web.users import UserService

if TYPE_CHECKING:
    from skill_arcade.web.firebase import Firebase

GAMES_GRACE_SECONDS, UPLOADER_GRACE_SECONDS, CERTIFIER_GRACE_SECONDS = 3.0, 5.0, 0.5
"""Grace periods at shutdown. Cloud Run allows 10 s in total; a re-run that is cut off is repeated later."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def run_arcade(settings: Settings) -> AsyncIterator[Mapping[str, AppState]]:
    """Open all components and make them available to requests as `request.state.arcade`.

    Fast checks come first, so that a wrong setting or manifest fails at once. Components that were opened are always
    closed, however far startup got and whatever another component raises while it is closed.

    Raises:
        SettingsError, ManifestError, NotReady: startup failed; the message says what to do.
    """
    async with AsyncExitStack() as stack:
        state = await open_parts(settings, stack)
        child_processes, sessions = start_child_processes(settings, stack), state.sessions
        stack.push_async_callback(sessions.stop)  # stopped first: the uploader then uploads what it seals
        await sessions.start()
        for process in child_processes:  # after the games, for which players wait
            await process.start()
        watch_task = asyncio.create_task(
            sessions.capacity.watch(sessions.broadcast_capacity_error), name="watch the journal"
        )
        stack.callback(watch_task.cancel)
        stack.enter_context(graceful_shutdown(partial(sessions.stop, GAMES_GRACE_SECONDS)))
        request_short_slice()
        log.info("loaded the catalogue games=%d", len(state.catalogue.games))
        yield {"arcade": state}


async def open_parts(settings: Settings, stack: AsyncExitStack) -> AppState:
    """Open the components that answer requests; `stack` closes them.

    It starts no process except the embedded database.
    """
    check_settings(settings)
    tokens = Tokens(find_secret(settings))
    catalogue = load_catalogue(settings.games_folder)
    engine = await stack.enter_async_context(open_engine(settings))
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
        assets=GameAssets(catalogue.games, settings.games_folder),
        engine=engine,
        users=UserService(engine),
        objects=objects,
        firebase=firebase,
        sessions=open_session_manager(settings, partial(storage_answers, engine, objects)),
        emulator=EmulatorCache(settings.lockstep_folder, is_enabled=settings.is_lockstep_enabled),
        exports=exports,
        tickets=KeyedRateLimiter(rate=0.5, burst=20),
        cooldowns=Cooldowns(),
    )


def open_firebase(settings: Settings) -> "Firebase | None":
    """Return the verifier of Firebase's tokens, or None if users do not sign in with Firebase."""
    if settings.sign_in_method != "firebase":
        return None
    from skill_arcade.web.firebase import Firebase  # noqa: PLC0415  (takes half a second and 20 MB)

    return Firebase(settings)


def start_child_processes(settings: Settings, stack: AsyncExitStack) -> tuple[SupervisedProcess, ...]:
    """Create the child processes without starting them.

    Both are stopped concurrently, because a shutdown has few seconds.
    """
    certifier = SupervisedProcess("certifier", run_certifier, settings)
    uploader = SupervisedProcess("uploader", run_uploader, settings)

    async def stop() -> None:
        await asyncio.gather(uploader.stop(UPLOADER_GRACE_SECONDS), certifier.stop(CERTIFIER_GRACE_SECONDS))

    stack.push_async_callback(stop)  # before the start, so that a partial start is stopped too
    return uploader, certifier


def open_session_manager(settings: Settings, storage_answers: Callable[[], Awaitable[bool]]) -> SessionManager:
    """Create the session manager from the settings. `storage_answers` probes the database and the object store."""
    return SessionManager(
        capacity=RecordingCapacity(
            settings.journal_folder,
            settings.uploader_status_path,
            min_free_bytes=settings.journal_min_free_mb << 20,
            max_stall_seconds=settings.max_upload_stall_seconds,
            storage_answers=storage_answers,
        ),
        segment_seconds=settings.segment_seconds,
        resume_seconds=settings.resume_seconds,
        max_games=settings.max_games,
        max_address_games=settings.address_share(settings.max_games),
        idle_seconds=settings.max_idle_seconds,
        inactive_seconds=settings.max_inactive_seconds,
        games_per_process=settings.games_per_process,
        commit=settings.skill_arcade_commit or find_commit(),
        log_options=(settings.log_format, settings.log_level),
        max_step_seconds=settings.max_step_seconds,
        game_memory_mb=settings.game_memory_mb,
    )


def describe_games(catalogue: Catalogue) -> dict[str, dict[str, object]]:
    """Convert the catalogue for the table of games: id to manifest."""
    return {id_: game.model_dump(mode="json") for id_, game in catalogue.games.items()}
