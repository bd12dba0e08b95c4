"""The column at the right: sections of parameters in the order one thinks of them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from sip_explorer.qt.widgets.section import Section
from sip_explorer.qt.widgets.wheel_guard import WheelGuard


class Inspector(QScrollArea):
    """A scrolling column of sections, about 40 figures wide."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("0") * 40)
        column = QWidget()
        column.setProperty("role", "surface")
        # One long word (a class, a path) must not push the editors beside it out of sight.
        column.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._layout = QVBoxLayout(column)
        self._layout.setContentsMargins(16, 12, 16, 12)
        self._layout.setSpacing(12)
        self._layout.addStretch(1)
        self.setWidget(column)
        self._wheel = WheelGuard(self)

    def add_section(self, title: str, *, folded: bool = False) -> Section:
        """Add a section at the bottom and return it."""
        section = Section(title, folded=folded)
        self._layout.insertWidget(self._layout.count() - 1, section)
        return section

    def add_widget(self, widget: QWidget) -> None:
        """Add any widget at the bottom."""
        self._layout.insertWidget(self._layout.count() - 1, widget)

    def showEvent(self, event: QShowEvent) -> None:
        self._wheel.guard(self.findChildren(QWidget))
        super().showEvent(event)
