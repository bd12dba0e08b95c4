"""Plays states that arrive in bursts at a pace that the eye can follow."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QStyle

from sip_explorer.qt.rooms.attacks.growth.growth import Growth

PACE = 66
"""Milliseconds between two states: 15 a second."""


class Playback(QObject):
    """Ten steps on a small image take the device a fraction of a second; here they take their time.

    Where the system asks for no motion, every state is shown as it comes. One timer, which stops by
    itself when nothing is left to show.

    Signals
    -------
    shown(Growth)
        This state is to be shown now.
    """

    shown = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._kept: list[Growth] = []
        self._waiting: deque[Growth] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(PACE)
        self._timer.timeout.connect(self._next)

    @property
    def playing(self) -> bool:
        """Whether states wait for their turn."""
        return self._timer.isActive()

    @property
    def can_replay(self) -> bool:
        """Whether an attack's steps are there to be shown again."""
        return len(self._kept) > 1 and motion_wanted()

    def feed(self, state: Growth) -> None:
        """Show a state in its turn; the first one of an attack replaces what was left of another."""
        if state.step == 0 and not state.final:
            self.forget()
        self._kept.append(state)
        if not motion_wanted():
            self.shown.emit(state)
            return
        self._waiting.append(state)
        if not self.playing:
            self._timer.start()
            self._next()

    def replay(self) -> None:
        """Play the last attack again from its first step."""
        self._waiting = deque(self._kept)
        if self._waiting and not self.playing:
            self._timer.start()

    def finish(self) -> None:
        """Show the last state at once."""
        self._timer.stop()
        if self._waiting:
            last = self._waiting[-1]
            self._waiting.clear()
            self.shown.emit(last)

    def forget(self) -> None:
        """Drop all states."""
        self._timer.stop()
        self._waiting.clear()
        self._kept.clear()

    def _next(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        self.shown.emit(self._waiting.popleft())


def motion_wanted() -> bool:
    """Return whether the system asks for animations."""
    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0
