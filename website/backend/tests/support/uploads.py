"""Runs an uploader, and reads what it stored."""

import asyncio
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.uploader.uploader import Uploader


async def drain(uploader: Uploader) -> None:
    """Upload everything that is sealed."""
    async with asyncio.timeout(20):
        await uploader.drain()


async def read_rows(engine: AsyncEngine, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]
