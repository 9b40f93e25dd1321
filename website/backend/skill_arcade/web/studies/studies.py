"""The parts of studies that requests use."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.games.catalogue import Catalogue
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.web.consents import ConsentService
from skill_arcade.web.studies.admission import StudyAdmission
from skill_arcade.web.studies.stages import StudyStages
from skill_arcade.web.studies.trials import StudyTrials
from skill_arcade.web.tokens import Tokens
from skill_arcade.web.users import UserService


@dataclass(frozen=True, slots=True)
class Studies:
    """Studies on this server. The database has their state, so any server continues what another one began."""

    admission: StudyAdmission
    stages: StudyStages
    trials: StudyTrials


def make_studies(
    engine: AsyncEngine,
    catalogue: Catalogue,
    tokens: Tokens,
    users: UserService,
    consents: ConsentService,
    sessions: SessionManager,
    journal: Path,
    journal_id: UUID,
) -> Studies:
    """Return the parts of studies. `journal` is the folder that tells whether recordings are stored."""
    trials = StudyTrials(engine, catalogue, sessions, journal, journal_id)
    return Studies(StudyAdmission(engine, tokens, users), StudyStages(engine, consents, trials), trials)
