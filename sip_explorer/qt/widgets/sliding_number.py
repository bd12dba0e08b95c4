"""A number with a slider beside it: the slider for the hand, the box for the exact value."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget


class SlidingNumber(QWidget):
    """Slider and box show one value.

    Parameters
    ----------
    name : str
        Accessible name of both.
    low, high, value : float
        Range and first value.
    step : float
        One step of the slider and of the box; the box shows as many decimals as it needs.
    none : str
        Words that stand for ``high``, where the largest value means that there is no limit.

    Signals
    -------
    valueChanged(float)
        While one drags as well.
    """

    valueChanged = Signal(float)  # noqa: N815 - as Qt's own

    def __init__(
        self,
        name: str,
        low: float,
        high: float,
        value: float,
        *,
        step: float = 0.05,
        none: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._step = step
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(low / step), round(high / step))
        self.slider.setMinimumWidth(40)
        self.box = _Box(none)
        self.box.setRange(low, high)
        self.box.setSingleStep(step)
        self.box.setDecimals(max(0, len(f"{step:.6f}".rstrip("0").partition(".")[2])))
        widest = max((none, f"−{high:.{self.box.decimals()}f}"), key=len)
        self.box.setFixedWidth(self.fontMetrics().horizontalAdvance(widest) + 36)
        self.setFocusProxy(self.box)
        for part in (self.slider, self.box):
            part.setAccessibleName(name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.setValue(value)
        self.slider.valueChanged.connect(lambda place: self.box.setValue(place * step))
        self.box.valueChanged.connect(self._follow)

    def value(self) -> float:
        """The number."""
        return self.box.value()

    def setValue(self, value: float) -> None:
        """Change the number, and say so."""
        self.box.setValue(value)
        self._move()

    def _follow(self, value: float) -> None:
        self._move()
        self.valueChanged.emit(value)

    def _move(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(self.box.value() / self._step))
        self.slider.blockSignals(False)


class _Box(QDoubleSpinBox):
    def __init__(self, none: str) -> None:
        super().__init__()
        self._none = none

    def textFromValue(self, value: float) -> str:
        return self._none if self._none and value >= self.maximum() else super().textFromValue(value)

    def valueFromText(self, text: str) -> float:
        return self.maximum() if self._none and text.strip() == self._none else super().valueFromText(text)

    def validate(self, text: str, place: int) -> object:
        if self._none and self._none.startswith(text.strip()):
            whole = text.strip() == self._none
            return (QValidator.State.Acceptable if whole else QValidator.State.Intermediate, text, place)
        return super().validate(text, place)
