"""What the page is told of where it is. On Firebase Hosting a file of the deploy's says the same things."""

from fastapi import APIRouter

from skill_arcade import __version__
from skill_arcade.web.models import PageConfig

router = APIRouter(tags=["page"])


@router.get("/config.json")
async def read_config() -> PageConfig:
    """Say where the page finds its server: here."""
    return PageConfig(apiUrl=None, release=__version__)
