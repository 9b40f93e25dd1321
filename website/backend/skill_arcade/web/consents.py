"""Consent of players: what they are asked, what they have answered, and whether their games may be recorded."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

import skill_arcade
from skill_arcade.consent.documents import ConsentDocument, ConsentDocuments, Scope
from skill_arcade.errors import ConsentRequired, InvalidRequest, NotReady, TooYoung
from skill_arcade.play.assignment import PlayConsent
from skill_arcade.storage.database.consents import (
    BOARDS,
    DECLINED,
    GIVEN,
    UNDERAGE,
    ConsentAnswer,
    add_answer,
    is_underage,
    list_active_scopes,
    read_answer,
    withdraw_scopes,
)
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.users import CACHE_SECONDS, MAX_CACHED_USERS

MAX_AGE = 120
NOT_ASKED = "Games are recorded here, and you have not been asked yet. Open the game again, and answer the question."
NOT_ALLOWED = "You do not allow recording, and this arcade has no games without it. You can change your answer at You."
NOT_WITHOUT = "The daily challenge is recorded. Allow recording first: you can change your answer at You."
IN_STUDY = "With this session you take part in a study, in which only its own games are played. Sign in to play others."
NOT_IN_STUDY = (
    "This session does not take part in the study, or the consent was withdrawn. Open the study's link again."
)
TOO_YOUNG = "Your games cannot be recorded. If you have given a wrong year, ask the people who run this arcade."


class ConsentService:
    """Answers of players, with a cache for the time in which the database is unavailable, as `UserService` has one."""

    def __init__(
        self,
        engine: AsyncEngine,
        documents: ConsentDocuments,
        *,
        has_unrecorded_play: bool,
        has_program_play: bool,
        commit: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.documents, self.has_unrecorded_play = documents, has_unrecorded_play
        self._has_program_play = has_program_play
        self._engine, self._now = engine, now
        self._build = f"{skill_arcade.__version__} {commit or ''}".strip()
        self._cache: dict[str, tuple[float, PlayConsent]] = {}

    def needs_answer(self, answer: ConsentAnswer) -> bool:
        """Return whether the player must be asked: never yet, or with another version of the document."""
        if answer.is_synthetic or answer.decision == UNDERAGE or answer.study is not None:
            return False
        return answer.decision is None or answer.version != self.documents.version

    async def check_play(self, user_id: str, *, is_daily: bool = False, study: str | None = None) -> PlayConsent:
        """Return what the player allows in a game that starts now. A program is recorded without a consent.

        `study` is the study that the game is played for, or None.

        Raises:
            ConsentRequired: the player must be asked first, or may not play without recording.
            NotReady: the database is unavailable, and the player's answer is not cached.
        """
        consent = await self._find(user_id)
        if consent.study != study:
            raise ConsentRequired(IN_STUDY if study is None else NOT_IN_STUDY)
        if study is not None and not consent.is_recorded:
            raise ConsentRequired(NOT_IN_STUDY)
        if not consent.is_recorded:
            if is_daily:
                raise ConsentRequired(NOT_WITHOUT)
            if not self.has_unrecorded_play:
                raise ConsentRequired(NOT_ALLOWED)
        return consent

    async def _find(self, user_id: str) -> PlayConsent:
        cached_at, cached = self._cache.get(user_id, (float("-inf"), None))
        if cached is not None and self._now() - cached_at < CACHE_SECONDS:
            return cached
        try:
            async with request_transaction(self._engine) as connection:
                answer = await read_answer(connection, user_id)
        except NotReady:
            if cached is None:
                raise
            return cached
        return self._remember(user_id, self._judge(answer))

    def _remember(self, user_id: str, consent: PlayConsent) -> PlayConsent:
        self._cache.pop(user_id, None)
        self._cache[user_id] = self._now(), consent
        if len(self._cache) > MAX_CACHED_USERS:
            del self._cache[next(iter(self._cache))]
        return consent

    def _judge(self, answer: ConsentAnswer) -> PlayConsent:
        if answer.is_synthetic:
            return PlayConsent(is_watchable=False, study=answer.study, is_program=self._has_program_play)
        if self.needs_answer(answer):
            raise ConsentRequired(NOT_ASKED)
        if answer.decision == GIVEN and answer.scopes:
            return PlayConsent(id=answer.id, is_watchable=BOARDS in answer.scopes, study=answer.study)
        return PlayConsent(is_recorded=False, is_watchable=False, study=answer.study)

    def forget(self, user_id: str) -> None:
        """Read the player's answer again before their next game, because it was stored elsewhere."""
        self._cache.pop(user_id, None)

    @property
    def build(self) -> str:
        """Version and commit of this server."""
        return self._build

    async def read(self, user_id: str) -> tuple[ConsentAnswer, set[str]]:
        """Return the player's newest answer, and the scopes that they can withdraw."""
        async with request_transaction(self._engine) as connection:
            answer, active = await read_answer(connection, user_id), await list_active_scopes(connection, user_id)
        if not self.needs_answer(answer):
            self._remember(user_id, self._judge(answer))
        return answer, active

    async def answer(
        self,
        user_id: str,
        document: str,
        scopes: Sequence[Scope],
        birth_year: int | None,
        time_shown: datetime | None,
    ) -> None:
        """Store an answer. No scopes decline. The year is compared and forgotten.

        Raises:
            InvalidRequest: the document is not the current one, or the year is missing or impossible.
            TooYoung: the player gave, now or earlier, a year that does not allow recording. That is remembered.
        """
        if self.documents.by_hash(document) is None:
            raise InvalidRequest("The text has changed meanwhile. Reload the page and read it again.")
        decision = decide(scopes, birth_year, self.documents.minimum_age)
        self._cache.pop(user_id, None)
        async with request_transaction(self._engine) as connection:
            was_underage = await is_underage(connection, user_id)
            if was_underage and scopes:
                decision = UNDERAGE
            if not was_underage:
                await add_answer(
                    connection,
                    user_id,
                    document=document,
                    decision=decision,
                    build=self._build,
                    scopes=sorted(set(scopes)) if decision == GIVEN else (),
                    time_shown=time_shown,
                )
        self._cache.pop(user_id, None)
        if decision == UNDERAGE:
            raise TooYoung(TOO_YOUNG)

    async def withdraw(self, user_id: str, scopes: Sequence[Scope]) -> None:
        """Withdraw scopes of everything that was recorded of the player, at once."""
        document = self.documents.find("")
        async with request_transaction(self._engine) as connection:
            await withdraw_scopes(connection, user_id, scopes, document=document.sha256, build=self._build)
        self._cache.pop(user_id, None)

    def find_document(self, language: str) -> ConsentDocument:
        """Return the document in a language, or in the owner's first one."""
        return self.documents.find(language)


def decide(scopes: Sequence[str], birth_year: int | None, minimum_age: int) -> str:
    """Return the decision of an answer with these scopes: given, declined or underage.

    Raises:
        InvalidRequest: the year is missing or impossible.
    """
    if not scopes:
        return DECLINED
    year = datetime.now(UTC).year
    if birth_year is None or not year - MAX_AGE <= birth_year <= year:
        raise InvalidRequest("Enter the year in which you were born, with four digits.")
    # Of a year only, the birthday may be still to come.
    return GIVEN if year - birth_year > minimum_age else UNDERAGE
