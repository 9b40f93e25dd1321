"""Key codes (`KeyboardEvent.code`) that a control can be bound to. The page's copy is generated from this list."""

import difflib
import string

LETTERS = tuple(f"Key{letter}" for letter in string.ascii_uppercase)
DIGITS = tuple(f"Digit{digit}" for digit in "1234567890")
_NUMPAD = ("Add", "Comma", "Decimal", "Divide", "Enter", "Equal", "Multiply", "Subtract")

BINDABLE_KEY_CODES = (
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "Space",
    *LETTERS,
    *DIGITS,
    *(f"Numpad{digit}" for digit in "1234567890"),
    *(f"Numpad{name}" for name in _NUMPAD),
    "ShiftLeft",
    "ShiftRight",
    "Backquote",
    "Minus",
    "Equal",
    "BracketLeft",
    "BracketRight",
    "Backslash",
    "Semicolon",
    "Quote",
    "Comma",
    "Period",
    "Slash",
    "IntlBackslash",
    "IntlRo",
    "IntlYen",
    "KanaMode",
    "Convert",
    "NonConvert",
    "Lang1",
    "Lang2",
    "Backspace",
    "Delete",
    "Insert",
    "Home",
    "End",
    "PageUp",
    "PageDown",
)

RESERVED_KEY_CODES = frozenset(
    {
        *("Escape", "Enter", "Tab", "CapsLock", "NumLock", "ScrollLock", "PrintScreen", "Pause", "ContextMenu"),
        *(f"{name}{side}" for name in ("Control", "Alt", "Meta", "OS") for side in ("Left", "Right")),
        *(f"F{number}" for number in range(1, 25)),
    }
)
"""Keys of the page (start, pause, focus) and of browsers and operating systems."""

_KNOWN = frozenset(BINDABLE_KEY_CODES)


def check_key_code(code: str) -> str:
    """Return the code.

    Raises:
        ValueError: it is unknown, or reserved by the page or by browsers.
    """
    if code in _KNOWN:
        return code
    if code in RESERVED_KEY_CODES:
        raise ValueError(f"{code!r} is reserved by the page or the browser; choose another key, such as 'KeyX'")
    by_lower = {known.lower(): known for known in (*LETTERS, *DIGITS, *BINDABLE_KEY_CODES)}
    guesses = [f"key{code.lower()}", f"digit{code.lower()}", *difflib.get_close_matches(code.lower(), by_lower, 1)]
    guess = next((by_lower[guess] for guess in guesses if guess in by_lower), None)
    hint = f"; did you mean {guess!r}?" if guess else "; the code of the A key, for example, is 'KeyA'"
    raise ValueError(f"{code!r} is not a key code (KeyboardEvent.code){hint}")
