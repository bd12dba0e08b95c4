"""What every room is made of: a header, the picture, and an inspector at the right."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.state import Session


class Room(QWidget):
    """Base of the rooms. Subclasses fill ``centre`` (a vertical layout) and ``inspector``.

    Attributes
    ----------
    key, title, icon_name : str
        Name in settings, words on the rail, drawing on the rail.
    uses_film_strip : bool
        Whether the window shows the film strip of images under this room.

    Signals
    -------
    wanted(str)
        The key of another room to be entered.
    asked(str)
        The id of an action of the window (`key_actions.ACTIONS`) to be done.
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon_name: ClassVar[str] = ""
    uses_film_strip: ClassVar[bool] = True

    wanted = Signal(str)
    asked = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._title = QLabel(self.title)
        self._title.setProperty("role", "title")
        self._subject = ElidedLabel()
        self._subject.setProperty("role", "muted")
        # A long name must never push the buttons out of the window.
        self._actions = QHBoxLayout()
        self._actions.setSpacing(8)
        header = QHBoxLayout()
        header.setContentsMargins(16, 8, 16, 8)
        header.setSpacing(12)
        header.addWidget(self._title)
        header.addWidget(self._subject, 1)
        header.addLayout(self._actions)
        self.centre = QVBoxLayout()
        self.centre.setContentsMargins(16, 0, 16, 12)
        self.centre.setSpacing(8)
        self.inspector = Inspector()
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addLayout(header)
        left.addLayout(self.centre, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(left, 1)
        layout.addWidget(separator(Qt.Orientation.Vertical))
        layout.addWidget(self.inspector)

    def set_subject(self, text: str) -> None:
        """Say in the header what is on show."""
        self._subject.setText(text)

    def add_button(self, text: str, *, primary: bool = False, tip: str = "") -> QPushButton:
        """Add a button to the header; a room has one primary button."""
        button = QPushButton(text)
        if primary:
            button.setProperty("primary", "true")
        if tip:
            button.setToolTip(tip)
        self._actions.addWidget(button)
        return button

    def entered(self) -> None:
        """The room came on show."""

    def take_key(self, event: QKeyEvent) -> bool:
        """Use a key that nobody under the focus wanted; whether it was for this room."""
        return False

    def left(self) -> None:
        """The room went out of sight; jobs go on, previews stop."""


def separator(orientation: Qt.Orientation) -> QFrame:
    """Return a one-pixel line."""
    line = QFrame()
    line.setProperty("role", "line")
    if orientation == Qt.Orientation.Vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line
