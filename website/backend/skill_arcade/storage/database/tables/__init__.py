"""The tables. Their comments are the data dictionary (`skill-arcade schema`); each time names its unit and clock.

All modules are imported here, because `Table.metadata` has a table only after its module was imported.
"""

from skill_arcade.storage.database.tables.accounts import Erasure, Preference, User
from skill_arcade.storage.database.tables.agents import Agent, AgentToken, AgentVersion
from skill_arcade.storage.database.tables.archive import ArchivedEpisode, ArchiveObject
from skill_arcade.storage.database.tables.base import Table
from skill_arcade.storage.database.tables.boards import (
    Baseline,
    BaselineSource,
    Board,
    BoardEntry,
    BoardPlayer,
    BoardQueue,
    BoardSeason,
    BoardStanding,
    Daily,
    PublishedAgent,
    PublishedScore,
)
from skill_arcade.storage.database.tables.certificates import Certificate, CertificateResult
from skill_arcade.storage.database.tables.consent import Consent, ConsentDecision, ConsentDocument
from skill_arcade.storage.database.tables.datasets import DatasetEpisode, DatasetVersion, SavedDataset
from skill_arcade.storage.database.tables.episodes import (
    Episode,
    EpisodeStatus,
    Event,
    Game,
    Quarantine,
    Segment,
    Transition,
)
from skill_arcade.storage.database.tables.judgements import Judgement, JudgementClip, JudgementItem, JudgementSet
from skill_arcade.storage.database.tables.leases import GameLease, SpentTicket
from skill_arcade.storage.database.tables.measures import Death, EpisodeMeasure
from skill_arcade.storage.database.tables.servers import Server
from skill_arcade.storage.database.tables.sharing import Note, Share
from skill_arcade.storage.database.tables.studies import (
    Participant,
    ParticipantAnswer,
    ParticipantExclusion,
    ParticipantIdentity,
    Study,
    StudyCode,
    StudyVersion,
)
from skill_arcade.storage.database.tables.work import Work

__all__ = [
    "Agent",
    "AgentToken",
    "AgentVersion",
    "ArchiveObject",
    "ArchivedEpisode",
    "Baseline",
    "BaselineSource",
    "Board",
    "BoardEntry",
    "BoardPlayer",
    "BoardQueue",
    "BoardSeason",
    "BoardStanding",
    "Certificate",
    "CertificateResult",
    "Consent",
    "ConsentDecision",
    "ConsentDocument",
    "Daily",
    "DatasetEpisode",
    "DatasetVersion",
    "Death",
    "Episode",
    "EpisodeMeasure",
    "EpisodeStatus",
    "Erasure",
    "Event",
    "Game",
    "GameLease",
    "Judgement",
    "JudgementClip",
    "JudgementItem",
    "JudgementSet",
    "Note",
    "Participant",
    "ParticipantAnswer",
    "ParticipantExclusion",
    "ParticipantIdentity",
    "Preference",
    "PublishedAgent",
    "PublishedScore",
    "Quarantine",
    "SavedDataset",
    "Segment",
    "Server",
    "Share",
    "SpentTicket",
    "Study",
    "StudyCode",
    "StudyVersion",
    "Table",
    "Transition",
    "User",
    "Work",
]

for _model in Table.__subclasses__():  # the docstring of a model is the comment of its table
    Table.metadata.tables[str(_model.__tablename__)].comment = _model.__doc__
