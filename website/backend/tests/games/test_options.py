"""Options that a player chooses before a game starts."""

import pytest
from pydantic import ValidationError

from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.manifest_validation import validate_game
from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest

GAMES = load_catalogue().games


def test_choose_mode_sets_environment_argument_and_spec() -> None:
    game = GAMES["breakout"].choose({"mode": "4", "difficulty": "1"})
    env = make_environment(game.environment)
    assert env.spec["kwargs"] == {"frameskip": 1, "repeat_action_probability": 0.0, "mode": 4, "difficulty": 1}
    assert (env.emulation.mode, env.emulation.difficulty) == (4, 1)  # type: ignore[attr-defined]
    env.close()


def test_choose_speed_changes_rate_but_not_environment() -> None:
    game = GAMES["cart-pole"]
    slow = game.choose({"speed": "0.5"})
    assert slow.pace.kind == "real-time"
    assert slow.pace.hz == 25
    assert slow.environment == game.environment
    assert game.choose({}) == game


@pytest.mark.parametrize(
    ("game", "option"), [("breakout", ("mode", "5")), ("breakout", ("speed", "2")), ("taxi", ("x", "1"))]
)
def test_choose_unknown_option_raises_invalid_request(game: str, option: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest, match=f"{option[0]}.*{option[1]}"):
        GAMES[game].choose(dict([option]))


def test_manifest_option_with_reserved_name_raises_validation_error() -> None:
    fields = GAMES["taxi"].model_dump()
    with pytest.raises(ValidationError, match=r"pace\.speeds"):
        Manifest.model_validate({**fields, "options": {"speed": [1]}})


def test_validate_game_with_unknown_mode_reports_options() -> None:
    game = GAMES["breakout"].model_copy(update={"options": {"mode": (0, 1)}})
    [fault] = validate_game(game)
    assert fault.startswith("options: ")
    assert "mode" in fault
