"""The page as Firebase Hosting serves it. `python3 -m release.page URL` prints what the live one was made from."""

from release.http import Answer, ask
from release.trouble import Trouble, run_main

CONFIG = "config.json"


def main(arguments: list[str]) -> None:
    """Print the `release` of the page's configuration, or nothing when it has none."""
    (page,) = arguments
    print(get(page, f"/{CONFIG}").json().get("release", ""))


def check_page(page: str, api: str) -> None:
    """Raise Trouble unless page, deep links and configuration are served as they should be."""
    for path in ("/", "/play/any-game", "/sign-in"):
        answer = get(page, path)
        if answer.headers.get_content_type() != "text/html" or b"<script" not in answer.body:
            raise Trouble(f"{page}{path} is not the page")
    answer = get(page, f"/{CONFIG}")
    named = answer.json().get("apiUrl")
    if named != api:
        raise Trouble(f"{page}/{CONFIG} names {named!r} where {api} was deployed")
    if "no-store" not in answer.headers.get("cache-control", ""):
        raise Trouble(f"{page}/{CONFIG} may be kept by browsers: its Cache-Control must be no-store")


def get(page: str, path: str) -> Answer:
    """A success, or Trouble."""
    answer = ask(f"{page}{path}")
    if answer.status != 200:
        raise Trouble(f"{page}{path} answered {answer.status}")
    return answer


if __name__ == "__main__":
    run_main(main)
