"""Checks the page that Firebase Hosting serves."""

from release.errors import UserFacingError
from release.http import Response, send_request

CONFIG = "config.json"


def check_page(page: str, api: str) -> None:
    """Raise `UserFacingError` unless the page, its deep links and its configuration are served correctly."""
    for path in ("/", "/play/any-game", "/sign-in"):
        response = get(page, path)
        if response.headers.get_content_type() != "text/html" or b"<script" not in response.body:
            raise UserFacingError(f"{page}{path} does not serve the page: its response is not HTML with a script")
    response = get(page, f"/{CONFIG}")
    config = response.json()
    if games := config.get("gamesUrl"):
        check_games(page, games)
    named = response.json().get("apiUrl")
    if named != api:
        raise UserFacingError(f"{page}/{CONFIG} contains the API address {named!r} instead of {api}")
    if "no-store" not in response.headers.get("cache-control", ""):
        raise UserFacingError(f"{page}/{CONFIG} may be cached by browsers: its Cache-Control must be no-store")


def check_games(page: str, path: str) -> None:
    """Raise `UserFacingError` unless the list of games and the first cover are served."""
    games = get(page, path).json()
    covers = [game["cover"] for game in games if game.get("cover")]
    if not games or (covers and not get(page, covers[0]).headers.get_content_type().startswith("image/")):
        raise UserFacingError(f"{page}{path} lists no games, or their covers are no pictures")


def get(page: str, path: str) -> Response:
    """Return the response of a path. Raises `UserFacingError` for any status but 200."""
    response = send_request(f"{page}{path}")
    if response.status != 200:
        raise UserFacingError(f"{page}{path} returned status {response.status}")
    return response
