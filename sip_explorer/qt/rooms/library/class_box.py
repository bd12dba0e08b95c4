"""The class of what is chosen: one of the list, or a new one that is typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from sip_explorer.qt.widgets.modest_field import ModestField

_NO_CLASS = "No class"


class ClassBox(QComboBox):
    """Offers the classes.

    Signals
    -------
    given(object)
        The name of a class, or None for no class.
    """

    given = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditable(True)
        field = ModestField()
        field.setStyleSheet("border: none; padding: 0; background: transparent;")
        self.setLineEdit(field)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setMaxVisibleItems(20)
        self.setAccessibleName("Class")
        self.setToolTip("Choose a class, or type a new one and press Enter")
        self._classes: tuple[str, ...] = ()
        self._shown = ""
        self.activated.connect(self._picked)
        self.lineEdit().returnPressed.connect(self._typed)

    def show_class(self, classes: Sequence[str], current: str | None, many: int = 1) -> None:
        """Offer ``classes``; ``current`` is that of all chosen images, "" for none, None if they differ."""
        if tuple(classes) != self._classes:
            self._classes = tuple(classes)
            self.clear()
            self.addItem(_NO_CLASS, None)
            for name in classes:
                self.addItem(name, name)
        place = 0 if current == "" else self.findData(current) if current is not None else -1
        self.setCurrentIndex(place)
        self._shown = self.itemText(place) if place >= 0 else ""
        self.setEditText(self._shown)
        self.lineEdit().setCursorPosition(0)  # the beginning of a long name
        self.lineEdit().setPlaceholderText(f"{many} classes" if current is None else "")

    def focus(self) -> None:
        """Begin to type."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.lineEdit().selectAll()

    def _picked(self, place: int) -> None:
        if self.itemText(place) != self._shown:
            self._shown = self.itemText(place)
            self.given.emit(self.itemData(place))

    def _typed(self) -> None:
        words = " ".join(self.currentText().split())
        if not words or words == self._shown:
            return
        place = self.findText(words, Qt.MatchFlag.MatchFixedString)  # capitals aside
        if place >= 0:
            self._picked(place)
        else:
            self._shown = words
            self.given.emit(words)
