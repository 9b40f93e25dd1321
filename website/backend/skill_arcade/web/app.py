"""The application: routes, errors, security and the page, put together."""

from typing import Any

from fastapi import FastAPI

from skill_arcade import __version__
from skill_arcade.settings import Settings
from skill_arcade.web.document import describe_api, operation_name
from skill_arcade.web.routes import auth, games, health, play


class Arcade(FastAPI):
    """FastAPI whose OpenAPI document has the socket's messages in it."""

    def openapi(self) -> dict[str, Any]:
        """Build the document once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_api(self)
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> FastAPI:
    """Put the application together; nothing is opened before it starts."""
    app = Arcade(
        title="Skill Arcade",
        version=__version__,
        description="Play Gymnasium environments in a browser; every frame, action and time is kept.",
        generate_unique_id_function=operation_name,
        docs_url=None,
        redoc_url=None,
    )
    for room in (auth, games, play, health):
        app.include_router(room.router)
    return app
