"""Epsilon as people write it: 8/255 or 0.0314, always shown as both."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from sip_explorer.records.epsilon import format_epsilon, in_255ths, parse_epsilon


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
