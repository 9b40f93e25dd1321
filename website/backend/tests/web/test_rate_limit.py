"""Rate limits per client address, and how the address is determined behind proxies."""

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.client_address import ForwardedHeadersMiddleware, client_key
from skill_arcade.web.rate_limiting.middleware import RateLimitMiddleware
from skill_arcade.web.rate_limiting.table import REQUESTS
from skill_arcade.wire.close_codes import CloseCode
from tests.support.asgi_client import calling
from tests.web.conftest import open_arcade

pytestmark = pytest.mark.anyio


def limit_burst(settings: Settings) -> Settings:
    """A burst of three."""
    return settings.model_copy(update={"rate_limit_burst": 3})


async def test_rate_limit_of_logins_answers_429_with_retry_after(settings: Settings) -> None:
    async with open_arcade(limit_burst(settings)) as arcade:
        bodies = [{"email": f"guest{number}@example.org"} for number in range(4)]
        answers = [await arcade.http.post("/auth/login", json=body) for body in bodies]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "5"
        assert answers[-1].headers["x-content-type-options"] == "nosniff"
        assert answers[-1].json()["error"] == "TooManyRequests"
        assert (await arcade.http.get("/games")).status_code == 200  # other requests are not limited


async def test_rate_limit_of_requests_excludes_health_checks(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"rate_limit_burst": 1})) as arcade:
        statuses = [(await arcade.http.get("/auth/login")).status_code for _ in range(53)]
        assert statuses[:50] == [200] * 50
        assert 429 in statuses[50:]
        assert (await arcade.http.get("/health/live")).status_code == 200


async def test_rate_limit_of_sockets_closes_with_rate_limited_before_ticket_check(settings: Settings) -> None:
    app = create_app(limit_burst(settings))
    async with open_arcade(settings) as arcade:
        for _ in range(3):
            async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.7") as connection:
                assert (await connection.closed)[0] == CloseCode.BAD_TICKET
        reason = "Too many sockets from your IP address. Try again in 5 seconds."
        async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.7") as connection:
            assert await connection.closed == (CloseCode.RATE_LIMITED, reason)
        async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.8") as connection:
            assert (await connection.closed)[0] == CloseCode.BAD_TICKET  # another address is not limited


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_client_key_groups_ipv6_networks(address: str, key: str) -> None:
    assert client_key(address) == key


@pytest.mark.parametrize(
    ("proxies", "forwarded_for", "client", "scheme"),
    [
        (0, [b"203.0.113.9"], "169.254.1.1", "http"),
        (1, [b"203.0.113.9"], "203.0.113.9", "https"),
        (1, [b"1.2.3.4, 203.0.113.9"], "203.0.113.9", "https"),  # the first entry was supplied by the client
        (1, [b"1.2.3.4", b"203.0.113.9"], "203.0.113.9", "https"),
        (2, [b"1.2.3.4, 203.0.113.9, 10.0.0.1"], "203.0.113.9", "https"),
        (2, [b"203.0.113.9"], "169.254.1.1", "https"),
        (1, [], "169.254.1.1", "https"),
    ],
)
async def test_forwarded_headers_are_read_from_trusted_proxies_only(
    settings: Settings, proxies: int, forwarded_for: list[bytes], client: str, scheme: str
) -> None:
    seen: list[Scope] = []

    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    app: ASGIApp = ForwardedHeadersMiddleware(record, settings.model_copy(update={"trusted_proxies": proxies}))
    headers = [*((b"x-forwarded-for", value) for value in forwarded_for), (b"x-forwarded-proto", b"https")]
    await app({"type": "http", "headers": headers, "client": ("169.254.1.1", 1), "scheme": "http"}, None, None)  # type: ignore[arg-type]
    assert (seen[0]["client"][0], seen[0]["scheme"]) == (client, scheme)


async def test_forwarded_https_enables_strict_transport_security(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"trusted_proxies": 1})) as arcade:
        forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
        assert "strict-transport-security" in (await arcade.http.get("/games", headers=forwarded)).headers
    async with open_arcade(settings) as arcade:
        assert "strict-transport-security" not in (await arcade.http.get("/games", headers=forwarded)).headers


async def test_rate_limit_drops_least_recently_used_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skill_arcade.web.rate_limiting.token_bucket.MAX_TRACKED_KEYS", 2)
    limiter = RateLimitMiddleware(ForwardedHeadersMiddleware, limit_burst(settings))._limiters[REQUESTS]  # type: ignore[arg-type]
    for key in "abc":
        assert limiter.take(key) == 0
    assert list(limiter._buckets) == ["b", "c"]
