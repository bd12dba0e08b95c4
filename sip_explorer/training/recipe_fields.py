"""What one field of a recipe may hold, and the sentence that says why a value may not stand there."""

import math
from collections.abc import Mapping
from dataclasses import Field as DataclassField
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Value = str | int | float | bool | None


@dataclass(frozen=True)
class FieldRule:
    """The rule of one recipe field: a form can be built from it, and every value is checked by it.

    ``kind`` is "choice", "text", "switch", "whole" (integer) or "number"; ``minimum`` and
    ``maximum`` are inclusive unless ``open_minimum``; ``optional`` fields may be left out (None).
    """

    kind: str
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf
    open_minimum: bool = False
    optional: bool = False

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
            raise ValueError(f"{name} must be text, not {value!r}.")
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{name} is {value!r}; choose one of {', '.join(self.choices)}.")
        return value

    def _number(self, name: str, value: Any) -> int | float:
        number = _as_number(value)
        what = "a whole number" if self.kind == "whole" else "a number"
        if number is None:
            raise ValueError(f"{name} must be {what}{self._of_unit()}, not {value!r}.")
        if not math.isfinite(number):
            raise ValueError(f"{name} is {value!r}; give a finite number {self.range_text()}.")
        if self.kind == "whole" and number != int(number):
            raise ValueError(f"{name} must be a whole number{self._of_unit()}, not {value!r}.")
        if number < self.minimum or number > self.maximum or (self.open_minimum and number == self.minimum):
            raise ValueError(f"{name} is {value!r}; give {what} {self.range_text()}.")
        return int(number) if self.kind == "whole" else float(number)

    def range_text(self) -> str:
        """Return the allowed range in words, with the unit."""
        if math.isfinite(self.minimum) and math.isfinite(self.maximum):
            above = "above" if self.open_minimum else "from"
            text = f"{above} {self.minimum:g} to {self.maximum:g}"
        elif math.isfinite(self.minimum):
            text = f"above {self.minimum:g}" if self.open_minimum else f"of at least {self.minimum:g}"
        else:
            text = "of any size"
        return text + (f" ({self.unit})" if self.unit else "")

    def _of_unit(self) -> str:
        return f" ({self.unit})" if self.unit else ""


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}.")
    return value


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(Fraction(value.replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            return None
    return None


def choice(default: str, choices: tuple[str, ...], help: str) -> Any:
    """Return a dataclass field that holds one of ``choices``."""
    return _declare(default, FieldRule("choice", help, choices=choices))


def text(default: str, help: str) -> Any:
    """Return a dataclass field that holds any text."""
    return _declare(default, FieldRule("text", help))


def switch(default: bool, help: str) -> Any:
    """Return a dataclass field that is on or off."""
    return _declare(default, FieldRule("switch", help))


def whole(default: int, minimum: int, help: str, unit: str = "", maximum: float = math.inf) -> Any:
    """Return a dataclass field that holds an integer."""
    return _declare(default, FieldRule("whole", help, unit, minimum=minimum, maximum=maximum))


def number(
    default: float | None,
    minimum: float,
    maximum: float,
    help: str,
    unit: str = "",
    *,
    open_minimum: bool = False,
    optional: bool = False,
) -> Any:
    """Return a dataclass field that holds a finite number."""
    rule = FieldRule(
        "number", help, unit, minimum=minimum, maximum=maximum, open_minimum=open_minimum, optional=optional
    )
    return _declare(default, rule)


def rule_of(declared: "DataclassField[Any]") -> FieldRule:
    """Return the rule that a dataclass field was declared with."""
    rule: Mapping[Any, Any] = declared.metadata
    found: FieldRule = rule["rule"]
    return found


def _declare(default: Value, rule: FieldRule) -> Any:
    return field(default=default, metadata={"rule": rule})
