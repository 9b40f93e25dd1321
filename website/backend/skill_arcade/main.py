"""ASGI application for development: `uvicorn skill_arcade.main:app --port 8080 --reload`."""

from skill_arcade.errors import SettingsError
from skill_arcade.settings import read_settings
from skill_arcade.telemetry import set_up_logging
from skill_arcade.web.app import create_app

try:
    settings = read_settings()
except SettingsError as error:
    raise SystemExit(str(error)) from None
set_up_logging(settings.log_format, settings.log_level)
app = create_app(settings)
