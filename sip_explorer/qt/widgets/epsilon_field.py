"""Epsilon as people write it: 8/255 or 0.0314, always shown as both."""

import math
import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

_FRACTION = re.compile(r"^\s*([0-9]*\.?[0-9]+)\s*/\s*255\s*$")


def parse_epsilon(text: str) -> float:
    """Return epsilon in [0, 1] from ``n/255`` or a plain fraction.

    Raises
    ------
    ValueError
        With a sentence, where the text is neither or lies outside [0, 1].
    """
    fraction = _FRACTION.match(text)
    try:
        value = float(fraction[1]) / 255 if fraction else float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"Epsilon “{text}” is not a number: write 8/255 or 0.031.") from None
    if not math.isfinite(value) or not 0 <= value <= 1:
        raise ValueError(f"Epsilon {text} lies outside 0 to 1: write 8/255 or 0.031.")
    return value


def parse_epsilons(text: str) -> tuple[float, ...]:
    """Return the epsilons of a comma- or space-separated list, ascending and without repeats."""
    parts = [part for part in re.split(r"[;,\s]+", re.sub(r"\s*/\s*", "/", text.strip())) if part]
    if not parts:
        raise ValueError("No epsilon is given: write for example 0, 2/255, 8/255.")
    return tuple(sorted({parse_epsilon(part) for part in parts}))


def format_epsilon(value: float) -> str:
    """Return epsilon in 255ths and as a fraction: ``8/255 = 0.0314``."""
    return f"{in_255ths(value)} = {value:.4g}"


def in_255ths(value: float) -> str:
    """Return epsilon as n/255, with one decimal where n is not whole."""
    n = value * 255
    return f"{n:.0f}/255" if abs(n - round(n)) < 0.005 else f"{n:.1f}/255"


class EpsilonField(QWidget):
    """A line edit for epsilon with both readings under it. ``value_changed`` carries a valid value only."""

    value_changed = Signal(float)

    def __init__(self, value: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = value
        self._edit = QLineEdit(in_255ths(value) if _whole(value) else f"{value:g}")
        self._edit.setAccessibleName("Epsilon")
        self._note = QLabel()
        self._note.setProperty("role", "caption")
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._edit)
        layout.addWidget(self._note)
        self.setFocusProxy(self._edit)
        self._edit.textChanged.connect(self._read)
        self._show(None)

    @property
    def value(self) -> float:
        """The last valid epsilon."""
        return self._value

    @property
    def problem(self) -> str:
        """The sentence that says why the text is no epsilon, or empty."""
        try:
            parse_epsilon(self._edit.text())
        except ValueError as error:
            return str(error)
        return ""

    def set_value(self, value: float) -> None:
        """Show ``value``; emits ``value_changed`` if it is another one."""
        self._edit.setText(in_255ths(value) if _whole(value) else f"{value:g}")

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self._edit.setAccessibleName(name)

    def _read(self) -> None:
        problem = self.problem
        self._show(problem)
        if not problem:
            value = parse_epsilon(self._edit.text())
            if value != self._value:
                self._value = value
                self._show(None)
                self.value_changed.emit(value)

    def _show(self, problem: str | None) -> None:
        self._note.setText(problem or format_epsilon(self._value))
        for widget, name, value in (
            (self._edit, "invalid", "true" if problem else "false"),
            (self._note, "role", "bad" if problem else "caption"),
        ):
            if widget.property(name) != value:
                widget.setProperty(name, value)
                widget.style().unpolish(widget)
                widget.style().polish(widget)


def _whole(value: float) -> bool:
    return abs(value * 255 - round(value * 255)) < 1e-6
