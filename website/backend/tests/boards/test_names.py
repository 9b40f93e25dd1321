"""Names on leaderboards: which are allowed, and which look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_arcade.boards.names import check_name, draw_neutral_name, make_skeleton
from skill_arcade.errors import InvalidRequest


@pytest.mark.parametrize(
    "name", ["Ada", "Ms. Pac".replace(".", ""), "O'Neill", "Zoë_99", "Мария", "たけし", "김 민준", "a-b"]
)
def test_name_of_one_script_is_allowed(name: str) -> None:
    assert check_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "ab",
            "   a  ",
            "x" * 21,
            "--- ---",
            "a\u200bda",
            "ada\u202egro",
            "ada@example.org",
            "www.ada.org",
            "<b>ada",
        ),
        *(
            "Admin",
            "4dm1n",
            "\u0410dmin",
            "The Moderator",
            "Player 4F2A",
            "pl4yer",
            "Skill Arcade",
            "erased",
            "ada\n\0eva",
        ),
        *("\u0430da", "Ad\u03b1", "\U0001f600\U0001f600\U0001f600"),
    ],
)
def test_name_that_is_reserved_mixed_or_odd_is_rejected(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paul", "PAUL"),
        ("Paul", "P a-u_l"),
        ("Paul", "Pau1"),
        ("Paul", "Päul"),
        ("Paul", "\uff30\uff41\uff55\uff4c"),
        ("corn", "com"),
        ("Mope", "\u041c\u043e\u0440\u0435"),  # Cyrillic
        ("Bob", "8o6".replace("6", "b")),
    ],
)
def test_skeletons_of_names_that_look_alike_are_equal(one: str, other: str) -> None:
    assert make_skeleton(one) == make_skeleton(other)


@given(st.text(min_size=1, max_size=30))
def test_name_that_is_allowed_is_stored_as_it_is_checked(text: str) -> None:
    try:
        name = check_name(text)
    except InvalidRequest:
        return
    assert check_name(name) == name
    assert 3 <= len(name) <= 20
    assert not make_skeleton(name).startswith("player")


def test_neutral_names_differ_and_cannot_be_chosen() -> None:
    names = {draw_neutral_name(8) for _ in range(50)}
    assert len(names) > 45
    for name in names:
        with pytest.raises(InvalidRequest):
            check_name(name)
