"""Keys as text: the portable words of Qt ("Ctrl+Shift+Z", "PgDown", "?"), read without Qt."""

from sip_explorer.records import SipError

MODIFIERS = ("Meta", "Ctrl", "Alt", "Shift")
"""In the order in which they are written."""

_NAMED = (
    *("Space", "Return", "Enter", "Backspace", "Esc", "Tab", "Ins", "Del", "Home", "End"),
    *("PgUp", "PgDown", "Left", "Right", "Up", "Down", "Pause", "Print", "Help", "Menu"),
    *(f"F{number}" for number in range(1, 36)),
)
_SPELLINGS = {name.lower(): name for name in (*_NAMED, *MODIFIERS)} | {
    "escape": "Esc",
    "delete": "Del",
    "insert": "Ins",
    "pageup": "PgUp",
    "pagedown": "PgDown",
    "control": "Ctrl",
    "cmd": "Meta",
}


def key_text(text: str) -> str:
    """Write a key the one way in which it is compared: "shift+CTRL+z" becomes "Ctrl+Shift+Z".

    Parameters
    ----------
    text
        Modifiers and one key, joined by "+"; a modifier alone is a key to be held.

    Raises
    ------
    SipError
        If this names no key.
    """
    written = text.strip() or text
    if written == "+" or written.endswith("++"):  # the plus key itself
        parts = [*written[:-2].split("+"), "+"] if len(written) > 1 else ["+"]
    else:
        parts = written.split("+")
    names = [_name(part.strip() or part) for part in parts]
    *modifiers, key = names
    alone = key not in MODIFIERS or not modifiers
    if not (key and alone and len(set(names)) == len(names) and all(name in MODIFIERS for name in modifiers)):
        raise SipError(f"“{text}” is no key: write it like B, [, F5 or Ctrl+Shift+Z.")
    return "+".join([name for name in MODIFIERS if name in modifiers] + [key])


def _name(part: str) -> str:
    if len(part) == 1 and part.isprintable() and not part.isspace():
        # Some letters have no single capital (ß): they stay as they are.
        return part.upper() if len(part.upper()) == 1 else part
    return _SPELLINGS.get(part.lower(), "")
