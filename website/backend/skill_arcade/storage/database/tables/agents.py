"""Tables of agents: players that are programs, with an owner, and versions that never change."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class Agent(Table, table=True):
    """A player that is an agent. Its row of `user` is marked as a program: no view counts it."""

    user_id: str = Field(primary_key=True, foreign_key="user.id", sa_column_kwargs=commented("the agent's own account"))
    name: str = Field(unique=True, sa_column_kwargs=commented("name, such as pong-follower"))
    summary: str = Field(sa_column_kwargs=commented("what the agent does, in a sentence"))
    owner_id: str | None = Field(
        None,
        foreign_key="user.id",
        ondelete="SET NULL",
        index=True,
        sa_column_kwargs=commented("user who is responsible for it; null: the operator, or an erased account"),
    )
    time_created: datetime = Field(sa_column=database_time_column("time at which it was added, database clock"))


class AgentVersion(Table, table=True):
    """A version of an agent: what exactly plays. Rows are only added; a trigger refuses changes."""

    __tablename__ = "agent_version"
    __table_args__ = (
        UniqueConstraint("user_id", "number"),
        CheckConstraint("format IN ('scripted', 'onnx', 'entry-point')", name="format"),
        CheckConstraint("observation IN ('picture', 'environment', 'atari')", name="observation"),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    user_id: str = Field(foreign_key="agent.user_id", sa_column_kwargs=commented("agent"))
    number: int = Field(sa_column_kwargs=commented("number of the version, from 1"))
    sha256: str = Field(
        sa_column_kwargs=commented("SHA-256 of the weights, or of the source file that has the policy; hexadecimal")
    )
    format: str = Field(
        sa_column_kwargs=commented("scripted: part of Skill Arcade; onnx: weights; entry-point: Python class")
    )
    entry_point: str | None = Field(
        None, sa_column_kwargs=commented("module:Class that makes the policy; null: weights in ONNX")
    )
    observation: str = Field(
        sa_column_kwargs=commented(
            "what the policy gets: picture, environment (its observation), or atari (84 by 84, grey, skip 4, stack 4)"
        )
    )
    games: list[str] = Field(
        sa_column=json_column("patterns of the ids of the games that it plays; one that begins with ! excludes")
    )
    env_spec: dict[str, Any] | None = Field(
        None, sa_column=json_column("Gymnasium EnvSpec with the wrappers that it was trained with", nullable=True)
    )
    action_map: list[int] | None = Field(
        None, sa_column=json_column("action of the game for each output of the policy; null: the same", nullable=True)
    )
    training: dict[str, Any] = Field(sa_column=json_column("facts of its training, as its owner states them"))
    licence: str | None = Field(None, sa_column_kwargs=commented("licence of weights or source; null: not stated"))
    time_created: datetime = Field(sa_column=database_time_column("time at which it was added, database clock"))


class AgentToken(Table, table=True):
    """A token by which an agent signs in. Only its hash is stored."""

    __tablename__ = "agent_token"

    sha256: str = Field(primary_key=True, sa_column_kwargs=commented("SHA-256 of the token, hexadecimal"))
    user_id: str = Field(foreign_key="agent.user_id", index=True, sa_column_kwargs=commented("agent"))
    time_created: datetime = Field(sa_column=database_time_column("time at which it was made, database clock"))
    time_revoked: datetime | None = Field(
        None,
        sa_column=timestamp_column("from then on it is rejected, database clock; null: it is valid", nullable=True),
    )
