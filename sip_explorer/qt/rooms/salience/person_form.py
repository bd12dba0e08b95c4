"""Who paints: choose, add, rename, colour."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.state import Session

COLOURS = {
    "#E69F00": "Orange",
    "#56B4E9": "Sky blue",
    "#009E73": "Bluish green",
    "#CC79A7": "Reddish purple",
    "#D55E00": "Vermilion",
    "#0072B2": "Blue",
    "#F0E442": "Yellow",
    "#999999": "Grey",
}
"""Okabe and Ito's colours: told apart by the colour-blind too."""


class PersonForm(QWidget):
    """A list of people, a colour, and a name field that comes when somebody is added or renamed.

    Signals
    -------
    changed()
        Somebody was added, renamed or has another colour.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._renaming = False
        self.people = QComboBox()
        self.people.setAccessibleName("Who paints")
        self.people.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.people.setMinimumContentsLength(8)
        self.colour = _button("Colour", "The colour of this person's salience")
        self.rename = _button("Rename", "Give this person another name")
        self.add = _button("Add", "Add a person who paints")
        self.name = NameField()
        self.name.setVisible(False)
        label = QLabel("Painting as")
        label.setProperty("role", "muted")
        label.setBuddy(self.people)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label)
        row.addWidget(self.people, 1)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        for button in (self.colour, self.rename, self.add):
            acts.addWidget(button)
        acts.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addLayout(acts)
        layout.addWidget(self.name)
        self._menu = QMenu(self)
        for value, words in COLOURS.items():
            self._menu.addAction(dot(value), words, lambda v=value: self.set_colour(v))
        self.colour.setMenu(self._menu)
        self.people.activated.connect(self._choose)
        self.add.clicked.connect(lambda: self._ask_name(renaming=False))
        self.rename.clicked.connect(lambda: self._ask_name(renaming=True))
        self.name.returnPressed.connect(self._take_name)
        self.name.given_up.connect(self.name.hide)
        session.workspace_changed.connect(self.show_people)
        session.selection.annotator_changed.connect(self.show_people)
        self.show_people()

    def show_people(self, *_: object) -> None:
        """List everyone who paints; the one who is selected is chosen."""
        workspace = self._session.workspace
        people = workspace.annotators() if workspace is not None else []
        self.people.clear()
        for person in people:
            self.people.addItem(dot(person.colour), person.name)
        self.people.setCurrentIndex(self.people.findText(self._session.selection.annotator))
        writable = workspace is not None and not workspace.read_only
        for button in (self.colour, self.rename, self.add):
            button.setEnabled(writable)
        self.name.hide()

    def set_colour(self, value: str) -> None:
        """Give the person who paints this colour, #RRGGBB."""
        self._change(colour=value)

    def _change(self, *, name: str | None = None, colour: str | None = None) -> None:
        workspace, selection = self._session.workspace, self._session.selection
        if workspace is None:
            return

        def act() -> None:
            if name is not None:
                self._finish_under_way()
            changed = workspace.change_annotator(selection.annotator, name=name, colour=colour)
            self._session.settings["annotator"] = changed.name
            if changed.name != selection.annotator:
                selection.annotator = changed.name
            else:
                selection.annotator_changed.emit(changed.name)  # who shows the colour reads it anew

        if self._session.attempt(act):
            self.show_people()
            self.changed.emit()

    def _finish_under_way(self) -> None:
        """Whoever draws or writes on the image on show ends it, under the name that is given up."""
        selection = self._session.selection
        shown, selection.current_image = selection.current_image, None
        selection.current_image = shown

    def _choose(self, _index: int) -> None:
        name = self.people.currentText()
        if name and not self._session.attempt(lambda: self._session.choose_annotator(name)):
            self.show_people()

    def _ask_name(self, *, renaming: bool) -> None:
        self._renaming = renaming
        words = f"New name of {self._session.selection.annotator}" if renaming else "Name of the new person"
        self.name.setPlaceholderText(f"{words}, then Enter")
        self.name.setAccessibleName(words)
        self.name.setText(self._session.selection.annotator if renaming else "")
        self.name.selectAll()
        self.name.show()
        self.name.setFocus()

    def _take_name(self) -> None:
        name = self.name.text().strip()
        if self._renaming:
            self._change(name=name)
            return

        def add() -> None:
            workspace = self._session.workspace
            if workspace is not None:
                added = workspace.add_annotator(name)
                self._session.choose_annotator(added.name)

        if self._session.attempt(add):
            self.show_people()
            self.changed.emit()


class NameField(QLineEdit):
    """A line that Esc gives up."""

    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


def dot(colour: str) -> QIcon:
    """Return a disc of this colour."""
    pixmap = QPixmap(48, 48)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(QPointF(24, 24), 15, 15)
    painter.end()
    return QIcon(pixmap)


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button
