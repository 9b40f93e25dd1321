"""`website/deploy/smoke URL`: signs in, plays through the socket, and finds what was played through the API."""

import argparse
import secrets
import time
from typing import Any
from urllib.parse import quote

from release.http import ask_json
from release.page import check_page
from release.player import Played, Player
from release.signing import sign_in
from release.trouble import Trouble, run_main
from release.websocket import Refused, WebSocket

PAUSE_SECONDS = 0.5


def main(arguments: list[str]) -> None:
    """Check one address; say each thing that is well."""
    options = read_options(arguments)
    url = options.url.rstrip("/")
    wait_ready(url, options.wait)
    account = sign_in(url)
    try:
        for game in choose_games(url, options.games):
            played = play_game(url, account.token, game, options)
            find_episodes(url, account.token, played, options.wait)
            say(f"played {sum(episode.n_steps for episode in played)} steps of {game['id']} and found them recorded")
    finally:
        account.remove()
    if options.page:
        check_page(options.page.rstrip("/"), url)
        say(f"{options.page} serves the page, and the page asks {url}")


def read_options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="website/deploy/smoke", description="Checks a running arcade from outside.")
    parser.add_argument("url", help="origin of the back end, such as https://arcade-1234.europe-west1.run.app")
    parser.add_argument("--page", metavar="URL", help="origin of the page, checked too; sockets then come from it")
    parser.add_argument("--steps", type=int, default=100, help="steps to play of each game (default: 100)")
    parser.add_argument("--games", type=int, default=1, help="games to play (default: 1)")
    parser.add_argument("--wait", type=float, default=60, help="seconds to wait until ready, and until it is recorded")
    return parser.parse_args(arguments)


def wait_ready(url: str, seconds: float) -> None:
    """Wait until the server is alive and ready. Raises Trouble with the last answer."""
    end = time.monotonic() + seconds
    while True:
        try:
            ask_json(f"{url}/healthz")
            ask_json(f"{url}/readyz")
        except Trouble as trouble:
            if time.monotonic() > end:
                raise Trouble(f"not ready after {seconds:.0f} s: {trouble}") from None
            time.sleep(PAUSE_SECONDS)
        else:
            say(f"{url} is alive and ready")
            return


def choose_games(url: str, count: int) -> list[dict[str, Any]]:
    """Take the first games in real time, then others: they show most of the way."""
    games = ask_json(f"{url}/games")
    if not games:
        raise Trouble(f"{url}/games lists no game")
    chosen: list[dict[str, Any]] = sorted(games, key=lambda game: game["pace"]["kind"] != "real-time")
    return chosen[:count]


def play_game(url: str, token: str, game: dict[str, Any], options: argparse.Namespace) -> list[Played]:
    """Play one game through its socket, with the page's origin if there is one; a stranger's is refused."""
    if options.page:
        refuse_stranger(socket_url(url, token, game))
    with WebSocket(socket_url(url, token, game), origin=options.page and options.page.rstrip("/")) as socket:
        return Player(socket, game).play(options.steps)


def refuse_stranger(url: str) -> None:
    """Open the socket as a page of another site would. Raises Trouble when that works."""
    try:
        WebSocket(url, origin=f"https://{secrets.token_hex(8)}.example").close()
    except Refused as refused:
        if refused.status != 403:
            raise
    else:
        raise Trouble("a page of any other site may open a socket here: CORS_ORIGINS or TRUSTED_HOSTS allow too much")


def socket_url(url: str, token: str, game: dict[str, Any]) -> str:
    """Get a ticket and make the socket's address of it."""
    body = {"game_id": game["id"]}
    ticket = ask_json(f"{url}/play/tickets", body=body, headers={"authorization": f"Bearer {token}"})["ticket"]
    return f"{url.replace('http', 'ws', 1)}/ws/{quote(game['id'])}?token={quote(ticket)}"


def find_episodes(url: str, token: str, played: list[Played], seconds: float) -> None:
    """Wait until the API knows every episode with all its steps. Delivery takes a moment. Raises Trouble."""
    wanted = {episode.episode: episode.n_steps for episode in played}
    end = time.monotonic() + seconds
    while True:
        rows = ask_json(f"{url}/me/episodes", headers={"authorization": f"Bearer {token}"})
        found = {row["id"]: row["n_steps"] for row in rows}
        if wanted.items() <= found.items():
            return
        if time.monotonic() > end:
            raise Trouble(f"after {seconds:.0f} s the API knows {found} where {wanted} was played")
        time.sleep(PAUSE_SECONDS)


def say(line: str) -> None:
    """One line of what is well."""
    print(f"ok  {line}", flush=True)


if __name__ == "__main__":
    run_main(main)
