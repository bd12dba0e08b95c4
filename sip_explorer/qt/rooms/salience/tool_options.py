"""What the tool in hand can be told: only its own controls show."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.canvas import FILLS, SalienceCanvas
from sip_explorer.qt.rooms.salience.superpixel_finder import SIZES, SuperpixelFinder
from sip_explorer.qt.rooms.salience.tool_cell import SliderCell
from sip_explorer.qt.widgets.segments import Segments

_GROWTH = 1.034
"""The brush's radius grows by this factor per position of its slider."""
_ROUND = ("brush", "eraser", "encircle")
_FILL_WORDS = {
    "mask": ("Salience", "Fill the connected region of equal salience"),
    "colour": ("Colour", "Fill the connected region of similar colour"),
}


class ToolOptions(QWidget):
    """Sets what the canvas's hand holds, and follows it when keys, wheel or pen change it."""

    def __init__(
        self, canvas: SalienceCanvas, superpixels: SuperpixelFinder, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.size_cell = SliderCell(
            "Brush size", 1, 255, 1, lambda _: f"Size {2 * canvas.brush_radius():.0f} px"
        )
        self.hardness = SliderCell(
            "Hardness",
            0,
            100,
            round(100 * canvas.hardness()),
            lambda percent: f"Hardness {percent} %",
            "The share of the brush that paints in full; beyond it the salience fades",
        )
        self.level = SliderCell(
            "Level of salience",
            0,
            100,
            round(100 * canvas.level()),
            lambda percent: f"Salience {percent} %",
            "How salient what is painted is; from 50 % on, SIP-AT leaves the pixel alone",
        )
        self.fill_by = Segments([_FILL_WORDS[name] for name in FILLS])
        self.fill_by.setAccessibleName("What the fill goes by")
        self.tolerance = SliderCell(
            "Tolerance of the fill",
            0,
            128,
            canvas.fill_tolerance(),
            lambda value: f"Tolerance {value}",
            "How far a colour may be from the one that was clicked, of 255, in each channel",
        )
        self.superpixel_size = SliderCell(
            "Size of superpixels",
            *SIZES,
            superpixels.side(),
            lambda side: f"Regions {side} px",
            "The side of a region, in pixels of the image",
        )
        self.superpixel_size.slider.setTracking(False)  # every new size is searched for
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        self._fill = _titled("Fill by", self.fill_by)
        cells = (self.size_cell, self.hardness, self.level, self._fill, self.tolerance, self.superpixel_size)
        for cell in cells:
            layout.addWidget(cell)
        self.size_cell.changed.connect(lambda position: canvas.set_brush_radius(_radius(position)))
        self.hardness.changed.connect(lambda percent: canvas.set_hardness(percent / 100))
        self.level.changed.connect(lambda percent: canvas.set_level(percent / 100))
        self.fill_by.chosen.connect(self._choose_fill)
        self.tolerance.changed.connect(canvas.set_fill_tolerance)
        self.superpixel_size.changed.connect(superpixels.set_size)
        canvas.brushChanged.connect(lambda radius: self.size_cell.set_value(_position(radius)))
        canvas.hardnessChanged.connect(lambda share: self.hardness.set_value(round(100 * share)))
        canvas.levelChanged.connect(lambda share: self.level.set_value(round(100 * share)))
        canvas.superpixelsWanted.connect(lambda: self.superpixel_size.set_value(superpixels.side()))
        canvas.toolChanged.connect(self.show_tool)
        self.size_cell.set_value(_position(canvas.brush_radius()))
        self.show_tool(canvas.tool())

    def show_tool(self, tool: str) -> None:
        """Show what this tool can be told."""
        filling = tool == "fill"
        self.size_cell.setVisible(tool in _ROUND)
        self.hardness.setVisible(tool in _ROUND)
        self.level.setVisible(tool != "eraser")
        self._fill.setVisible(filling)
        self.tolerance.setVisible(filling and self._canvas.fill_by() == "colour")
        self.superpixel_size.setVisible(tool == "superpixel")

    def _choose_fill(self, place: int) -> None:
        self._canvas.set_fill_by(FILLS[place])
        self.show_tool(self._canvas.tool())


def _titled(words: str, widget: QWidget) -> QWidget:
    """A widget under its words, as the sliders are."""
    cell, title = QWidget(), QLabel(words)
    title.setProperty("role", "caption")
    layout = QVBoxLayout(cell)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(title)
    layout.addWidget(widget)
    return cell


def _radius(position: int) -> float:
    """Slider position 1..255 to a radius of 0.5 to about 2,500 pixels, geometric."""
    return float(0.5 * _GROWTH**position)


def _position(radius: float) -> int:
    return round(math.log(max(radius, 0.5) / 0.5) / math.log(_GROWTH))
