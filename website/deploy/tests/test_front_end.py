"""Addresses that the scripts call reach the container through Google's front end."""

import time
from collections.abc import Iterator

import pytest

from harness import DeployHarness
from release.errors import UserFacingError
from release.smoke import wait_until_ready
from release.websocket import ConnectionClosedError, HandshakeRejectedError, WebSocket
from test_deploy import API, newest
from test_smoke import echo, listening

HOST = API.removeprefix("https://")


@pytest.fixture
def echoing(production: DeployHarness) -> Iterator[DeployHarness]:
    """A release whose revision has a WebSocket server in place of the container."""
    assert production.deploy().code == 0
    revision = newest(production)
    with listening(echo) as url:
        production.cloud.ports[revision["metadata"]["name"]] = int(url.split(":")[2].split("/")[0])
        yield production


def socket_url(harness: DeployHarness) -> str:
    return f"{harness.server.url}/front.fake/{HOST}/ws/game".replace("http", "ws", 1)


def test_front_end_path_that_ends_in_z_is_not_passed_on(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    front = f"{production.server.url}/front.fake/{HOST}"
    wait_until_ready(front, 0)
    with pytest.raises(UserFacingError, match="404"):
        wait_until_ready(f"{front}/readyz?", 0)


def test_front_end_websocket_is_passed_on_in_both_directions(echoing: DeployHarness) -> None:
    with WebSocket(socket_url(echoing)) as socket:
        for text in ("one", "two" * 50_000):
            socket.send_text(text)
            assert socket.receive() == text


def test_front_end_websocket_is_cut_at_the_time_limit_of_its_revision(echoing: DeployHarness) -> None:
    newest(echoing)["spec"]["timeoutSeconds"] = 1
    with WebSocket(socket_url(echoing)) as socket:
        began = time.monotonic()
        socket.send_text("one")
        assert socket.receive() == "one"
        with pytest.raises(ConnectionClosedError, match="code=1006"):
            socket.receive()
        assert 0.9 < time.monotonic() - began < 10


def test_front_end_open_websocket_takes_a_slot(echoing: DeployHarness) -> None:
    newest(echoing)["spec"]["containerConcurrency"] = 1
    newest(echoing)["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] = "1"
    with WebSocket(socket_url(echoing)), pytest.raises(HandshakeRejectedError, match="429"):
        WebSocket(socket_url(echoing))
