"""Names on boards: what a player may be called, and neutral names for those who choose none.

Two names that look alike have the same skeleton, which is unique in the database. The table of look-alikes covers
Latin, Greek and Cyrillic letters and digits; a name has letters of one script only, so other scripts cannot imitate
Latin.
"""

import secrets
import unicodedata

from skill_arcade.errors import InvalidRequest

MIN_CHARACTERS, MAX_CHARACTERS = 3, 20
NEUTRAL = "Player"
PUNCTUATION = " -_'"
RESERVED = (
    *("admin", "moderator", "official", "skillarcade", "staff", "support", "system", "maintainer", "researcher"),
    *("anonymous", "erased", "deleted", "removed", "undefined", "hidden", "everyone", "nobody"),
)
# Escapes, because the letters cannot be told apart by eye: Cyrillic, Greek, Latin with a stroke or without a dot.
LOOK_ALIKE = str.maketrans(
    {
        **dict(zip("\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442", "abekmhopct", strict=True)),
        **dict(zip("\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u04cf", "yxljsdqwhl", strict=True)),
        **dict(zip("\u03b1\u03b2\u03b3\u03b5\u03b6\u03b7\u03b9\u03ba", "abyeznlk", strict=True)),
        **dict(zip("\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9", "uvoptuxw", strict=True)),
        **dict(zip("0134578", "oleastb", strict=True)),
        **{"i": "l", "\u0131": "l", "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0127": "h"},
        **{"\u00e6": "ae", "\u0153": "oe", "\u00fe": "p"},
    }
)
EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA"}


def make_skeleton(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation, with one letter for all that look like it."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(one for one in plain if unicodedata.category(one)[0] in "LN").translate(LOOK_ALIKE)
    return letters.replace("rn", "m").replace("vv", "w")


def check_name(text: str) -> str:
    """Return the name as it is stored.

    Raises:
        InvalidRequest: it is too short or too long, or has characters or words that a name may not have.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not MIN_CHARACTERS <= len(name) <= MAX_CHARACTERS:
        raise InvalidRequest(f"A name has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters. Choose another one.")
    if any(one not in PUNCTUATION and unicodedata.category(one) not in _ALLOWED for one in name):
        raise InvalidRequest("A name has letters, digits, spaces, hyphens, underscores and apostrophes only.")
    if len(_find_scripts(name)) > 1:
        raise InvalidRequest("A name has letters of one script only, for example Latin. Choose another one.")
    skeleton = make_skeleton(name)
    if len(skeleton) < MIN_CHARACTERS - 1:
        raise InvalidRequest("A name needs at least two letters or digits. Choose another one.")
    if any(make_skeleton(word) in skeleton for word in RESERVED) or skeleton.startswith(make_skeleton(NEUTRAL)):
        raise InvalidRequest("This name is reserved. Choose another one.")
    return name


_ALLOWED = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"}


def _find_scripts(name: str) -> set[str]:
    words = {unicodedata.name(one, "").split()[0] for one in name if unicodedata.category(one)[0] == "L"}
    return {"EAST ASIAN" if word in EAST_ASIAN else word for word in words}


def draw_neutral_name(attempt: int = 0) -> str:
    """Return a neutral name such as "Player 4F2A". It is random, so it says nothing about the account."""
    return f"{NEUTRAL} {secrets.token_hex(2 + attempt // 4).upper()}"
