"""The trade between clean and robust accuracy, under one attack at one epsilon."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.rooms.attacks.evaluate.scatter import Dot, ScatterPlot
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records.robust_table import Column, RobustTable


class ScatterPane(QWidget):
    """A dot per row of a `RobustTable`; a box chooses the attack."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = RobustTable((), "everywhere")
        self._epsilon = 0.0
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.attack = ElidedBox()
        self.attack.setAccessibleName("Attack of the robust accuracy")
        self.attack.activated.connect(self._draw)
        self.plot = ScatterPlot()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.attack)
        layout.addWidget(self.plot, 1)

    def show_table(self, table: RobustTable, epsilon: float, words: str) -> None:
        """Show these figures at one epsilon; ``words`` say what they are."""
        self._table, self._epsilon = table, epsilon
        self.title.setText(words)
        before = self.attack.currentData()
        self.attack.clear()
        there = {column.attack for column in table.columns}
        for name, attack in ATTACKS.items():
            if name in there:
                self.attack.addItem(attack, name)
        # The strongest that there is, until a person chooses.
        last = self.attack.count() - 1
        self.attack.setCurrentIndex(self.attack.findData(before) if before in there else last)
        self._draw()

    def _draw(self, *_: object) -> None:
        column = Column(self.attack.currentData() or "", self._epsilon)
        dots = []
        for model in self._table.models:
            clean, robust = self._table.entry(model, Column()), self._table.entry(model, column)
            if clean is not None and robust is not None:
                dots.append(Dot(model, clean, robust))
        self.plot.show_dots(dots)
