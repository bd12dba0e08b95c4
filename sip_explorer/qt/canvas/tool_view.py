"""The tool in hand and its settings, over a mask."""

# ruff: noqa: N815

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Signal
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.hand import FILLS, ROUND, TOOLS, Hand
from sip_explorer.qt.canvas.mask_view import MaskView
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.records import SipError
from sip_explorer.salience.superpixels import SuperpixelIndex

_LINES = 6.0  # logical pixels beside what a gesture draws
_HARDNESS_STEP = 0.1
_LEVEL_STEP = 0.05


class ToolView(MaskView):
    """Keeps what the hand holds and shows changes of it; `SalienceCanvas` paints with it.

    Signals
    -------
    brushChanged(float)
        The brush's radius in image pixels.
    toolChanged(str), hardnessChanged(float), levelChanged(float), erasingChanged(bool)
    superpixelsWanted()
        The superpixel brush is in hand, and there are none for this picture: see `set_superpixels`.
    """

    brushChanged = Signal(float)
    toolChanged = Signal(str)
    hardnessChanged = Signal(float)
    levelChanged = Signal(float)
    erasingChanged = Signal(bool)
    superpixelsWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self.hand = Hand()
        self._superpixels: SuperpixelIndex | None = None
        super().__init__(parent)

    # tools

    def set_tool(self, tool: str) -> None:
        """Choose one of `TOOLS`; what is under way is finished first."""
        if tool not in TOOLS:
            raise ValueError(f"no tool {tool!r}; there are {', '.join(TOOLS)}")
        if tool != self.hand.tool:
            self.finish_stroke()
            self.update(self.circle_rect())
            self.hand.tool = tool
            self.describe()
            self.update(self.circle_rect())
            self.toolChanged.emit(tool)
            self.want_superpixels()

    def tool(self) -> str:
        """The tool in hand."""
        return self.hand.tool

    def set_erasing(self, erasing: bool) -> None:
        """Let any tool erase for now; what is under way goes on as it began."""
        if erasing != self.hand.erasing:
            self.hand.erasing = erasing
            self.update(self.circle_rect())
            self.describe()
            self.erasingChanged.emit(erasing)

    def erasing(self) -> bool:
        """Whether any tool erases for now."""
        return self.hand.erasing

    # the round tip

    def set_brush_radius(self, radius: float) -> None:
        """Radius in image pixels; the diameter is whole, from 1 to twice the image's longer side."""
        self.resize_brush(lambda: self.hand.size.set(2 * radius))

    def brush_radius(self) -> float:
        """Radius in image pixels."""
        return self.hand.size.radius

    def step_brush(self, steps: float) -> None:
        """Make the brush larger (or smaller, below 0) by steps of a fifth."""
        self.resize_brush(lambda: self.hand.size.step(steps))

    def set_hardness(self, hardness: float) -> None:
        """0..1: the share of the radius within which a round tip paints in full."""
        hardness = min(max(float(hardness), 0.0), 1.0)
        if hardness != self.hand.hardness:
            self.hand.hardness = hardness
            self.update(self.circle_rect())
            self.hardnessChanged.emit(hardness)
        self.caption.show_text(f"Hardness {100 * hardness:.0f} %")

    def hardness(self) -> float:
        """0..1: the share of the radius within which a round tip paints in full."""
        return self.hand.hardness

    def set_level(self, level: float) -> None:
        """0..1: the salience that is painted."""
        level = min(max(float(level), 0.0), 1.0)
        if level != self.hand.level:
            self.hand.level = level
            self.describe()
            self.levelChanged.emit(level)
        self.caption.show_text(f"Salience {100 * level:.0f} %")

    def level(self) -> float:
        """0..1: the salience that is painted."""
        return self.hand.level

    def set_pressure(self, size: bool, level: bool) -> None:
        """Choose what the pressure of a pen scales: the size of a round tip, its level, both or neither."""
        self.hand.pen_sizes, self.hand.pen_levels = size, level

    # fill and superpixels

    def set_fill_by(self, what: str) -> None:
        """Let the fill go by equal values of the "mask" or by similar "colour" of the picture."""
        if what not in FILLS:
            raise ValueError(f"a fill goes by {' or '.join(FILLS)}, not {what!r}")
        self.hand.fill_by = what

    def fill_by(self) -> str:
        """What the fill goes by, "mask" or "colour"."""
        return self.hand.fill_by

    def set_fill_tolerance(self, tolerance: int) -> None:
        """How far a colour may be from the one that was clicked, 0..255 per channel."""
        self.hand.tolerance = min(max(int(tolerance), 0), 255)

    def fill_tolerance(self) -> int:
        """How far a colour may be from the one that was clicked, 0..255 per channel."""
        return self.hand.tolerance

    def set_superpixels(self, found: NDArray[np.int32] | SuperpixelIndex | None) -> None:
        """Take the superpixels of the picture: int32 (H, W) labels, or their index made elsewhere.

        Raises
        ------
        SipError
            If they are of another size than the picture.
        """
        index = SuperpixelIndex(found) if isinstance(found, np.ndarray) else found
        if index is not None and not (self.picture is not None and _fits(index, self.picture)):
            raise SipError("These superpixels are those of another image: compute them anew.")
        self._superpixels = index

    def has_superpixels(self) -> bool:
        """Whether the superpixel brush has what it needs."""
        return self._superpixels is not None

    def want_superpixels(self) -> None:
        """Ask for superpixels where the tool in hand needs them."""
        if self.hand.tool == "superpixel" and self.picture is not None and self._superpixels is None:
            self.superpixelsWanted.emit()

    # for subclasses

    def finish_stroke(self) -> None:
        """End what is under way and keep it."""

    def show_picture(self, picture: Picture | None) -> None:
        self._superpixels = None
        if picture is not None and self.hand.size.suit(max(picture.width, picture.height)):
            self.brushChanged.emit(self.hand.size.radius)
        super().show_picture(picture)
        self.want_superpixels()

    def act(self, action: str) -> bool:
        match action:
            case "smaller" | "larger":
                self.step_brush(1 if action == "larger" else -1)
            case "softer" | "harder":
                self.set_hardness(_stepped(self.hand.hardness, _HARDNESS_STEP, action == "harder"))
            case "level_down" | "level_up":
                self.set_level(_stepped(self.hand.level, _LEVEL_STEP, action == "level_up"))
            case "erasing":
                self.set_erasing(True)
            case _ if action in TOOLS:
                self.set_tool(action)
            case _:
                return super().act(action)
        return True

    def release(self, action: str) -> bool:
        if action == "erasing":
            self.set_erasing(False)
            return True
        return super().release(action)

    def describe(self) -> None:
        super().describe()
        if self.picture is not None:
            size = f", {self.hand.size.diameter} pixels wide" if self.hand.tool in ROUND else ""
            level = "" if self.hand.level == 1 else f", salience {100 * self.hand.level:.0f} %"
            erasing = ", erasing" if self.hand.erasing else ""
            doing = self.doing() or f"{self.hand.tool}{size}{level}{erasing}"
            self.setAccessibleDescription(f"{self.accessibleDescription()}, {doing}")

    def doing(self) -> str:
        """What is said instead of the tool, empty where the tool can be used."""
        return ""

    def circle_rect(self) -> QRect:
        """Where the brush's circle is drawn."""
        if self._pointer is None or self.hand.tool not in ROUND:
            return QRect()
        reach = self.hand.size.radius * self.zoom() + 4
        corner = self._pointer - QPointF(reach, reach)
        return QRectF(corner.x(), corner.y(), 2 * reach, 2 * reach).toAlignedRect()

    def drawn_rect(self, rect: QRectF) -> QRect:
        """Where a rectangle of the image lies in the view, with room for lines and corners drawn along it."""
        place = QRectF(QPointF(*self.viewport.to_view(rect.x(), rect.y())), rect.size() * self.zoom())
        return place.adjusted(-_LINES, -_LINES, _LINES, _LINES).toAlignedRect()

    def resize_brush(self, change: Callable[[], bool]) -> None:
        """Let `change` resize the brush, and show it."""
        self.update(self.circle_rect())
        if change():
            self.update(self.circle_rect())
            self.describe()
            self.brushChanged.emit(self.hand.size.radius)
        self.caption.show_text(f"Brush {self.hand.size.diameter} px")


def _stepped(share: float, step: float, up: bool) -> float:
    """The next whole step of a share of 1."""
    return round(share / step + (1 if up else -1)) * step


def _fits(index: SuperpixelIndex, picture: Picture) -> bool:
    """Whether the last pixel of the picture is the last that has a superpixel."""
    right, bottom = picture.width - 0.5, picture.height - 0.5
    beyond = index.region_at(right + 1, 0) or index.region_at(0, bottom + 1)
    return index.region_at(right, bottom) is not None and beyond is None
