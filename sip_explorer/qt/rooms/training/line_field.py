"""A field for a number or a name, typed."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLineEdit

from sip_explorer.qt.rooms.training.form_field import FormField


class LineField(FormField):
    """Holds text; what it means is for the recipe to say.

    Parameters
    ----------
    default
        A number, a text, or None for a field that may be left empty.
    placeholder : str
        Shown while the field is empty: what an empty field means.
    """

    def __init__(self, default: Any, placeholder: str = "") -> None:
        self._line = QLineEdit()
        super().__init__(self._line, _text(default))
        self._line.setMinimumWidth(self._line.fontMetrics().averageCharWidth() * 8)
        self._line.setPlaceholderText(placeholder)
        self.set_value(default)
        self._optional = default is None
        self._line.textChanged.connect(self.changed)

    def value(self) -> str | None:
        text = self._line.text().strip()
        return None if self._optional and not text else text

    def set_value(self, value: Any) -> None:
        self._line.setText(_text(value))
        self._line.setCursorPosition(0)  # of a long text the beginning is seen

    def set_default(self, value: Any) -> None:
        super().set_default(_text(value))

    def is_default(self) -> bool:
        return bool(self._line.text().strip() == self._default)

    def set_placeholder(self, text: str) -> None:
        """Say what an empty field means."""
        self._line.setPlaceholderText(text)


def _text(value: Any) -> str:
    """Return text that is read back as the very same value, as a fraction of 255 where that is shorter."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    plain = repr(value).removesuffix(".0")
    whole = round(value * 255)
    if len(plain) > 8 and whole / 255 == value:
        return f"{whole}/255"
    return plain
