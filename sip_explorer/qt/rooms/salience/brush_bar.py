"""The row under the canvas: what the tool in hand can be told, and the opacity of the overlay."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QHBoxLayout, QWidget

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.qt.rooms.salience.tool_cell import SliderCell

_GROWTH = 1.034
"""The brush's radius grows by this factor per position of its slider."""


class BrushBar(QWidget):
    """Sets the canvas's brush and opacity, and follows the brush when keys change it."""

    def __init__(self, canvas: SalienceCanvas, opacity: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.size_cell = SliderCell(
            "Brush size", 1, 240, 1, lambda _: f"Brush {2 * canvas.brush_radius():.0f} px"
        )
        self.opacity_cell = SliderCell(
            "Overlay opacity", 0, 100, round(opacity * 100), lambda percent: f"Overlay {percent} %"
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.size_cell)
        layout.addStretch(1)
        layout.addWidget(self.opacity_cell)
        self.size_cell.changed.connect(lambda position: canvas.set_brush_radius(_radius(position)))
        self.opacity_cell.changed.connect(lambda percent: canvas.set_opacity(percent / 100))
        canvas.brushChanged.connect(lambda radius: self.size_cell.set_value(_position(radius)))
        canvas.set_opacity(opacity)
        self.size_cell.set_value(_position(canvas.brush_radius()))

    @property
    def opacity(self) -> float:
        """Opacity of the overlay, 0 to 1."""
        return self.opacity_cell.value() / 100


def _radius(position: int) -> float:
    """Slider position 1..240 to a radius of 0.5 to about 1,500 pixels, geometric."""
    return float(0.5 * _GROWTH**position)


def _position(radius: float) -> int:
    return round(math.log(max(radius, 0.5) / 0.5) / math.log(_GROWTH))
