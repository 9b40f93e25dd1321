"""The application state, which lives as long as the server, and the dependency by which routes get it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from skill_arcade.games.catalogue import Catalogue
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.settings import Settings
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.web.agents import AgentService
from skill_arcade.web.clip_workers import ClipWorkers
from skill_arcade.web.cloud_run_jobs import CertifyJob
from skill_arcade.web.consents import ConsentService
from skill_arcade.web.daily import DailyService
from skill_arcade.web.emulator_cache import EmulatorCache
from skill_arcade.web.export_jobs import ExportJobs
from skill_arcade.web.exports import Exports
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.game_leases import GameLeases
from skill_arcade.web.game_moves import GameMoves
from skill_arcade.web.heartbeat import ServerHeartbeat
from skill_arcade.web.lost_games import LostGames
from skill_arcade.web.placement import Placement
from skill_arcade.web.rate_limiting.token_bucket import Cooldowns, KeyedRateLimiter
from skill_arcade.web.research import ResearchService
from skill_arcade.web.studies.studies import Studies
from skill_arcade.web.tokens import Tokens
from skill_arcade.web.users import UserService

if TYPE_CHECKING:  # slow to import, and needed only with Firebase
    from skill_arcade.web.firebase import Firebase


@dataclass(frozen=True, slots=True)
class AppState:
    """The components that the lifespan has opened."""

    settings: Settings
    tokens: Tokens
    catalogue: Catalogue
    assets: GameAssets
    engine: AsyncEngine
    users: UserService
    consents: ConsentService
    agents: AgentService
    objects: ObjectStore
    firebase: "Firebase | None"
    sessions: SessionManager
    heartbeat: ServerHeartbeat
    leases: GameLeases
    moves: GameMoves
    lost_games: LostGames
    placement: Placement
    emulator: EmulatorCache
    exports: Exports
    export_jobs: ExportJobs | None
    certify_job: CertifyJob | None
    clips: ClipWorkers
    tickets: KeyedRateLimiter
    cooldowns: Cooldowns
    daily: DailyService
    studies: Studies
    research: ResearchService


# Asynchronous although it awaits nothing, because FastAPI runs synchronous dependencies in a thread.
async def app_state(connection: HTTPConnection) -> AppState:
    """Return the application state to an HTTP or WebSocket route."""
    state: AppState = connection.state.arcade
    return state


State = Annotated[AppState, Depends(app_state)]
