"""How samples are drawn: temperature, temperature of the detail, truncation, seed, how many."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QSpinBox

from sip_explorer.qt.widgets.section import Section
from sip_explorer.qt.widgets.sliding_number import SlidingNumber

TEMPERATURE = 0.7
NO_LIMIT = 3.0
"""The end of the truncation slider: nothing is drawn again."""
COUNTS = (16, 36, 64, 100)


class Sampling(QObject):
    """Fills a section of the inspector.

    Signals
    -------
    changed()
        Samples are to be drawn anew.
    """

    changed = Signal()

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        self.temperature = self._number(
            section,
            "Temperature",
            SlidingNumber("Temperature of the prototype", 0, 1.5, TEMPERATURE),
            "How far samples stray from the prototype's mean: 0 is the mean, 1 its distribution",
        )
        self.halves = self._number(
            section,
            "Detail",
            SlidingNumber("Temperature of the detail", 0, 1.5, TEMPERATURE),
            "Temperature of the detail that the flow sets apart on its way to the prototype",
        )
        self.bound = self._number(
            section,
            "Truncation",
            SlidingNumber("Truncation", 0.2, NO_LIMIT, NO_LIMIT, step=0.1, none="none"),
            "Numbers farther from the mean than so many standard deviations are drawn again: "
            "fewer odd samples, less variety",
        )
        self.count = QComboBox()
        for number in COUNTS:
            self.count.addItem(str(number), number)
        self.count.currentIndexChanged.connect(self.changed)
        section.add_row("How many", self.count, tip="Samples on show")
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        row = section.add_row("Seed", self.seed, tip="The same seed gives the same samples, always")
        row.track(self.seed.valueChanged, self.seed.value, lambda: self.seed.setValue(0), 0)
        self.seed.valueChanged.connect(self.changed)

    @property
    def truncation(self) -> float | None:
        """The bound on the draws in standard deviations; None: no bound."""
        value = self.bound.value()
        return None if value >= NO_LIMIT else value

    def next_seed(self) -> None:
        """Draw other samples."""
        self.seed.setValue(self.seed.value() + 1 if self.seed.value() < self.seed.maximum() else 0)

    def _number(self, section: Section, label: str, number: SlidingNumber, tip: str) -> SlidingNumber:
        default = number.value()
        row = section.add_row(label, number, tip=tip)
        row.track(number.valueChanged, number.value, lambda: number.setValue(default), default)
        number.valueChanged.connect(self.changed)
        return number
