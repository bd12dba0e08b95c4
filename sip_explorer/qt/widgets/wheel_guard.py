"""The wheel scrolls the column that it is over, and changes only the field that someone is in."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QSlider,
    QWidget,
)

_FIELDS = (QAbstractSpinBox, QComboBox, QSlider)


class WheelGuard(QObject):
    """Fields of ``column`` leave the wheel to it unless they have the focus; the wheel does not give it."""

    def __init__(self, column: QAbstractScrollArea) -> None:
        super().__init__(column)
        self._column = column
        self._guarded: set[QWidget] = set()

    def guard(self, widgets: list[QWidget]) -> None:
        """Take care of those of ``widgets`` that are fields; doing it twice changes nothing."""
        for widget in widgets:
            if isinstance(widget, _FIELDS) and widget not in self._guarded:
                self._guarded.add(widget)
                if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                widget.installEventFilter(self)
                widget.destroyed.connect(lambda *_, gone=widget: self._guarded.discard(gone))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            QApplication.sendEvent(self._column.viewport(), event)
            return True
        return False
