"""Configuration of the page. On Firebase Hosting a deployed file has the same content."""

from fastapi import APIRouter

from skill_arcade import __version__
from skill_arcade.web.models.operations import PageConfig

router = APIRouter(tags=["page"])


@router.get("/config.json")
async def read_config() -> PageConfig:
    """Return where the page finds the API: at its own origin."""
    return PageConfig(apiUrl=None, release=__version__)
