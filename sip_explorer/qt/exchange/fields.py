"""What both dialogues are made of."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QLabel


def choice_of(name: str, words: Mapping[str, str]) -> QComboBox:
    """Return a list of words to choose from; its data are their keys."""
    box = QComboBox()
    box.setAccessibleName(name)
    for key, text in words.items():
        box.addItem(text, key)
    return box


def field_label(words: str) -> QLabel:
    """Return what stands before a field."""
    made = QLabel(words)
    made.setProperty("role", "muted")
    return made
