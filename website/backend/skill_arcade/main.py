"""What uvicorn serves: `uvicorn skill_arcade.main:app --port 8080 --reload`."""

from skill_arcade.web.app import create_app

app = create_app()
