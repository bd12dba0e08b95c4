"""What a hand does to a canvas, and what an eye sees of it."""

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def at(canvas, column, row):
    """The view position of an image position."""
    x, y = canvas.view_position(column, row)
    return QPoint(round(x), round(y))


def drag(canvas, *places, button=LEFT, modifiers=NONE, release=True):
    """Press at the first place, pass the others, release at the last: view points, or (column, row)."""
    points = [place if isinstance(place, QPoint) else at(canvas, *place) for place in places]
    QTest.mousePress(canvas, button, modifiers, points[0])
    for point in points[1:]:
        QTest.mouseMove(canvas, point)
    if release:
        QTest.mouseRelease(canvas, button, modifiers, points[-1])


def click(canvas, column, row, modifiers=NONE):
    """Press and release the left button at (column, row)."""
    QTest.mouseClick(canvas, LEFT, modifiers, at(canvas, column, row))


def wheel(canvas, notches, position, modifiers=NONE):
    """Turn the wheel by notches at a view point; away from the hand is positive."""
    event = QWheelEvent(
        QPointF(position),
        canvas.mapToGlobal(QPointF(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def shown(canvas):
    """What the canvas shows, uint8 (H, W, 3)."""
    return array_of(canvas.grab().toImage())


def array_of(image):
    """An image as uint8 (H, W, 3)."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[:, :, 2::-1].copy()
