"""How samples are drawn: temperature, temperature of the detail, seed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QSpinBox

from sip_explorer.qt.widgets.section import Section

TEMPERATURE = 0.7


class Sampling(QObject):
    """Fills a section of the inspector; ``changed`` says that samples are to be drawn anew."""

    changed = Signal()

    def __init__(self, section: Section) -> None:
        super().__init__(section)
        self.temperature = _temperature_box("Temperature")
        row = section.add_row(
            "Temperature",
            self.temperature,
            tip="How far samples stray from the prototype's mean: 0 is the mean, 1 its distribution",
        )
        row.track(
            self.temperature.valueChanged,
            self.temperature.value,
            lambda: self.temperature.setValue(TEMPERATURE),
            TEMPERATURE,
        )
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 150)
        self._slider.setValue(round(TEMPERATURE * 100))
        self._slider.setAccessibleName("Temperature of the prototype")
        section.add_widget(self._slider)
        self.halves = _temperature_box("Detail temperature")
        row = section.add_row(
            "Detail",
            self.halves,
            tip="Temperature of the detail that the flow factors out on its way to the prototype",
        )
        row.track(
            self.halves.valueChanged,
            self.halves.value,
            lambda: self.halves.setValue(TEMPERATURE),
            TEMPERATURE,
        )
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        row = section.add_row("Seed", self.seed, tip="The same seed gives the same samples, always")
        row.track(self.seed.valueChanged, self.seed.value, lambda: self.seed.setValue(0), 0)
        self._slider.valueChanged.connect(lambda value: self.temperature.setValue(value / 100))
        self.temperature.valueChanged.connect(self._move_slider)
        for box in (self.temperature, self.halves, self.seed):
            box.valueChanged.connect(lambda _value: self.changed.emit())

    def next_seed(self) -> None:
        """Draw other samples."""
        self.seed.setValue(self.seed.value() + 1 if self.seed.value() < self.seed.maximum() else 0)

    def _move_slider(self, value: float) -> None:
        self._slider.blockSignals(True)
        self._slider.setValue(round(value * 100))
        self._slider.blockSignals(False)


def _temperature_box(name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.0, 1.5)
    box.setSingleStep(0.05)
    box.setDecimals(2)
    box.setValue(TEMPERATURE)
    box.setAccessibleName(name)
    return box
