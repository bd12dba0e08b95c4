"""The epsilon of the form; the shared epsilon editor says itself what is wrong with its text."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit

from sip_explorer.qt.rooms.training.form_field import FormField
from sip_explorer.qt.widgets.epsilon_field import EpsilonField


class EpsilonFormField(FormField):
    """Wraps `EpsilonField`; ``value`` is the last valid epsilon."""

    def __init__(self, default: float) -> None:
        self._field = EpsilonField(default)
        super().__init__(self._field, default)
        line = self._field.focusProxy()
        assert isinstance(line, QLineEdit)
        line.textChanged.connect(self.changed)  # also while the text is no epsilon

    def value(self) -> float:
        return self._field.value

    def set_value(self, value: float) -> None:
        self._field.set_value(value)

    def is_default(self) -> bool:
        return not self._field.problem and abs(self._field.value - self._default) < 1e-9

    def own_problem(self) -> str:
        return self._field.problem

    def show_problem(self, sentence: str) -> None:
        # The editor shows its own sentence; here only what the recipe says beyond it.
        super().show_problem("" if self._field.problem else sentence)
