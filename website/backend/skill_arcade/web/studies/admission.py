"""Admission to a study: a participant begins, or comes back by the recruiter's id or by their own link."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import NotFound, StudyClosed
from skill_arcade.storage.database.studies import OPEN, add_participant, find_participant, read_newest
from skill_arcade.studies.recruiters import RecruiterId, read_recruiter_id
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.studies.places import has_place
from skill_arcade.web.studies.rows import parse_study
from skill_arcade.web.tokens import Tokens
from skill_arcade.web.users import UserService


@dataclass(frozen=True, slots=True)
class Joined:
    """A participant: user id, and the token of their own link if they have one."""

    user_id: str
    resume: str | None


class StudyAdmission:
    """Accepts the participants of studies."""

    def __init__(self, engine: AsyncEngine, tokens: Tokens, users: UserService) -> None:
        self._engine, self._tokens, self._users = engine, tokens, users

    async def join(
        self, name: str, query: Mapping[str, str], resume: str | None, *, is_synthetic: bool = False
    ) -> Joined:
        """Return a participant who begins or continues.

        A participant who comes again, with the recruiter's id or with their own link, is the same one.

        Raises:
            NotFound: there is no such study, or the link is not one of its participants'.
            StudyClosed: the study takes no new participants.
            InvalidRequest: the recruiter's id is missing.
        """
        async with request_transaction(self._engine) as connection:
            row = await read_newest(connection, name)
            if row is None:
                raise NotFound(f"There is no study {name!r}. Check the address.")
            identity = read_recruiter_id(parse_study(row).recruiter, query)
            known = await self._find(connection, name, identity, resume)
            if known is None:
                await self._check_open(connection, name, row, is_synthetic=is_synthetic)
        if known is not None:
            await self._users.check_known(known)
            return Joined(known, resume)
        key = secrets.token_hex(16) if identity is None else f"{parse_study(row).recruiter.kind}:{identity.external_id}"
        user_id = self._tokens.user_id(f"participant:{name}:{key}")
        user_id = await self._users.sign_in(user_id, None, is_synthetic=is_synthetic)
        token = secrets.token_urlsafe(24)
        async with request_transaction(self._engine) as connection:
            await read_newest(connection, name, lock=True)  # two tabs that join at once are one participant
            if identity is not None and (known := await self._find(connection, name, identity, None)) is not None:
                return Joined(known, None)
            await add_participant(
                connection,
                user_id,
                name,
                row.version_id,
                hash_token(token),
                external_id=None if identity is None else identity.external_id,
                details=None if identity is None else identity.details,
                is_synthetic=is_synthetic,
            )
        return Joined(user_id, token if identity is None else None)

    async def _find(
        self, connection: AsyncConnection, name: str, identity: RecruiterId | None, resume: str | None
    ) -> str | None:
        if identity is not None:
            return await find_participant(connection, name, external_id=identity.external_id)
        if resume is None:
            return None
        known = await find_participant(connection, name, resume_sha256=hash_token(resume))
        if known is None:
            raise NotFound("This link belongs to no participant of the study, or everything of them was deleted.")
        return known

    async def _check_open(self, connection: AsyncConnection, name: str, row: Row[Any], *, is_synthetic: bool) -> None:
        study = parse_study(row)
        if row.status != OPEN or not study.is_open_at(row.now):
            raise StudyClosed("This study takes no new participants now.")
        if not is_synthetic and not await has_place(connection, name, study, row.now):
            raise StudyClosed("This study has all the participants that it needs. Thank you for your interest.")


def hash_token(token: str) -> str:
    """Return the SHA-256 of a link's token, hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
