"""The row under the canvas: brush size, opacity of the overlay, the keys worth knowing."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from sip_explorer.qt.canvas import SalienceCanvas

HINT = "[ ] size · H hides · Esc aborts · Space drags"


class BrushBar(QWidget):
    """Sets the canvas's brush and opacity, and follows the brush when keys change it."""

    def __init__(self, canvas: SalienceCanvas, opacity: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._size, self._size_text = QSlider(Qt.Orientation.Horizontal), QLabel()
        self._size.setRange(1, 200)
        self._size.setAccessibleName("Brush size")
        self._opacity, self._opacity_text = QSlider(Qt.Orientation.Horizontal), QLabel()
        self._opacity.setRange(0, 100)
        self._opacity.setValue(round(opacity * 100))
        self._opacity.setAccessibleName("Overlay opacity")
        self._hint = hint = QLabel(HINT)
        hint.setProperty("role", "caption")
        hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # The first thing to give way where the window is narrow.
        hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        wide = self.fontMetrics().averageCharWidth()
        for text, slider in ((self._size_text, self._size), (self._opacity_text, self._opacity)):
            text.setProperty("role", "muted")
            text.setFixedWidth(wide * 16)
            slider.setFixedWidth(wide * 20)
            slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layout.addWidget(text)
            layout.addWidget(slider)
            layout.addSpacing(16)
        layout.addWidget(hint, 1)
        self._size.valueChanged.connect(lambda value: canvas.set_brush_radius(_radius(value)))
        self._opacity.valueChanged.connect(self._set_opacity)
        canvas.brushChanged.connect(self._show_brush)
        self._set_opacity(self._opacity.value())
        self._show_brush(canvas.brush_radius())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Whole or not at all: half a sentence helps nobody.
        fits = self._hint.width() >= self._hint.sizeHint().width()
        self._hint.setText(HINT if fits else "")

    @property
    def opacity(self) -> float:
        """Opacity of the overlay, 0 to 1."""
        return self._opacity.value() / 100

    def _set_opacity(self, percent: int) -> None:
        self._canvas.set_opacity(percent / 100)
        self._opacity_text.setText(f"Overlay {percent} %")

    def _show_brush(self, radius: float) -> None:
        self._size_text.setText(f"Brush {2 * radius:.0f} px")
        self._size.blockSignals(True)
        self._size.setValue(_position(radius))
        self._size.blockSignals(False)


def _radius(position: int) -> float:
    """Slider position 1..200 to a radius of 0.5 to about 400 pixels, geometric."""
    return float(0.5 * 1.034**position)


def _position(radius: float) -> int:
    return round(float(np.log(max(radius, 0.5) / 0.5) / np.log(1.034)))
