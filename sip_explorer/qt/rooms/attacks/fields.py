"""The editors of the Attack room's inspector."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QLineEdit, QSpinBox

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.widgets.section import Row


def combo(choices: Mapping[str, str]) -> QComboBox:
    """Return a box that offers words by key (its data)."""
    box = ElidedBox()
    box.setMinimumContentsLength(12)
    fill(box, choices)
    return box


def fill(box: QComboBox, choices: Mapping[str, str]) -> None:
    """Have a box offer these words by key, and no others."""
    box.clear()
    for key, words in choices.items():
        box.addItem(words, key)


def spin(low: int, high: int, value: int) -> QSpinBox:
    """Return a box for whole numbers."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box


def track(row: Row, editor: QComboBox | QSpinBox | QLineEdit) -> None:
    """Give a row its reset mark; what the editor holds now is its default (a box: the first words)."""
    if isinstance(editor, QComboBox):
        row.track(editor.currentIndexChanged, editor.currentIndex, lambda: editor.setCurrentIndex(0), 0)
    elif isinstance(editor, QSpinBox):
        number = editor.value()
        row.track(editor.valueChanged, editor.value, lambda: editor.setValue(number), number)
    else:
        text = editor.text()
        row.track(editor.textChanged, editor.text, lambda: editor.setText(text), text)
