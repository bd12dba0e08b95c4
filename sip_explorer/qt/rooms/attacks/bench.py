"""The right side of the Attack room: one of several views, behind a switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.bench_view import BenchView
from sip_explorer.qt.widgets.segments import Segments


class Bench(QWidget):
    """Shows one view at a time, with its sections of the inspector.

    Signals
    -------
    changed()
        Another view is on show, or the job of one began or ended.
    """

    changed = Signal()

    def __init__(self, views: Sequence[BenchView], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views = tuple(views)
        self.switch = Segments([(view.word, view.tip) for view in views], wide=True)
        self.switch.setAccessibleName("Views of the bench")
        self.switch.chosen.connect(self._show)
        self._stack = QStackedWidget()
        for view in views:
            view.state_changed.connect(self.changed)
            self._stack.addWidget(view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.switch)
        layout.addWidget(self._stack, 1)
        self._show(0)

    @property
    def view(self) -> BenchView:
        """The view on show."""
        return self.views[self._stack.currentIndex()]

    def show_view(self, view: BenchView) -> None:
        """Bring a view on show."""
        self.switch.setCurrentIndex(self.views.index(view))

    def _show(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        for number, view in enumerate(self.views):
            for section in view.sections:
                section.setVisible(number == place)
        if self.isVisible():
            self.view.shown()
        self.changed.emit()
