"""What uvicorn serves: `uvicorn skill_arcade.main:app --port 8080 --reload`."""

from skill_arcade.settings import read_settings
from skill_arcade.telemetry import set_up_logging
from skill_arcade.web.app import create_app

settings = read_settings()
set_up_logging(settings.log_format, settings.log_level)
app = create_app(settings)
