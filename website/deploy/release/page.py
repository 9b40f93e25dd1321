"""Checks the page that Firebase Hosting serves. `python3 -m release.page URL` prints the live release key."""

from release.errors import UserFacingError, run_main
from release.http import Response, send_request

CONFIG = "config.json"


def main(arguments: list[str]) -> None:
    """Print the `release` of the page's configuration, or an empty line if it has none."""
    (page,) = arguments
    print(get(page, f"/{CONFIG}").json().get("release", ""))


def check_page(page: str, api: str) -> None:
    """Raise `UserFacingError` unless the page, its deep links and its configuration are served correctly."""
    for path in ("/", "/play/any-game", "/sign-in"):
        response = get(page, path)
        if response.headers.get_content_type() != "text/html" or b"<script" not in response.body:
            raise UserFacingError(f"{page}{path} does not serve the page: its response is not HTML with a script")
    response = get(page, f"/{CONFIG}")
    named = response.json().get("apiUrl")
    if named != api:
        raise UserFacingError(f"{page}/{CONFIG} contains the API address {named!r} instead of {api}")
    if "no-store" not in response.headers.get("cache-control", ""):
        raise UserFacingError(f"{page}/{CONFIG} may be cached by browsers: its Cache-Control must be no-store")


def get(page: str, path: str) -> Response:
    """Return the response of a path. Raises `UserFacingError` for any status but 200."""
    response = send_request(f"{page}{path}")
    if response.status != 200:
        raise UserFacingError(f"{page}{path} returned status {response.status}")
    return response


if __name__ == "__main__":
    run_main(main)
