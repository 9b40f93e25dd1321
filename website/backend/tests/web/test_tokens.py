"""Sessions and play tickets: they end, they are bound, and nobody else can make them."""

import pytest

from skill_arcade.errors import NotSignedIn
from skill_arcade.web.tokens import SESSION_SECONDS, TICKET_SECONDS, Tokens

SECRET = "a secret of the tests, 32 or more characters"


class Clock:
    """A clock that a test moves."""

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


def test_a_session_says_who_until_it_ends(tokens: Tokens, clock: Clock) -> None:
    issued = tokens.issue_session("ada")
    assert issued.expires_at.timestamp() == clock.time + SESSION_SECONDS
    clock.time += SESSION_SECONDS - 1
    assert tokens.read_session(issued.token) == "ada"
    clock.time += 1
    with pytest.raises(NotSignedIn, match="sign in again"):
        tokens.read_session(issued.token)


def test_every_changed_character_of_a_token_is_noticed(tokens: Tokens) -> None:
    token = tokens.issue_session("ada").token
    payload = token.rpartition(".")[0]
    for place in range(len(payload)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(NotSignedIn):
            tokens.read_session(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", ["", ".", "a.b", "ä", "\x00", "e30.e30", "." * 9000, "\U0001f600"])
def test_what_is_no_token_is_refused_in_words(tokens: Tokens, token: str) -> None:
    with pytest.raises(NotSignedIn, match="sign in again"):
        tokens.read_session(token)


def test_a_session_is_no_ticket_and_a_ticket_no_session(tokens: Tokens) -> None:
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(tokens.issue_session("ada").token, "breakout")
    with pytest.raises(NotSignedIn):
        tokens.read_session(tokens.issue_ticket("ada", "breakout").token)


def test_another_secret_signs_other_tokens_and_makes_other_ids(tokens: Tokens, clock: Clock) -> None:
    stranger = Tokens(SECRET + "!", clock)
    with pytest.raises(NotSignedIn):
        tokens.read_session(stranger.issue_session("ada").token)
    assert stranger.user_id("ada@example.org") != tokens.user_id("ada@example.org")


def test_an_id_follows_from_the_email_and_says_nothing_of_it(tokens: Tokens) -> None:
    first, second = tokens.user_id("ada@example.org"), tokens.user_id("eva@example.org")
    assert first == tokens.user_id("ada@example.org") != second
    assert len(first) == 32
    assert set(first) <= set("0123456789abcdef")


def test_a_ticket_opens_its_game_once(tokens: Tokens) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    assert tokens.redeem_ticket(ticket, "breakout") == "ada"
    with pytest.raises(NotSignedIn, match="open the game again"):
        tokens.redeem_ticket(ticket, "breakout")


def test_a_ticket_tried_on_another_game_is_refused_and_stays_good_for_its_own(tokens: Tokens) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(ticket, "pong")
    assert tokens.redeem_ticket(ticket, "breakout") == "ada"


def test_a_ticket_ends_after_a_minute(tokens: Tokens, clock: Clock) -> None:
    ticket = tokens.issue_ticket("ada", "breakout").token
    clock.time += TICKET_SECONDS
    with pytest.raises(NotSignedIn):
        tokens.redeem_ticket(ticket, "breakout")


def test_two_tickets_of_the_same_second_are_two(tokens: Tokens) -> None:
    first, second = (tokens.issue_ticket("ada", "breakout").token for _ in range(2))
    assert tokens.redeem_ticket(first, "breakout") == tokens.redeem_ticket(second, "breakout") == "ada"


def test_spent_tickets_are_forgotten_once_they_could_not_be_used_anyway(tokens: Tokens, clock: Clock) -> None:
    for _ in range(10):
        tokens.redeem_ticket(tokens.issue_ticket("ada", "pong").token, "pong")
        clock.time += TICKET_SECONDS
    assert tokens.used_ticket_count == 1
