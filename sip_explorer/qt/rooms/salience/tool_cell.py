"""A slider under its own words: the controls on the canvas's lower edge."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSlider, QVBoxLayout, QWidget


class SliderCell(QWidget):
    """A slider with what it says above it, about 15 letters wide.

    Parameters
    ----------
    name : str
        Accessible name.
    least, most, value : int
        Positions of the slider.
    words : callable
        Position -> what stands above the slider.
    tip : str

    Signals
    -------
    changed(int)
        A person moved the slider.
    """

    changed = Signal(int)

    def __init__(
        self,
        name: str,
        least: int,
        most: int,
        value: int,
        words: Callable[[int], str],
        tip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words = words
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(least, most)
        self.slider.setValue(value)
        self.slider.setAccessibleName(name)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the canvas keeps the keys
        self.text = QLabel()
        self.text.setProperty("role", "caption")
        self.setToolTip(tip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.text)
        layout.addWidget(self.slider)
        self.setFixedWidth(self.fontMetrics().averageCharWidth() * 17)
        self.slider.valueChanged.connect(self._moved)
        self._show()

    def value(self) -> int:
        """The slider's position."""
        return self.slider.value()

    def set_value(self, value: int) -> None:
        """Follow a value that came from elsewhere; announces nothing."""
        self.slider.blockSignals(True)
        self.slider.setValue(value)
        self.slider.blockSignals(False)
        self._show()

    def _moved(self, value: int) -> None:
        self._show()
        self.changed.emit(value)

    def _show(self) -> None:
        self.text.setText(self._words(self.slider.value()))
