"""Session tokens and play tickets: expiry, binding, and forgery."""

import pytest

from skill_arcade.errors import NotSignedIn
from skill_arcade.web.tokens import SESSION_SECONDS, TICKET_SECONDS, Tokens

SECRET = "a secret of the tests, 32 or more characters"


class Clock:
    """A manual clock."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(SECRET, clock)


def test_session_token_is_valid_until_expiry(tokens: Tokens, clock: Clock) -> None:
    issued = tokens.issue_session("ada")
    assert issued.expires_at.timestamp() == clock.time + SESSION_SECONDS
    clock.time += SESSION_SECONDS - 1
    assert tokens.read_identity(issued.token).user_id == "ada"
    clock.time += 1
    with pytest.raises(NotSignedIn):
        tokens.read_identity(issued.token)


def test_session_token_changed_anywhere_is_rejected(tokens: Tokens) -> None:
    token = tokens.issue_session("ada").token
    payload = token.rpartition(".")[0]
    for index in range(len(payload)):
        character = "A" if token[index] != "A" else "B"
        with pytest.raises(NotSignedIn):
            tokens.read_identity(token[:index] + character + token[index + 1 :])


@pytest.mark.parametrize("token", ["", ".", "a.b", "ä", "\x00", "e30.e30", "." * 9000, "\U0001f600"])
def test_session_token_nonsense_is_rejected(tokens: Tokens, token: str) -> None:
    with pytest.raises(NotSignedIn):
        tokens.read_identity(token)


def test_tokens_are_valid_for_their_purpose_only(tokens: Tokens) -> None:
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(tokens.issue_session("ada").token, "breakout")
    with pytest.raises(NotSignedIn):
        tokens.read_identity(tokens.issue_ticket("ada", "breakout").token)


def test_tokens_depend_on_secret(tokens: Tokens, clock: Clock) -> None:
    foreign_tokens = Tokens(SECRET + "!", clock)
    with pytest.raises(NotSignedIn):
        tokens.read_identity(foreign_tokens.issue_session("ada").token)
    assert foreign_tokens.user_id("ada@example.org") != tokens.user_id("ada@example.org")


def test_user_id_is_derived_from_email(tokens: Tokens) -> None:
    first, second = tokens.user_id("ada@example.org"), tokens.user_id("eva@example.org")
    assert first == tokens.user_id("ada@example.org") != second
    assert len(first) == 32
    assert set(first) <= set("0123456789abcdef")


def test_ticket_is_valid_once(tokens: Tokens) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    assert tokens.redeem_ticket(ticket, "breakout").user_id == "ada"
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(ticket, "breakout")


def test_ticket_for_other_game_is_rejected_and_stays_valid(tokens: Tokens) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(ticket, "pong")
    assert tokens.redeem_ticket(ticket, "breakout").user_id == "ada"


def test_rotated_key_signs_and_old_tokens_are_still_read(clock: Clock) -> None:
    before = Tokens(SECRET, clock)
    session, ticket = before.issue_session("ada").token, before.issue_ticket("ada", "pong").token
    after = Tokens(SECRET + "2", clock, previous=SECRET, user_id_secret=SECRET)
    assert after.read_identity(session).user_id == "ada"
    assert after.redeem_ticket(ticket, "pong").user_id == "ada"
    assert after.user_id("firebase:guest") == before.user_id("firebase:guest")
    fresh = after.issue_session("ada").token
    with pytest.raises(NotSignedIn):
        before.read_identity(fresh)
    # The key before the previous one is forgotten; user ids stay for ever.
    last = Tokens(SECRET + "3", clock, previous=SECRET + "2", user_id_secret=SECRET)
    assert last.read_identity(fresh).user_id == "ada"
    assert last.user_id("firebase:guest") == before.user_id("firebase:guest")
    with pytest.raises(NotSignedIn):
        last.read_identity(session)


def test_ticket_expires_after_60_s(tokens: Tokens, clock: Clock) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    clock.time += TICKET_SECONDS
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(ticket, "breakout")


def test_export_ticket_downloads_once_and_reads_progress_afterwards(tokens: Tokens) -> None:
    ticket = tokens.issue_export("ada {}").token
    tokens.redeem_export(ticket)
    with pytest.raises(NotSignedIn, match="has been used"):
        tokens.redeem_export(ticket)
    assert tokens.read_export(ticket) == "ada {}"
    tokens.restore_export(ticket)
    tokens.redeem_export(ticket)


def test_tickets_of_the_same_second_are_distinct(tokens: Tokens) -> None:
    first, second = (tokens.issue_ticket("ada", "breakout").token for _ in range(2))
    assert tokens.redeem_ticket(first, "breakout").user_id == tokens.redeem_ticket(second, "breakout").user_id == "ada"


def test_used_ticket_stays_used_when_the_clock_is_set(tokens: Tokens, clock: Clock) -> None:
    ticket = tokens.issue_ticket("ada", "pong").token
    tokens.redeem_ticket(ticket, "pong")
    start = clock.time
    for jump in (TICKET_SECONDS + 1, 86_400, -10, -86_400, 0):
        clock.time = start + jump
        tokens.redeem_ticket(tokens.issue_ticket("ada", "pong").token, "pong")
        clock.time = start
        with pytest.raises(NotSignedIn):
            tokens.redeem_ticket(ticket, "pong")


def test_used_tickets_are_bounded(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skill_arcade.web.tokens.MAX_USED_TICKETS", 2)
    for _ in range(3):
        tokens.redeem_ticket(tokens.issue_ticket("ada", "pong").token, "pong")
    assert tokens.used_ticket_count == 2
