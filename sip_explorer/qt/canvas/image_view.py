"""A widget that shows one image and moves around in it: zoom, pan, fit."""

# ruff: noqa: N815

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QMoveEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QSinglePointEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.backdrop import Backdrop
from sip_explorer.qt.canvas.caption import Caption, paint_message
from sip_explorer.qt.canvas.exposed import apart
from sip_explorer.qt.canvas.key_widget import KeyWidget
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box

_WHEEL_NOTCH = 120.0
_ZOOM_STEP = 1.25


class ImageView(KeyWidget):
    """One image at any zoom between fit and 64: wheel to the pointer, Space or middle button to pan.

    A plain widget that paints only what is exposed: no scene stands between the mask and the screen.
    Subclasses draw in `paint_layers`, `paint_over` and `paint_front`, and add keys in `act`.

    Signals
    -------
    zoomChanged(float)
        Logical pixels per image pixel.
    """

    zoomChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.picture: Picture | None = None
        self.viewport = Viewport()
        self.caption = Caption(self)
        self._backdrop = Backdrop()
        self._message = ""
        self._announced_zoom = 0.0
        self._grabbed: QPointF | None = None  # where the hand holds the image while it moves
        self._space = False
        self._pointer: QPointF | None = None

    # what is shown

    def show_picture(self, picture: Picture | None) -> None:
        """Show this picture, or the message where there is none."""
        self.picture = picture
        self._backdrop.forget()
        self._grabbed = None
        self._place()
        self.choose_cursor()
        self.describe()
        self.update()

    def has_image(self) -> bool:
        """Whether there is an image."""
        return self.picture is not None

    def set_message(self, text: str) -> None:
        """What stands here while there is no image."""
        self._message = text
        self.describe()
        self.update()

    def message(self) -> str:
        """What stands here while there is no image."""
        return self._message

    def zoom(self) -> float:
        """Logical pixels per image pixel."""
        return self.viewport.zoom

    def fit(self) -> None:
        """Show the whole image."""
        self.viewport.fit()
        self._moved()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom around a position of the view, or around its middle."""
        around = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        self.viewport.zoom_at(factor, around.x(), around.y())
        self._moved()

    def view_position(self, column: float, row: float) -> tuple[float, float]:
        """Where a place of the image, in image pixels, lies on the widget."""
        return self.viewport.to_view(column, row)

    # for subclasses

    def paint_layers(self, painter: QPainter, visible: QRectF) -> None:
        """Draw over the image, in image coordinates; `visible` is the exposed part."""

    def paint_over(self, painter: QPainter, exposed: QRect) -> None:
        """Draw over that, in view coordinates."""

    def paint_front(self, painter: QPainter) -> None:
        """Draw in front of everything, in view coordinates: what little is to be seen at the hand."""

    def act(self, action: str) -> bool:
        match action:
            case _ if self.picture is None:
                return False
            case "fit":
                self.fit()
            case "true_size":
                self.zoom_by(1 / self.devicePixelRatioF() / self.zoom(), self._pointer)
            case "zoom_in":
                self.zoom_by(_ZOOM_STEP, self._pointer)
            case "zoom_out":
                self.zoom_by(1 / _ZOOM_STEP, self._pointer)
            case "pan":
                self._space = True
                self.choose_cursor()
                self.update()
            case _:
                return super().act(action)
        return True

    def release(self, action: str) -> bool:
        if action != "pan":
            return super().release(action)
        self._space = False
        self.choose_cursor()
        self.update()
        return True

    def pans_with_left(self) -> bool:
        """Whether the left button moves the image."""
        return True

    def describe(self) -> None:
        """Tell a screen reader what is shown."""
        if self.picture is None:
            self.setAccessibleDescription(self._message)
        else:
            self.setAccessibleDescription(f"Image of {self.picture.width} by {self.picture.height} pixels")

    def choose_cursor(self) -> None:
        """Take the cursor that says what the mouse would do."""
        if self._grabbed is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self.picture is not None and self.pans_with_left():
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()

    def view_rect(self, box: Box) -> QRect:
        """Where a box of image pixels lies in the view, with room for its outline."""
        left, top = self.viewport.to_view(box[1], box[0])
        right, bottom = self.viewport.to_view(box[3], box[2])
        return QRectF(left, top, right - left, bottom - top).toAlignedRect().adjusted(-2, -2, 2, 2)

    # events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.grab_image(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.drag_image(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.drop_image(event)

    def grab_image(self, event: QSinglePointEvent) -> None:
        """Take the image in hand where this press is to move it."""
        button = event.button()
        if self.picture is not None and (
            button == Qt.MouseButton.MiddleButton
            or (button == Qt.MouseButton.LeftButton and self.pans_with_left())
        ):
            self._grabbed = event.position()
            self.choose_cursor()

    def drag_image(self, event: QSinglePointEvent) -> None:
        """Let the image follow the hand that holds it."""
        if self._grabbed is not None and not event.buttons():
            self._grabbed = None  # the release went elsewhere
            self.choose_cursor()
        elif self._grabbed is not None:
            moved = event.position() - self._grabbed
            self._grabbed = event.position()
            self.viewport.pan(moved.x(), moved.y())
            self._moved()
        self._pointer = event.position()

    def drop_image(self, event: QSinglePointEvent) -> None:
        """Leave the image where it is."""
        if event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton):
            self._grabbed = None
            self.choose_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = wheel_notches(event)
        event.setAccepted(self.picture is not None and notches != 0)
        if event.isAccepted():
            self.zoom_by(_ZOOM_STEP**notches, event.position())

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
            and self.picture is not None
        ):
            self.zoom_by(1 + event.value(), event.position())
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._place()
        return super().event(event)

    def moveEvent(self, event: QMoveEvent) -> None:
        self._place()
        super().moveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()
        super().resizeEvent(event)

    def hideEvent(self, event: Any) -> None:
        self._grabbed = None
        self.caption.stop()
        super().hideEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(40, 40) * self.fontMetrics().height()

    def minimumSizeHint(self) -> QSize:
        return QSize(12, 12) * self.fontMetrics().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.picture is None:
            painter.fillRect(event.rect(), self.palette().color(QPalette.ColorRole.Window))
            paint_message(painter, self, self._message)
            return
        for part in apart(event.region()):
            painter.setClipRect(part)
            self._paint_part(painter, self.picture, part)
        painter.setClipping(False)
        self.paint_front(painter)
        self.caption.paint(painter)

    # inside

    def _paint_part(self, painter: QPainter, picture: Picture, part: QRect) -> None:
        around = self.palette().color(QPalette.ColorRole.Window)
        viewport, zoom = self.viewport, self.viewport.zoom
        self._backdrop.paint(painter, picture, viewport, self.size(), self.devicePixelRatioF(), around)
        x0, y0 = viewport.to_image(part.left(), part.top())
        painter.save()
        painter.translate(viewport.x, viewport.y)
        painter.scale(zoom, zoom)
        self.paint_layers(painter, QRectF(x0, y0, part.width() / zoom, part.height() / zoom))
        painter.restore()
        self.paint_over(painter, part)

    def _place(self) -> None:
        if self.picture is not None:
            size = (self.picture.width, self.picture.height)
            corner = self.mapTo(self.window(), QPoint(0, 0)).toTuple()
            self.viewport.set_sizes((self.width(), self.height()), size, self.devicePixelRatioF(), corner)
            self._moved(quiet=True)

    def _moved(self, quiet: bool = False) -> None:
        self.update()
        zoom = self.viewport.zoom
        if self.picture is not None and abs(zoom - self._announced_zoom) > 1e-9:
            self._announced_zoom = zoom
            if not quiet:
                self.caption.show_text(f"Zoom {100 * zoom:,.0f} %")
            self.zoomChanged.emit(zoom)


def wheel_notches(event: QWheelEvent) -> float:
    """How far the wheel turned, in notches; away from the hand is positive."""
    delta = event.angleDelta()
    return (delta.y() or delta.x()) / _WHEEL_NOTCH
