"""What one field of a recipe may hold, and the sentence that says why a value may not stand there."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field as DataclassField
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | bool | None

_LARGEST = 10**9  # of a whole number that names no maximum: far beyond use, far within 64 bits
_SHOWN = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class FieldRule:
    """The rule of one recipe field: a form can be built from it, and every value is checked by it.

    ``kind`` is "choice", "text", "switch", "whole" (integer) or "number"; ``minimum`` and
    ``maximum`` are inclusive unless ``open_minimum`` or ``open_maximum``; ``optional`` fields may be
    left out (None). A text may have to match ``pattern`` (its ``help`` says what that means), or be
    one of a long list that ``known`` returns. ``source`` says which paper the field is of, with that
    paper's value, or that it is ours; empty where there is nothing to tell.
    """

    kind: str
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf
    open_minimum: bool = False
    open_maximum: bool = False
    optional: bool = False
    pattern: str = ""
    known: Callable[[], tuple[str, ...]] | None = None
    source: str = ""

    def parse(self, name: str, value: Any) -> Value:
        """Return ``value`` in the type of the field.

        Numbers may be written as a fraction ("8/255").

        Raises
        ------
        ValueError
            With one sentence that names the field, where the value cannot stand there.
        """
        if value is None and self.optional:
            return None
        if self.kind == "switch":
            return _switch(name, value)
        if self.kind in ("choice", "text"):
            return self._text(name, value)
        return self._number(name, value)

    def _text(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {_shown(value)}.")
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{name} is {_shown(value)}; choose one of {', '.join(self.choices)}.")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise ValueError(f"{name} is {_shown(value)}; give {self.help}.")
        if self.known is not None and value not in self.known():
            such = f"choose another, such as {', '.join(self.known()[:3])}."
            raise ValueError(
                f"{name} is {_shown(value)}, which is not known; {nearest(value, self.known(), such)}"
            )
        return value

    def _number(self, name: str, value: Any) -> int | float:
        number = _as_number(value)
        what = "a whole number" if self.kind == "whole" else "a number"
        if number is None:
            raise ValueError(f"{name} must be {what}{self._of_unit()}, not {_shown(value)}.")
        if not math.isfinite(number):
            raise ValueError(f"{name} is {_shown(value)}; give a finite number {self.range_text()}.")
        if self.kind == "whole" and number != int(number):
            raise ValueError(f"{name} must be a whole number{self._of_unit()}, not {_shown(value)}.")
        below = number < self.minimum or (self.open_minimum and number == self.minimum)
        if below or number > self.maximum or (self.open_maximum and number == self.maximum):
            raise ValueError(f"{name} is {_shown(value)}; give {what} {self.range_text()}.")
        return int(number) if self.kind == "whole" else float(number)

    def range_text(self) -> str:
        """Return the allowed range in words, with the unit."""
        least, most = f"{self.minimum:.10g}", f"{self.maximum:.10g}"
        if math.isfinite(self.minimum) and math.isfinite(self.maximum):
            above, below = "above" if self.open_minimum else "from", "below " if self.open_maximum else ""
            text = f"{above} {least} to {below}{most}"
        elif math.isfinite(self.minimum):
            text = f"above {least}" if self.open_minimum else f"of at least {least}"
        else:
            text = "of any size"
        return text + self._of_unit()

    @property
    def comment(self) -> str:
        """Unit and source, as a recipe's file tells them; empty where there is neither."""
        return "; ".join(part for part in (self.unit, self.source) if part)

    def _of_unit(self) -> str:
        return f" ({self.unit})" if self.unit else ""


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return "did you mean …?" with what comes nearest to ``word``, ``otherwise`` where nothing does."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {_shown(value)}.")
    return value


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            top, *bottom = value.split("/")
            return float(top) / float(bottom[0]) if len(bottom) == 1 else float(value)
        return float(value) if isinstance(value, int | float) else None
    except (ValueError, ZeroDivisionError):
        return None
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def choice(default: str, choices: tuple[str, ...], help: str, *, source: str = "") -> Any:
    """Return a dataclass field that holds one of ``choices``."""
    return _declare(default, FieldRule("choice", help, choices=choices, source=source))


def text(
    default: str,
    help: str,
    *,
    pattern: str = "",
    known: Callable[[], tuple[str, ...]] | None = None,
    source: str = "",
) -> Any:
    """Return a dataclass field that holds text."""
    return _declare(default, FieldRule("text", help, pattern=pattern, known=known, source=source))


def switch(default: bool, help: str, *, source: str = "") -> Any:
    """Return a dataclass field that is on or off."""
    return _declare(default, FieldRule("switch", help, source=source))


def whole(
    default: int, minimum: int, help: str, unit: str = "", *, maximum: int = _LARGEST, source: str = ""
) -> Any:
    """Return a dataclass field that holds an integer."""
    rule = FieldRule("whole", help, unit, minimum=minimum, maximum=maximum, source=source)
    return _declare(default, rule)


def number(
    default: float | None,
    minimum: float,
    maximum: float,
    help: str,
    unit: str = "",
    *,
    open_minimum: bool = False,
    open_maximum: bool = False,
    optional: bool = False,
    source: str = "",
) -> Any:
    """Return a dataclass field that holds a finite number."""
    rule = FieldRule(
        "number", help, unit, minimum=minimum, maximum=maximum, open_minimum=open_minimum,
        open_maximum=open_maximum, optional=optional, source=source,
    )  # fmt: skip
    return _declare(default, rule)


def rule_of(declared: "DataclassField[Any]") -> FieldRule:
    """Return the rule that a dataclass field was declared with."""
    rule: Mapping[Any, Any] = declared.metadata
    found: FieldRule = rule["rule"]
    return found


def _declare(default: Value, rule: FieldRule) -> Any:
    return field(default=default, metadata={"rule": rule})
