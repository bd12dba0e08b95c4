"""The tour's hand and eye: real mouse and key events, waiting for what must happen, pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sip_explorer.records import SipError


class Hand:
    """Drives a window as a person would; problems that the window reports end the tour."""

    def __init__(self, app: QApplication, window: QWidget) -> None:
        self._app = app
        self._window = window
        self.problems: list[str] = []

    def wait(self, until: Callable[[], bool], what: str, seconds: float) -> None:
        """Let the window live until a condition holds.

        Raises
        ------
        SipError
            If it does not hold within ``seconds``, or the window reported a problem meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not until():
            if self.problems:
                raise SipError(f"While waiting for {what}: {self.problems[0]}")
            if time.monotonic() > deadline:
                raise SipError(
                    f"{what} did not come within {seconds:.0f} s: run the tour on a quieter machine."
                )
            self.live(0.02)
        self.live(0.05)

    def live(self, seconds: float) -> None:
        """Let the window live for a while."""
        deadline = time.monotonic() + seconds
        while True:
            self._app.processEvents()
            if time.monotonic() >= deadline:
                return
            time.sleep(0.002)

    def click(self, widget: QWidget) -> None:
        """Click the middle of a widget."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.live(0.05)

    def key(self, widget: QWidget, key: Qt.Key) -> None:
        """Type a key on a widget."""
        QTest.keyClick(widget, key)
        self.live(0.05)

    def stroke(self, widget: QWidget, points: Sequence[tuple[float, float]]) -> None:
        """Draw with the left button held through ``points``, in the widget's own coordinates."""
        for number, (x, y) in enumerate(points):
            at = QPointF(x, y)
            kind = QEvent.Type.MouseButtonPress if number == 0 else QEvent.Type.MouseMove
            self._send(widget, kind, at, Qt.MouseButton.LeftButton)
            self._app.processEvents()
        self._send(widget, QEvent.Type.MouseButtonRelease, QPointF(*points[-1]), Qt.MouseButton.NoButton)
        self.live(0.02)

    def picture(self, path: Path) -> None:
        """Save what the window shows."""
        self.live(0.2)
        if not self._window.grab().save(str(path)):
            raise SipError(f"The picture {path} cannot be written: choose another folder.")

    def _send(self, widget: QWidget, kind: QEvent.Type, at: QPointF, held: Qt.MouseButton) -> None:
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        on_screen = QPointF(widget.mapToGlobal(QPoint(int(at.x()), int(at.y()))))
        event = QMouseEvent(kind, at, on_screen, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)
