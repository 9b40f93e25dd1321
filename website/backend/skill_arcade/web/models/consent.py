"""Models of consent documents, answers and withdrawals."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from skill_arcade.consent.documents import Scope
from skill_arcade.web.models.base import RequestModel, ResponseModel


class ConsentSection(ResponseModel):
    """A heading and a paragraph of the document."""

    title: str
    text: str


class ConsentScope(ResponseModel):
    """A scope that the user may allow."""

    id: Scope
    label: str
    text: str


class ConsentPage(ResponseModel):
    """What players are asked before anything is recorded, with the labels of the page in the same language."""

    sha256: str = Field(description="hash of the document, which the answer names")
    version: int
    language: str
    languages: list[str] = Field(description="languages that the document exists in")
    title: str
    notice: str = Field(description="a warning above the text; may be empty")
    sections: list[ConsentSection]
    scopes: list[ConsentScope]
    age: str
    age_help: str
    agree: str
    decline: str
    refuse: str
    too_young: str
    unrecorded: str
    unavailable: str
    has_unrecorded_play: bool = Field(description="whether a player who declines may play without recording")


class MyConsent(ResponseModel):
    """The user's newest answer."""

    decision: Literal["given", "declined", "underage"] | None = Field(description="null: not asked yet")
    needs_answer: bool = Field(description="whether the user must be asked before the next game")
    version: int | None = Field(description="version of the document that was answered")
    scopes: list[Scope] = Field(description="scopes of games from now on")
    withdrawable: list[Scope] = Field(description="scopes that some recording may be used for")
    time_decided: datetime | None


class ConsentAnswerRequest(RequestModel):
    """Answer the consent document. Nothing of the year is stored."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].extend(("birth_year", "time_shown")))
    document: str = Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of the document that the page showed")
    scopes: list[Scope] = Field(max_length=10, description="scopes that the user allows; empty: declines")
    birth_year: int | None = Field(None, description="null if no scope is allowed")
    time_shown: datetime | None = Field(None, description="when the page showed the document")


class WithdrawalRequest(RequestModel):
    """Withdraw scopes of everything that was recorded of the user."""

    scopes: list[Scope] = Field(min_length=1, max_length=10)
