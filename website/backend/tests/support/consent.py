"""Consent of scripted players, and of rows that tests write without any."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.consent.documents import SCOPES, load_documents
from skill_arcade.storage.database.consents import add_answer, add_decision, add_document
from tests.support.database import opened_engine

BIRTH_YEAR = 1980


async def give_consent(
    client: httpx.AsyncClient, headers: dict[str, str], scopes: tuple[str, ...] = SCOPES, **fields: Any
) -> httpx.Response:
    """Answer the consent document of a server, as its page does. No scopes decline."""
    document = (await client.get("/consent/document")).raise_for_status().json()["sha256"]
    body = {"document": document, "scopes": scopes, "birth_year": BIRTH_YEAR if scopes else None, **fields}
    return await client.post("/me/consent", json=body, headers=headers)


async def ensure_consent(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Allow everything unless the player has answered. A new answer would end their running game."""
    if (await client.get("/me/consent", headers=headers)).raise_for_status().json()["needs_answer"]:
        (await give_consent(client, headers)).raise_for_status()


async def write_consent(
    connection: AsyncConnection, user_id: str, scopes: tuple[str, ...] = SCOPES, decision: str = "given"
) -> str:
    """Write an answer to the shipped document, and return its id. The user must exist."""
    document = load_documents(None).find("en")
    await add_document(connection, document.sha256, document.content)
    id_ = await add_answer(
        connection, user_id, document=document.sha256, decision=decision, build="test", scopes=scopes
    )
    return str(id_)


def include_rows_without_consent(url: URL) -> None:
    """Decide, as an owner does, that all episodes without a consent on record may be used.

    Most tests write episodes directly. Those of consent take the decision back.
    """

    async def work() -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await add_decision(connection, SCOPES, "episodes of tests", datetime(2100, 1, 1, tzinfo=UTC))

    asyncio.run(work())
