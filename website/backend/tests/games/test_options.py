"""What a player may choose of a game before it starts."""

import pytest
from pydantic import ValidationError

from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest

GAMES = load_catalogue().games


def test_a_mode_is_an_argument_of_the_environment_and_stands_in_its_record() -> None:
    game = GAMES["breakout"].choose({"mode": "4", "difficulty": "1"})
    env = make_environment(game.environment)
    assert env.spec["kwargs"] == {"frameskip": 1, "repeat_action_probability": 0.0, "mode": 4, "difficulty": 1}
    assert (env.emulation.mode, env.emulation.difficulty) == (4, 1)  # type: ignore[attr-defined]
    env.close()


def test_a_speed_is_a_rate_and_leaves_the_environment_alone() -> None:
    game = GAMES["cart-pole"]
    slow = game.choose({"speed": "0.5"})
    assert slow.pace.kind == "real-time"
    assert slow.pace.hz == 25
    assert slow.environment == game.environment
    assert game.choose({}) == game


@pytest.mark.parametrize(
    ("game", "option"), [("breakout", ("mode", "5")), ("breakout", ("speed", "2")), ("taxi", ("x", "1"))]
)
def test_what_a_game_does_not_offer_is_refused_in_words(game: str, option: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest, match=f"{GAMES[game].name} has no {option[0]} '{option[1]}'"):
        GAMES[game].choose(dict([option]))


def test_an_option_may_not_be_named_like_what_the_socket_takes() -> None:
    told = GAMES["taxi"].model_dump()
    with pytest.raises(ValidationError, match=r"pace\.speeds"):
        Manifest.model_validate({**told, "options": {"speed": [1]}})


def test_modes_that_a_cartridge_does_not_have_are_told() -> None:
    game = GAMES["breakout"].model_copy(update={"options": {"mode": (0, 1)}})
    [fault] = validate_game(game)
    assert fault.startswith("options: the cartridge has {'mode': (0, 4,")
