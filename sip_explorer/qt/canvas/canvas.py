"""The salience canvas: an image, a mask over it, a brush."""

# ruff: noqa: N815

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.brush import TOOLS, BrushSize, Stroke, paint_brush_circle
from sip_explorer.qt.canvas.image_view import wheel_notches
from sip_explorer.qt.canvas.mask_view import MaskView
from sip_explorer.qt.canvas.picture import Picture


class SalienceCanvas(MaskView):
    """Paint salience on an image, with mouse and keys (`KEYS`); it knows no workspace.

    The canvas owns its mask. A finished stroke is announced as a patch; whoever keeps masks commits
    it. Undo is the keeper's: it hands patches to `apply_patch`. Whatever replaces image or mask from
    outside drops a stroke under way, so call `finish_stroke` before moving on.

    Signals
    -------
    strokeFinished(Patch, str)
        A stroke that changed something, and its tool, "brush" or "eraser".
    brushChanged(float)
        The brush's radius in image pixels.
    toolChanged(str), opacityChanged(float), zoomChanged(float)
    """

    strokeFinished = Signal(object, str)
    brushChanged = Signal(float)
    toolChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._read_only = False
        self._tool = "brush"
        self._size = BrushSize()
        self._stroke: Stroke | None = None
        self._sizing: tuple[QPointF, int] | None = None  # where Alt+drag began, and the diameter then
        super().__init__(parent)
        self.setAccessibleName("Salience canvas")

    # tools

    def set_tool(self, tool: str) -> None:
        """Choose "brush" or "eraser"; a stroke under way is finished first."""
        if tool not in TOOLS:
            raise ValueError(f"no tool {tool!r}; there are {', '.join(TOOLS)}")
        if tool != self._tool:
            self.finish_stroke()
            self._tool = tool
            self.describe()
            self.update(self._circle_rect())
            self.toolChanged.emit(tool)

    def tool(self) -> str:
        """The tool in hand."""
        return self._tool

    def set_brush_radius(self, radius: float) -> None:
        """Radius in image pixels; the diameter is whole, from 1 to twice the image's longer side."""
        self._resize_brush(lambda: self._size.set(2 * radius))

    def brush_radius(self) -> float:
        """Radius in image pixels."""
        return self._size.radius

    def step_brush(self, steps: float) -> None:
        """Make the brush larger (or smaller, below 0) by steps of a fifth."""
        self._resize_brush(lambda: self._size.step(steps))

    def set_read_only(self, read_only: bool) -> None:
        """Look but do not paint: zoom and pan work (with the left button too), brush and eraser do not."""
        self.finish_stroke()
        self._read_only = read_only
        self.choose_cursor()
        self.describe()
        self.update()

    def view_position(self, column: float, row: float) -> tuple[float, float]:
        """Where a place of the image, in image pixels, is on the widget."""
        return self.viewport.to_view(column, row)

    # strokes

    def is_stroking(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    def finish_stroke(self) -> None:
        """End a stroke under way and announce it, as releasing the button does."""
        stroke, self._stroke = self._stroke, None
        if stroke is None:
            return
        patch = stroke.finish()
        if stroke.box is not None:
            self.repaint_box(stroke.box)
        if patch is not None:
            self.strokeFinished.emit(patch, self._tool)

    def abort_stroke(self) -> None:
        """Take back a stroke under way."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None and stroke.box is not None:
            stroke.abort()
            self.repaint_box(stroke.box)

    def _continue_stroke(self, position: QPointF) -> None:
        if self._stroke is not None:
            touched = self._stroke.to(*self.viewport.to_image(position.x(), position.y()))
            if touched is not None:
                self.repaint_box(touched, under_way=True)

    # events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        if self.picture is None or self._stroke is not None or self._sizing is not None:
            return
        if not left or self.pans_with_left():
            super().mousePressEvent(event)
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._sizing = (event.position(), self._size.diameter)
        elif self._grabbed is None:
            layer = self.layer()
            self._stroke = Stroke(layer.pixels, layer.before, self._size.radius, TOOLS[self._tool])
            self._continue_stroke(event.position())
        self._point_at(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._sizing is not None:  # the circle stays where it was pressed; its rim follows the hand
            start, diameter = self._sizing
            wanted = diameter + 2 * (event.position().x() - start.x()) / self.zoom()
            self._resize_brush(lambda: self._size.set(wanted))
            return
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._continue_stroke(event.position())
        else:
            self.finish_stroke()  # the release went elsewhere
        self._point_at(event.position())
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._sizing = None
            self.finish_stroke()
        super().mouseReleaseEvent(event)
        self._point_at(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.picture is not None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.step_brush(wheel_notches(event))
            event.accept()
        elif self._stroke is None:
            super().wheelEvent(event)

    def act(self, action: str) -> bool:
        match action:
            case "brush" | "eraser":
                self.set_tool(action)
            case "smaller" | "larger":
                self.step_brush(1 if action == "larger" else -1)
            case "abort":
                if self._stroke is None:
                    return False  # somebody else's key while nothing is under way
                self.abort_stroke()
            case _:
                return self._stroke is not None or super().act(action)
        return True

    def hideEvent(self, event: Any) -> None:
        self.finish_stroke()
        self._sizing = None
        super().hideEvent(event)

    def show_picture(self, picture: Picture | None) -> None:
        self._sizing = None
        if picture is not None and self._size.suit(max(picture.width, picture.height)):
            self.brushChanged.emit(self._size.radius)
        super().show_picture(picture)

    # drawing

    def paint_front(self, painter: QPainter, exposed: QRect) -> None:
        super().paint_front(painter, exposed)
        if self._pointer is not None and self._paints():
            paint_brush_circle(
                painter, self._pointer, self._size.radius * self.zoom(), self._tool == "eraser"
            )

    def pans_with_left(self) -> bool:
        return self._space or self._read_only

    def choose_cursor(self) -> None:
        super().choose_cursor()
        if self._paints():
            self.setCursor(Qt.CursorShape.CrossCursor)

    def describe(self) -> None:
        super().describe()
        if self.picture is not None:
            doing = "read only" if self._read_only else f"{self._tool}, {self._size.diameter} pixels wide"
            self.setAccessibleDescription(f"{self.accessibleDescription()}, {doing}")

    # inside

    def _paints(self) -> bool:
        return self.picture is not None and not self.pans_with_left() and self._grabbed is None

    def _circle_rect(self) -> QRect:
        if self._pointer is None:
            return QRect()
        reach = self._size.radius * self.zoom() + 4
        corner = self._pointer - QPointF(reach, reach)
        return QRectF(corner.x(), corner.y(), 2 * reach, 2 * reach).toAlignedRect()

    def _point_at(self, position: QPointF) -> None:
        self.update(self._circle_rect())
        self._pointer = position
        self.update(self._circle_rect())

    def _resize_brush(self, change: Callable[[], bool]) -> None:
        self.update(self._circle_rect())
        if change():
            self.update(self._circle_rect())
            self.describe()
            self.brushChanged.emit(self._size.radius)
        self.caption.show_text(f"Brush {self._size.diameter} px")
