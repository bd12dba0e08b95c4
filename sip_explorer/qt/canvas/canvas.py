"""The salience canvas: an image, a mask over it, and the hand that paints."""

# ruff: noqa: N815

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPointingDevice, QSinglePointEvent, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.cursor import paint_brush_circle
from sip_explorer.qt.canvas.hand import ROUND, Hand
from sip_explorer.qt.canvas.hover import HoveredRegion
from sip_explorer.qt.canvas.image_view import wheel_notches
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.tool_view import ToolView
from sip_explorer.qt.canvas.tools import GESTURES, Gesture, Ground, Touch
from sip_explorer.salience import Box, Patch
from sip_explorer.state.keymap import Keymap

_NEAR = 6.0  # logical pixels within which two clicks are at one place


class SalienceCanvas(ToolView):
    """Paint salience on an image, with mouse, pen and keys; it knows no workspace.

    The canvas owns its mask. A finished stroke is announced as a patch; whoever keeps masks commits
    it. Undo is the keeper's: it hands patches to `apply_patch`. Whatever replaces image or mask as
    a whole drops a stroke under way, so call `finish_stroke` before moving on.

    Parameters
    ----------
    keymap : Keymap, optional
        Which key does what; by default the keys that every program starts with.

    Signals
    -------
    strokeFinished(Patch, str)
        Something was painted, and with which tool ("eraser" for a brush that erased).
    """

    strokeFinished = Signal(object, str)

    def __init__(self, keymap: Keymap | None = None, parent: QWidget | None = None) -> None:
        self._read_only = False
        self._gesture: Gesture | None = None
        self._button = Qt.MouseButton.NoButton  # the one that is down for the gesture
        self._by_pen = False  # whether a pen pressed it: a mouse that is touched meanwhile is no hand
        self._sizing: tuple[QPointF, int] | None = None  # where Alt+drag began, and the diameter then
        self._touched = QRect()  # of the view: what the last step of the gesture painted
        self._hovered = HoveredRegion()
        super().__init__(parent)
        if keymap is not None:
            self.keymap = keymap
        self.setAccessibleName("Salience canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_TabletTracking)

    def set_read_only(self, read_only: bool) -> None:
        """Look but do not paint: zoom and pan work (with the left button too), the tools do not."""
        self.finish_stroke()
        self._read_only = read_only
        self.choose_cursor()
        self.describe()
        self.update()

    # gestures

    def is_stroking(self) -> bool:
        """Whether something is under way."""
        return self._gesture is not None

    def finish_stroke(self) -> None:
        """End what is under way and announce it, as releasing the button does; a polygon is closed."""
        gesture, self._gesture = self._gesture, None
        if gesture is None:
            return
        patch = gesture.finish()
        self._leave(gesture)
        if patch is not None:
            self.strokeFinished.emit(patch, gesture.name)

    def abort_stroke(self) -> None:
        """Take back what is under way."""
        gesture, self._gesture = self._gesture, None
        if gesture is not None:
            gesture.abort()
            self._leave(gesture)

    def apply_patch(self, patch: Patch, forward: bool = True) -> None:
        """Apply a patch, or take it back, under a stroke that is under way. Emits nothing."""
        layer, (y0, x0, y1, x1) = self.layer(), patch.box
        pixels, before = layer.pixels[y0:y1, x0:x1], layer.before[y0:y1, x0:x1]
        drawn = pixels != before if self.is_stroking() else None
        stroke = None if drawn is None else pixels[drawn]
        for mask in (layer.before, layer.pixels):
            (patch.apply if forward else patch.revert)(mask)
        if drawn is not None:
            pixels[drawn] = stroke
        self.repaint_box(patch.box)

    def _leave(self, gesture: Gesture) -> None:
        self._button = Qt.MouseButton.NoButton
        if gesture.box is not None:
            self.repaint_box(gesture.box)
        if type(gesture).paint_front is not Gesture.paint_front:
            self.update()

    def _begin(self, tool: str, erasing: bool) -> Gesture:
        assert self.picture is not None
        layer, hand = self.layer(), self.hand
        now = Hand(**(vars(hand) | {"tool": tool, "erasing": erasing}))
        self.want_superpixels()
        ground = Ground(layer.pixels, layer.before, self.picture.pixels, self._superpixels)
        self._gesture = GESTURES[tool](ground, now)
        return self._gesture

    def _paint(self, touched: Box | None, gesture: Gesture, front: list[QRectF]) -> None:
        """Show what a step of the gesture changed."""
        if touched is not None:
            self.repaint_box(touched, under_way=True)
            self._touched = self.view_rect(touched)
        for rect in (*front, *gesture.front()):
            self.update(self.drawn_rect(rect))
        if gesture.done:
            self.finish_stroke()

    def _touch(self, event: QSinglePointEvent) -> Touch:
        at = event.position()
        pressure = event.pressure() if isinstance(event, QTabletEvent) else None
        return Touch(*self.viewport.to_image(at.x(), at.y()), pressure, _NEAR / self.zoom())

    # the hand: mouse and pen alike

    def _press(self, event: QSinglePointEvent) -> None:
        button, modifiers = event.button(), event.modifiers()
        left, right = button == Qt.MouseButton.LeftButton, button == Qt.MouseButton.RightButton
        if self._of_other_hand(event):
            self.finish_stroke()
        busy = self._gesture is not None and not self._gesture.spans_clicks
        if self.picture is None or busy or self._button or self._sizing is not None:
            return
        if not (left or (right and not self._read_only)) or self.pans_with_left():
            self.grab_image(event)
        elif left and modifiers & Qt.KeyboardModifier.AltModifier and self._gesture is None:
            self._sizing = (event.position(), self.hand.size.diameter)
        elif self._grabbed is None and (left or self._gesture is None):
            self._button, self._by_pen = button, isinstance(event, QTabletEvent)
            gesture = self._gesture or self._begin(
                self.hand.tool if left else "encircle", self._erases(event)
            )
            front = gesture.front()
            self._paint(gesture.press(self._touch(event)), gesture, front)
        self._point_at(event.position())

    def _move(self, event: QSinglePointEvent) -> None:
        if self._of_other_hand(event):
            return
        if self._sizing is not None and not event.buttons() & Qt.MouseButton.LeftButton:
            self._sizing = None  # the release went elsewhere
        if self._sizing is not None:  # the circle stays where it was pressed; its rim follows the hand
            start, diameter = self._sizing
            wanted = diameter + 2 * (event.position().x() - start.x()) / self.zoom()
            self.resize_brush(lambda: self.hand.size.set(wanted))
            return
        gesture = self._gesture
        if self._button and not event.buttons() & self._button:
            self._button = Qt.MouseButton.NoButton  # the release went elsewhere
            if gesture is not None and not gesture.spans_clicks:
                self.finish_stroke()
        elif gesture is not None and self._grabbed is None:
            front = gesture.front()
            self._paint(gesture.to(self._touch(event)), gesture, front)
        self._point_at(event.position())
        self.drag_image(event)

    def _release(self, event: QSinglePointEvent) -> None:
        if self._of_other_hand(event):
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._sizing = None
        if self._button and event.button() == self._button:
            self._button = Qt.MouseButton.NoButton
            if self._gesture is not None:
                self._paint(self._gesture.release(self._touch(event)), self._gesture, [])
        self.drop_image(event)
        self._point_at(event.position())

    def _of_other_hand(self, event: QSinglePointEvent) -> bool:
        return bool(self._button) and isinstance(event, QTabletEvent) != self._by_pen

    def _erases(self, event: QSinglePointEvent) -> bool:
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        held = bool(shift) and "Shift" in self.keymap.keys("erasing")
        pen = event.pointerType() if isinstance(event, QTabletEvent) else None
        return self.hand.erasing or held or pen == QPointingDevice.PointerType.Eraser

    # events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._release(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        match event.type():
            case QEvent.Type.TabletPress:
                self._press(event)
            case QEvent.Type.TabletMove:
                self._move(event)
            case QEvent.Type.TabletRelease:
                self._release(event)
        event.accept()  # or Qt makes a mouse event of it too

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.picture is not None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.step_brush(wheel_notches(event))
            event.accept()
        elif not self._button:
            super().wheelEvent(event)

    def act(self, action: str) -> bool:
        gesture = self._gesture
        match action:
            case "abort":
                if gesture is None:
                    return False  # somebody else's key while nothing is under way
                self.abort_stroke()
            case "close" | "take_back":
                if gesture is None:
                    return False
                gesture.close() if action == "close" else gesture.take_back()
                self.update()
                self._paint(None, gesture, [])
            case _ if self._button and action not in ("hide", "erasing"):
                return True  # the hand is drawing: nothing moves under it
            case _:
                return super().act(action)
        return True

    def drawing(self) -> bool:
        return self._gesture is not None and self._gesture.spans_clicks

    def under_way(self) -> bool:
        return self._gesture is not None

    def hideEvent(self, event: Any) -> None:
        self.finish_stroke()
        self._sizing = None
        super().hideEvent(event)

    def show_picture(self, picture: Picture | None) -> None:
        self._sizing = None
        self._hovered = HoveredRegion()
        super().show_picture(picture)

    # drawing

    def paint_front(self, painter: QPainter) -> None:
        if self._gesture is not None:
            self._gesture.paint_front(painter, self.viewport)
        if self._pointer is not None and self._paints():
            self._hovered.paint_front(painter, self.viewport)
            if self.hand.tool in ROUND:
                radius = self.hand.size.radius * self.zoom()
                paint_brush_circle(painter, self._pointer, radius, self.hand.erases, self.hand.hardness)

    def pans_with_left(self) -> bool:
        return self._space or self._read_only

    def choose_cursor(self) -> None:
        super().choose_cursor()
        if self._paints():
            self.setCursor(Qt.CursorShape.CrossCursor)

    def doing(self) -> str:
        return "read only" if self._read_only else ""

    # inside

    def _paints(self) -> bool:
        return self.picture is not None and not self.pans_with_left() and self._grabbed is None

    def _point_at(self, position: QPointF) -> None:
        before, self._pointer = self.circle_rect(), position
        now, touched, self._touched = self.circle_rect(), self._touched, QRect()
        # One rectangle: Qt paints one three times as fast as a region of several that overlap.
        whole = before.united(now).united(touched)
        for rect in (whole,) if before.intersects(now) else (before, now):
            self.update(rect)
        wanted = self._superpixels if self._paints() and self.hand.tool == "superpixel" else None
        for rect in self._hovered.show(wanted, *self.viewport.to_image(position.x(), position.y())):
            self.update(self.drawn_rect(rect))
