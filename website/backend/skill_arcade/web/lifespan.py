"""Startup and shutdown: components are opened in order before the first request, and closed in reverse order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from skill_arcade.boards.aliases import move_aliased_boards
from skill_arcade.certify.process import run_certifier
from skill_arcade.consent.documents import load_documents
from skill_arcade.games.catalogue import Catalogue, load_catalogue
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.play.session.provenance import find_commit
from skill_arcade.recording.journal_id import find_journal_id
from skill_arcade.recording.quota import check_writable
from skill_arcade.scheduling import request_short_slice
from skill_arcade.settings import Settings
from skill_arcade.storage.database.consents import add_document
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.queries import upsert_aliases, upsert_games
from skill_arcade.storage.objects import open_objects
from skill_arcade.supervised_process import SupervisedProcess
from skill_arcade.uploader.process import run_uploader
from skill_arcade.uploader.uploader import storage_answers
from skill_arcade.web.agents import AgentService, register_built_in_agents
from skill_arcade.web.agones import find_agones
from skill_arcade.web.clip_workers import ClipWorkers
from skill_arcade.web.cloud_run_jobs import CertifyJob, CloudRunJob
from skill_arcade.web.consents import ConsentService
from skill_arcade.web.daily import DailyService
from skill_arcade.web.emulator_cache import EmulatorCache
from skill_arcade.web.export_jobs import ExportJobs
from skill_arcade.web.exports import Exports
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.game_leases import GameLeases
from skill_arcade.web.game_moves import GameMoves
from skill_arcade.web.graceful_shutdown import graceful_shutdown
from skill_arcade.web.heartbeat import ServerHeartbeat
from skill_arcade.web.live_games import list_live_games
from skill_arcade.web.lost_games import LostGames
from skill_arcade.web.metric_export import export_metrics, should_export
from skill_arcade.web.placement import Placement
from skill_arcade.web.rate_limiting.table import PLAYER_TICKETS
from skill_arcade.web.rate_limiting.token_bucket import Cooldowns, KeyedRateLimiter
from skill_arcade.web.research import ResearchService
from skill_arcade.web.signing_key import find_secret
from skill_arcade.web.startup_checks import check_settings
from skill_arcade.web.state import AppState
from skill_arcade.web.studies.studies import make_studies
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
    settings = choose_home(settings)
    async with AsyncExitStack() as stack:
        state = await open_parts(settings, stack)
        agones = find_agones(lambda: state.sessions.n_games)
        if agones is not None:
            stack.push_async_callback(agones.shut_down)  # last of all: Agones deletes the server and its disk
        await state.heartbeat.register()
        stack.push_async_callback(state.heartbeat.end)  # last: the uploader still uploads until then
        beating = state.heartbeat.run(lambda: state.sessions.n_games, state.lost_games.recover)
        stack.push_async_callback(cancel_and_wait, asyncio.create_task(beating, name="heartbeat"))
        lease_task = asyncio.create_task(state.leases.run(), name="leases")
        stack.push_async_callback(cancel_and_wait, lease_task)
        study_task = asyncio.create_task(state.studies.trials.run(), name="studies")
        stack.push_async_callback(cancel_and_wait, study_task)
        child_processes, sessions = start_child_processes(settings, stack), state.sessions
        stack.push_async_callback(sessions.stop)  # stopped first: the uploader then uploads what it seals
        await sessions.start()
        for process in child_processes:  # after the games, for which players wait
            await process.start()
        watch_task = asyncio.create_task(
            sessions.capacity.watch(sessions.broadcast_capacity_error), name="watch the journal"
        )
        stack.callback(watch_task.cancel)
        if should_export(settings):
            export_task = asyncio.create_task(export_metrics(state), name="export metrics")
            stack.callback(export_task.cancel)
        stack.enter_context(graceful_shutdown(partial(drain, state)))
        if agones is not None:
            agones_task = asyncio.create_task(agones.run(), name="agones")
            stack.callback(agones_task.cancel)
        request_short_slice()
        log.info("loaded the catalogue games=%d", len(state.catalogue.games))
        yield {"arcade": state}


async def drain(state: AppState) -> None:
    """Hand over or end all games, while other servers stop sending players here."""
    await asyncio.gather(state.heartbeat.withdraw(), state.sessions.stop(GAMES_GRACE_SECONDS))


async def cancel_and_wait(task: asyncio.Task[None]) -> None:
    """Cancel a task that holds a database connection, and wait until it has returned it."""
    task.cancel()
    await asyncio.wait({task})


def choose_home(settings: Settings) -> Settings:
    """Return the settings, with another home folder if the journal in the first one cannot be written (rule R17).

    Cloud Run mounts volumes that belong to root, and the server is not root.
    """
    fallback = settings.skill_arcade_fallback_home
    try:
        check_writable(settings.journal_folder)
    except OSError as error:
        if fallback is None:
            log.error("cannot write the journal folder=%s: %s", settings.journal_folder, error)
            return settings
        log.error("cannot write the journal, using the fallback folder=%s: %s", fallback, error)
        return settings.model_copy(update={"skill_arcade_home": fallback})
    return settings


async def open_parts(settings: Settings, stack: AsyncExitStack) -> AppState:
    """Open the components that answer requests; `stack` closes them.

    It starts no process except the embedded database.
    """
    check_settings(settings)
    tokens = Tokens(
        find_secret(settings), previous=settings.auth_secret_previous, user_id_secret=settings.user_id_secret
    )
    catalogue = load_catalogue(settings.games_folder)
    documents = load_documents(settings.consent_folder)
    engine = await stack.enter_async_context(open_engine(settings))
    async with transaction(engine) as connection:
        await check_schema(connection)
        await upsert_games(connection, describe_games(catalogue))
        await upsert_aliases(connection, describe_aliases(catalogue))
        await move_aliased_boards(connection)
        await register_built_in_agents(connection)
        for document in documents.by_language.values():
            await add_document(connection, document.sha256, document.content)
    objects = open_objects(settings)
    stack.push_async_callback(objects.close)
    exports = Exports(settings)
    stack.push_async_callback(exports.stop)
    emulator, export_jobs, certify_job = settings.gcp_run_endpoint, None, None
    if settings.export_job is not None:
        export_jobs = ExportJobs(objects, engine, CloudRunJob(settings.export_job, emulator))
    if settings.certify_job is not None:
        certify_job = CertifyJob(CloudRunJob(settings.certify_job, emulator))
        stack.push_async_callback(certify_job.stop)
    firebase = open_firebase(settings)
    if firebase is not None:
        stack.callback(firebase.close)
    research = ResearchService(engine, objects)
    stack.push_async_callback(research.stop)
    users = UserService(engine)
    consents = ConsentService(
        engine,
        documents,
        has_unrecorded_play=settings.unrecorded_play,
        has_program_play=settings.program_play,
        commit=settings.skill_arcade_commit or find_commit(),
    )
    journal_id = find_journal_id(settings.journal_id_path)
    heartbeat = ServerHeartbeat(
        engine,
        journal_id,
        max_games=settings.max_games,
        lost_seconds=settings.server_lost_seconds,
        socket_origin=settings.socket_origin,
        accepts_games=lambda: not sessions.capacity.rejection_reason,
        list_live_games=lambda: list_live_games(sessions),
    )
    sessions = open_session_manager(settings, heartbeat.server_id, partial(storage_answers, engine, objects))
    leases = GameLeases(
        engine,
        heartbeat.server_id,
        sessions,
        lost_seconds=settings.server_lost_seconds,
        pool_size=settings.database_pool_size,
    )
    sessions.registry = moves = GameMoves(
        engine,
        objects,
        leases,
        heartbeat.server_id,
        lost_seconds=settings.server_lost_seconds,
        resume_seconds=settings.resume_seconds,
        has_other_servers=lambda: heartbeat.n_running > 1,
    )
    lost_games = LostGames(engine, objects, catalogue, sessions, moves)
    placement = Placement(engine, settings)
    stack.push_async_callback(placement.stop)
    return AppState(
        settings=settings,
        tokens=tokens,
        catalogue=catalogue,
        assets=GameAssets(catalogue, settings.games_folder),
        engine=engine,
        users=users,
        consents=consents,
        agents=AgentService(engine, has_program_play=settings.program_play),
        objects=objects,
        firebase=firebase,
        sessions=sessions,
        heartbeat=heartbeat,
        leases=leases,
        moves=moves,
        lost_games=lost_games,
        placement=placement,
        emulator=EmulatorCache(settings.lockstep_folder, is_enabled=settings.is_lockstep_enabled),
        exports=exports,
        export_jobs=export_jobs,
        certify_job=certify_job,
        clips=ClipWorkers(),
        tickets=KeyedRateLimiter(PLAYER_TICKETS),
        cooldowns=Cooldowns(),
        daily=DailyService(engine, catalogue, settings.daily_games),
        studies=make_studies(engine, catalogue, tokens, users, consents, sessions, settings.journal_folder, journal_id),
        research=research,
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
    return (uploader, certifier) if settings.certifier else (uploader,)


def open_session_manager(
    settings: Settings, server_id: UUID, storage_answers: Callable[[], Awaitable[bool]]
) -> SessionManager:
    """Create the session manager from the settings. `storage_answers` probes the database and the object store."""
    return SessionManager(
        capacity=RecordingCapacity(
            settings.journal_folder,
            settings.uploader_status_path,
            min_free_bytes=settings.journal_min_free_mb << 20,
            max_stall_seconds=settings.max_upload_stall_seconds,
            max_bytes=settings.journal_max_mb and settings.journal_max_mb << 20,
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
        server_id=server_id,
        has_own_address=settings.socket_origin is not None,
        log_options=(settings.log_format, settings.log_level),
        max_step_seconds=settings.max_step_seconds,
        game_memory_mb=settings.game_memory_mb,
        max_watchers_per_game=settings.max_watchers_per_game,
        max_watchers=settings.max_watchers,
    )


def describe_games(catalogue: Catalogue) -> dict[str, dict[str, object]]:
    """Convert the catalogue for the table of games: id to manifest."""
    return {id_: game.model_dump(mode="json") for id_, game in catalogue.games.items()}


def describe_aliases(catalogue: Catalogue) -> dict[str, tuple[str, Mapping[str, str], dict[str, object]]]:
    """Convert the former ids for the table of games: id to game, options and the manifest of that variant."""
    described = {}
    for id_, alias in catalogue.aliases.items():
        game = catalogue.games[alias.game_id]
        described[id_] = (alias.game_id, alias.options, game.resolve_variant(alias.options).model_dump(mode="json"))
    return described
