"""A field that holds one of a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtWidgets import QComboBox

from sip_explorer.qt.rooms.training.form_field import FormField


class ChoiceField(FormField):
    """A list to choose from; each choice is a value and the words for it."""

    def __init__(self, choices: Iterable[tuple[Any, str]], default: Any) -> None:
        self._box = QComboBox()
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(4)
        super().__init__(self._box, default)
        self.set_choices(choices)
        self._box.currentIndexChanged.connect(self.changed)

    def set_choices(self, choices: Iterable[tuple[Any, str]]) -> None:
        """Offer other choices; what was chosen stays chosen where it is still there."""
        chosen = self._box.currentData() if self._box.count() else self._default
        self._box.blockSignals(True)
        self._box.clear()
        for value, words in choices:
            self._box.addItem(words, value)
        self._box.blockSignals(False)
        self.set_value(chosen if self._box.findData(chosen) >= 0 else self._default)

    def offer(self, value: Any, words: str = "") -> None:
        """Have a value among the choices, under its own words where it was not yet."""
        if self._box.findData(value) < 0:
            self._box.addItem(words or str(value), value)

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values on offer."""
        return tuple(self._box.itemData(row) for row in range(self._box.count()))

    @property
    def words(self) -> str:
        """The words for what is chosen."""
        return self._box.currentText()

    def value(self) -> Any:
        return self._box.currentData()

    def set_value(self, value: Any) -> None:
        row = self._box.findData(value)
        self._box.setCurrentIndex(max(row, 0) if self._box.count() else -1)
        self._box.setToolTip(self._box.currentText())
