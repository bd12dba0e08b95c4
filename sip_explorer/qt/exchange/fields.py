"""What the dialogues are made of."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton


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


def link_button(words: str) -> QPushButton:
    """Return a button that looks like a sentence: another way to do what the dialogue does."""
    made = QPushButton(words)
    made.setProperty("role", "link")
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made
