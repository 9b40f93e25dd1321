"""The texts of games that players read and that the page translates."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import read_settings


def list_texts(games: Iterable[Manifest]) -> list[str]:
    """Return the summaries, and the labels of controls, options and variants, each once, sorted.

    Names of games are not among them. A summary is one text, or several if other summaries have one of its sentences.
    """
    games = list(games)
    sentences = Counter(sentence for game in games for sentence in _split_sentences(game.summary))
    texts: set[str] = set()
    for game in games:
        parts = _split_sentences(game.summary)
        texts.update(parts if any(sentences[part] > 1 for part in parts) else [game.summary])
        texts.update(control.label for control in game.controls)
        texts.update(label_option(name) for name in game.choices())
        variants = (variant for of_option in game.variants().values() for variant in of_option.values())
        texts.update(variant.label for variant in variants if variant.label)
    return sorted(texts)


def label_option(name: str) -> str:
    """Return the text of an option for players, such as "Difficulty"."""
    return name.replace("_", " ").capitalize()


def _split_sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?]) ", text)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list_texts(load_catalogue(read_settings().games_folder).games.values())))
