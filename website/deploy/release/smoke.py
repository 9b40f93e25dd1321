"""`website/deploy/smoke URL`: signs in, plays through the WebSocket, and checks that the play was recorded."""

import argparse
import secrets
import time
from typing import Any
from urllib.parse import quote

from release.errors import UserFacingError, run_main
from release.http import request_json
from release.login import log_in
from release.page import check_page
from release.player import PlayedEpisode, Player
from release.websocket import HandshakeRejectedError, WebSocket

POLL_SECONDS = 0.5


def main(arguments: list[str]) -> None:
    """Check one server, and the page if it is given. Prints a line for each check that passed."""
    options = read_options(arguments)
    url = options.url.rstrip("/")
    wait_until_ready(url, options.wait)
    account = log_in(url)
    try:
        for game in choose_games(url, options.games):
            played = play_game(url, account.token, game, options)
            wait_for_episodes(url, account.token, played, options.wait)
            print_ok(
                f"played {sum(episode.n_steps for episode in played)} steps of {game['id']} and found them recorded"
            )
    finally:
        account.remove()
    if options.page:
        check_page(options.page.rstrip("/"), url)
        print_ok(f"{options.page} serves the page, which uses the API {url}")


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/smoke", description="Smoke test of a running server and its page."
    )
    parser.add_argument("url", help="origin of the back end, such as https://arcade-1234.europe-west1.run.app")
    parser.add_argument(
        "--page",
        metavar="URL",
        help="origin of the page, which is checked too; WebSockets are then opened with this origin",
    )
    parser.add_argument("--steps", type=int, default=100, help="number of steps to play of each game (default: 100)")
    parser.add_argument("--games", type=int, default=1, help="number of games to play (default: 1)")
    parser.add_argument(
        "--wait",
        type=float,
        default=60,
        help="timeout in seconds until the server is ready, and until the episodes are recorded (default: 60)",
    )
    return parser.parse_args(arguments)


def wait_until_ready(url: str, seconds: float) -> None:
    """Wait until both health checks pass. Raises `UserFacingError` with the last response after a timeout."""
    end = time.monotonic() + seconds
    while True:
        try:
            request_json(f"{url}/health/live")
            request_json(f"{url}/health/ready")
        except UserFacingError as error:
            if time.monotonic() > end:
                raise UserFacingError(f"timeout: the server is not ready after {seconds:.0f} s: {error}") from None
            time.sleep(POLL_SECONDS)
        else:
            print_ok(f"{url} passes its health checks")
            return


def choose_games(url: str, count: int) -> list[dict[str, Any]]:
    """Return the first `count` games, real-time games first because they exercise more of the server."""
    games = request_json(f"{url}/games")
    if not games:
        raise UserFacingError(f"{url}/games returns an empty list")
    chosen: list[dict[str, Any]] = sorted(games, key=lambda game: game["pace"]["kind"] != "real-time")
    return chosen[:count]


def play_game(url: str, token: str, game: dict[str, Any], options: argparse.Namespace) -> list[PlayedEpisode]:
    """Play one game. With a page, use its origin, and check that the server rejects another origin."""
    if options.page:
        check_foreign_origin_is_rejected(url, token, game)
    origin = options.page and options.page.rstrip("/")
    with WebSocket(socket_url(url, game), origin=origin, protocols=get_ticket(url, token, game)) as socket:
        return Player(socket, game).play(options.steps)


def check_foreign_origin_is_rejected(url: str, token: str, game: dict[str, Any]) -> None:
    """Open a WebSocket with the origin of another site. Raises `UserFacingError` if the server accepts it."""
    try:
        origin = f"https://{secrets.token_hex(8)}.example"
        WebSocket(socket_url(url, game), origin=origin, protocols=get_ticket(url, token, game)).close()
    except HandshakeRejectedError as error:
        if error.status != 403:
            raise
    else:
        raise UserFacingError(
            "the server accepts a WebSocket from any other site: CORS_ORIGINS or TRUSTED_HOSTS allow too much"
        )


def socket_url(url: str, game: dict[str, Any]) -> str:
    """Return the address of a game's WebSocket."""
    return f"{url.replace('http', 'ws', 1)}/ws/{quote(game['id'])}"


def get_ticket(url: str, token: str, game: dict[str, Any]) -> tuple[str, str]:
    """Request a play ticket, and return the subprotocols that carry it. Addresses are logged, subprotocols are not."""
    body = {"game_id": game["id"]}
    ticket = request_json(f"{url}/play/tickets", body=body, headers={"authorization": f"Bearer {token}"})["ticket"]
    return "skill-arcade", f"ticket.{ticket}"


def wait_for_episodes(url: str, token: str, played: list[PlayedEpisode], seconds: float) -> None:
    """Wait until the API lists every episode with all its steps, which were uploaded then. Raises `UserFacingError`."""
    wanted = {episode.episode: episode.n_steps for episode in played}
    end = time.monotonic() + seconds
    while True:
        rows = request_json(f"{url}/me/episodes", headers={"authorization": f"Bearer {token}"})
        found = {row["id"]: row["n_steps"] for row in rows}
        if wanted.items() <= found.items():
            return
        if time.monotonic() > end:
            raise UserFacingError(f"timeout: after {seconds:.0f} s the API lists {found}, but {wanted} was played")
        time.sleep(POLL_SECONDS)


def print_ok(line: str) -> None:
    """Print the line of a check that passed."""
    print(f"ok  {line}", flush=True)


if __name__ == "__main__":
    run_main(main)
