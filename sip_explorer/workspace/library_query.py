"""What a person types to find images, read as conditions: ``boot tag:hard -split:test size>256``."""

import re
from dataclasses import dataclass

from sip_explorer.records import SipError

WORDS = ("name", "class", "tag", "split", "state", "is", "in")
NUMBERS = ("size", "width", "height", "id")
IS = ("missing", "tagged", "untagged", "unlabelled", "grey", "colour")
STATES = ("unpainted", "painted", "empty", "skipped", "checked", "unchecked", "disputed")
SPLITS = ("train", "test")

HELP = (
    "Words are looked for in names, classes and tags; all of them must be there.\n"
    "class:boot   tag:hard   name:img_2   split:test   in:“a collection”\n"
    "size>256   width<=64   height=28   id<100   (pixels of the longer side)\n"
    f"state:   {', '.join(STATES)}\n"
    f"is:   {', '.join(IS)}\n"
    "A comma means or: class:boot,sandal. A minus means not: -tag:hard."
)
"""What may be typed, for people."""

_FIXED = {"split": SPLITS, "state": STATES, "is": IS}


@dataclass(frozen=True)
class Condition:
    """One thing that images are to be.

    Attributes
    ----------
    key : str
        "" (anywhere), one of `WORDS` or of `NUMBERS`.
    compare : str
        ":" for words; "=", "<", ">", "<=" or ">=" for numbers.
    values : tuple of str
        One of them is enough.
    number : int
        What is compared with, for numbers.
    negated : bool
        Whether images are not to be so.
    """

    key: str
    compare: str
    values: tuple[str, ...]
    number: int = 0
    negated: bool = False


def read_query(text: str) -> tuple[Condition, ...]:
    """Return the conditions, of which all must hold; none for an empty text.

    Raises
    ------
    SipError
        If a part of it means nothing.
    """
    found = []
    for term in _terms(text):
        condition = _read(term)
        if condition is not None:
            found.append(condition)
    return tuple(found)


def _terms(text: str) -> list[str]:
    """Cut at blanks that stand in no quotation; a quotation that is not closed ends with the text."""
    return re.findall(r'(?:"[^"]*(?:"|$)|[^\s"])+', text.replace("“", '"').replace("”", '"'))


def _read(term: str) -> Condition | None:
    negated = term.startswith("-") and len(term) > 1
    body = term[1:] if negated else term
    match = re.match(r"([^\W\d]\w*)(:|>=|<=|>|<|=)", body)
    if match is None:
        values = _values(body, split=False)
        return Condition("", ":", values, negated=negated) if values else None
    key, compare, rest = match[1].lower(), match[2], body[match.end() :]
    if key not in (*WORDS, *NUMBERS):
        known = ", ".join(f"{word}:" for word in (*WORDS, *NUMBERS))
        raise SipError(f"“{match[1]}{compare}” means nothing here: use {known} or put it in quotation marks.")
    if key in NUMBERS:
        return _number(key, compare, rest, negated)
    if compare not in (":", "="):
        raise SipError(f"“{match[0]}” compares words: write {key}: before what is looked for.")
    values = _values(rest, split=True)
    if not values:
        choices = f", one of {', '.join(_FIXED[key])}" if key in _FIXED else ""
        raise SipError(f"“{key}:” says nothing yet: write what is looked for behind it{choices}.")
    return Condition(key, ":", tuple(_choice(key, v) for v in values), negated=negated)


def _number(key: str, compare: str, rest: str, negated: bool) -> Condition:
    compare = "=" if compare == ":" else compare
    if not re.fullmatch(r"\d{1,12}", rest.strip('"')):
        what = "an image's number" if key == "id" else "pixels"
        raise SipError(
            f"“{key}{compare}{rest}” is not complete: write {what} as a number, such as {key}>256."
        )
    return Condition(key, compare, (), int(rest.strip('"')), negated)


def _choice(key: str, value: str) -> str:
    """Check a value of which there are only some; the beginning of one is enough."""
    if key not in _FIXED:
        return value
    lowered = value.casefold()
    fits = [word for word in _FIXED[key] if word == lowered] or [
        word for word in _FIXED[key] if word.startswith(lowered)
    ]
    if not fits:
        raise SipError(f"“{key}:{value}” means nothing here: choose {', '.join(_FIXED[key])}.")
    return fits[0]


def _values(text: str, *, split: bool) -> tuple[str, ...]:
    parts = re.findall(r'(?:"[^"]*(?:"|$)|[^",])+', text) if split else [text]
    return tuple(value for part in parts if (value := part.replace('"', "").strip()))
