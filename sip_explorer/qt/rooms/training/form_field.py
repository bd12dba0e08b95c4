"""One field of the recipe's form: an editor, and under it room for one sentence."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget


class FormField(QWidget):
    """Base of the fields. Subclasses make an editor and say what it holds.

    Signals
    -------
    changed()
        The value, or the text that is to become one, is another.
    """

    changed = Signal()

    def __init__(self, editor: QWidget, default: Any) -> None:
        super().__init__()
        self.editor = editor
        self._default = default
        self._hint = ""
        self._problem = ""
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        self._row.addWidget(editor, 1)
        layout.addLayout(self._row)
        layout.addWidget(self.note)
        self.setFocusProxy(editor)

    def value(self) -> Any:
        """Return what the editor holds, unchecked."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show ``value``."""
        raise NotImplementedError

    def own_problem(self) -> str:
        """Return the sentence of an editor that checks itself, else empty."""
        return ""

    def add_unit(self, unit: str) -> None:
        """Say after the editor what the number counts; it takes room from this field alone."""
        label = QLabel(unit)
        label.setProperty("role", "caption")
        self._row.addWidget(label)

    @property
    def default(self) -> Any:
        """What the reset mark restores."""
        return self._default

    def set_default(self, value: Any) -> None:
        """Take another default; an untouched field follows it."""
        untouched = self.is_default()
        self._default = value
        if untouched:
            self.restore()
        self.changed.emit()

    def is_default(self) -> bool:
        """Whether the field holds its default."""
        return bool(self.value() == self._default)

    def restore(self) -> None:
        """Show the default."""
        self.set_value(self._default)

    @property
    def problem(self) -> str:
        """The sentence that stands at the field, or empty."""
        return self._problem

    def show_problem(self, sentence: str) -> None:
        """Say under the editor why its value cannot stand; empty: it can."""
        if sentence != self._problem:
            self._problem = sentence
            self._refresh()

    def show_hint(self, sentence: str) -> None:
        """Say something quiet under the editor while there is no problem."""
        if sentence != self._hint:
            self._hint = sentence
            self._refresh()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.editor.setAccessibleName(name)

    def _refresh(self) -> None:
        text = self._problem or self._hint
        self.note.setText(text)
        self.note.setVisible(bool(text))
        _set(self.note, "role", "bad" if self._problem else "caption")
        _set(self.editor, "invalid", "true" if self._problem else "false")


def _set(widget: QWidget, name: str, value: str) -> None:
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
