"""Texts of games that the page translates."""

from skill_arcade.games.manifest import Manifest
from skill_arcade.games.texts import list_texts


def make_game(id_: str, summary: str, **fields: object) -> Manifest:
    description = {
        "id": id_,
        "name": f"Name of {id_}",
        "summary": summary,
        "environment": {"id": "MiniGrid-Empty-8x8-v0"},
        "pace": {"kind": "turn-based"},
        "controls": [{"name": "go", "label": "Walk", "keys": ["ArrowUp"]}],
        "actions": [{"press": ["go"], "action": 0}],
    }
    return Manifest.model_validate(description | fields)


def test_list_texts_with_a_sentence_of_two_summaries_has_it_once() -> None:
    games = [make_game("a", "Walk on. It is dark."), make_game("b", "Sit. It is dark."), make_game("c", "Run. Jump.")]
    assert list_texts(games) == ["It is dark.", "Run. Jump.", "Sit.", "Walk", "Walk on."]


def test_list_texts_has_labels_of_options_and_variants_but_no_names_and_values() -> None:
    sizes = {"5x5": {"kwargs": {"size": 5}}, "big": {"label": "The whole maze"}}
    texts = list_texts([make_game("a", "Walk.", options={"size": sizes})])
    assert texts == ["Size", "The whole maze", "Walk", "Walk."]
