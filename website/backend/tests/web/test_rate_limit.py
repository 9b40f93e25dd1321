"""How fast one address may ask, and who that address is."""

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.rate_limit import ForwardedHeadersMiddleware, RateLimitMiddleware, client_key
from skill_arcade.wire.close_codes import CloseCode
from tests.support.asgi_client import calling
from tests.web.conftest import open_arcade

pytestmark = pytest.mark.anyio


def narrow(settings: Settings) -> Settings:
    """Three newcomers at once."""
    return settings.model_copy(update={"newcomers_at_once": 3})


async def test_sign_ins_of_one_address_are_counted_and_told_when_to_come_again(settings: Settings) -> None:
    async with open_arcade(narrow(settings)) as arcade:
        bodies = [{"email": f"guest{number}@example.org"} for number in range(4)]
        answers = [await arcade.http.post("/auth/login", json=body) for body in bodies]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "5"
        assert answers[-1].headers["x-content-type-options"] == "nosniff"
        assert answers[-1].json() == {
            "error": "TooManyRequests",
            "message": "Very many sign-ins come from your address; try again in 5 seconds.",
        }
        assert (await arcade.http.get("/games")).status_code == 200  # who is in goes on


async def test_requests_of_any_kind_are_counted_too_and_health_checks_never(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"newcomers_at_once": 1})) as arcade:
        statuses = [(await arcade.http.get("/auth/login")).status_code for _ in range(53)]
        assert statuses[:50] == [200] * 50
        assert 429 in statuses[50:]
        assert (await arcade.http.get("/healthz")).status_code == 200


async def test_a_storm_of_sockets_is_closed_in_words_before_a_ticket_is_looked_at(settings: Settings) -> None:
    app = create_app(narrow(settings))
    async with open_arcade(settings) as arcade:
        for _ in range(3):
            async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.7") as line:
                assert (await line.closed)[0] == CloseCode.BAD_TICKET
        words = "Very many sockets come from your address; try again in 5 seconds."
        async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.7") as line:
            assert await line.closed == (CloseCode.RATE_LIMITED, words)
        async with calling(arcade, app, "/ws/pong", "token=x", "10.0.0.8") as line:
            assert (await line.closed)[0] == CloseCode.BAD_TICKET  # nobody else is slowed


@pytest.mark.parametrize(
    ("address", "name"),
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
def test_a_household_is_one_address(address: str, name: str) -> None:
    assert client_key(address) == name


@pytest.mark.parametrize(
    ("proxies", "told", "client", "scheme"),
    [
        (0, [b"203.0.113.9"], "169.254.1.1", "http"),
        (1, [b"203.0.113.9"], "203.0.113.9", "https"),
        (1, [b"1.2.3.4, 203.0.113.9"], "203.0.113.9", "https"),  # the first was the asker's own invention
        (1, [b"1.2.3.4", b"203.0.113.9"], "203.0.113.9", "https"),
        (2, [b"1.2.3.4, 203.0.113.9, 10.0.0.1"], "203.0.113.9", "https"),
        (2, [b"203.0.113.9"], "169.254.1.1", "https"),
        (1, [], "169.254.1.1", "https"),
    ],
)
async def test_who_asks_is_who_our_own_proxy_says_and_nobody_else(
    settings: Settings, proxies: int, told: list[bytes], client: str, scheme: str
) -> None:
    seen: list[Scope] = []

    async def remember(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    app: ASGIApp = ForwardedHeadersMiddleware(remember, settings.model_copy(update={"trusted_proxies": proxies}))
    headers = [*((b"x-forwarded-for", value) for value in told), (b"x-forwarded-proto", b"https")]
    await app({"type": "http", "headers": headers, "client": ("169.254.1.1", 1), "scheme": "http"}, None, None)  # type: ignore[arg-type]
    assert (seen[0]["client"][0], seen[0]["scheme"]) == (client, scheme)


async def test_behind_a_proxy_that_says_https_the_answer_forbids_http(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"trusted_proxies": 1})) as arcade:
        told = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
        assert "strict-transport-security" in (await arcade.http.get("/games", headers=told)).headers
    async with open_arcade(settings) as arcade:
        assert "strict-transport-security" not in (await arcade.http.get("/games", headers=told)).headers


async def test_who_asked_long_ago_is_forgotten_first(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skill_arcade.web.token_bucket.MAX_TRACKED_KEYS", 2)
    limit = RateLimitMiddleware(ForwardedHeadersMiddleware, narrow(settings))._all  # type: ignore[arg-type]
    for who in "abc":
        assert limit.take(who) == 0
    assert list(limit._buckets) == ["b", "c"]
