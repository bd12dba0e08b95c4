"""The loading dialogue: what a checkpoint holds, how it is best read, and its name here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.models.choice import Choice
from sip_explorer.qt.exchange.fields import field_label
from sip_explorer.qt.models.file_facts import FileFacts
from sip_explorer.qt.models.key_list import KeyList
from sip_explorer.qt.models.problem_box import ProblemBox
from sip_explorer.qt.models.settings_panel import SettingsPanel
from sip_explorer.qt.room import separator
from sip_explorer.qt.widgets.wheel_guard import WheelGuard
from sip_explorer.state import Session
from sip_explorer.state.model_adding import add_chosen, choose_settings
from sip_explorer.state.model_look import ModelLook
from sip_explorer.workspace.flow_copying import telling_name

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

LICENCES = ("", "MIT", "Apache-2.0", "BSD-3-Clause", "CC BY 4.0", "CC BY-NC 4.0")
_FEW_LINES = 20
_PUBLISHED = (
    "This file is a flow in the published format (ProtoFlow or DenseFlow): the workspace gets a copy in the "
    "program's own format, and the way back of images is measured when it is opened."
)
_FLOW = "This file is a ProtoFlow: it says all of itself, and nothing is left to choose."


class AddDialog(QDialog):
    """Looks into a file at once, tries it, and adds it as a job when wanted.

    Parameters
    ----------
    path : Path
    entry : ModelEntry, optional
        A model that is there already, whose settings are to be changed; ``path`` is its file.
    """

    def __init__(
        self,
        session: Session,
        path: Path,
        *,
        entry: ModelEntry | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add a trained model" if entry is None else f"How {entry.name} is read")
        self._session = session
        self._entry = entry
        self._present = entry.card.choice if entry is not None and entry.card is not None else None
        self.path = path
        self.look: ModelLook | None = None
        self.facts = FileFacts()
        self.settings = SettingsPanel(session)
        self.problem = ProblemBox()
        self.keys = KeyList()
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.name = QLineEdit(path.stem)
        self.licence = QComboBox()
        self.licence.setEditable(True)
        self.licence.addItems(LICENCES)
        self.licence.lineEdit().setPlaceholderText("not known")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())  # words are enough
        words = "Add" if entry is None else "Read it so"
        self.go = self.buttons.addButton(words, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", "true")
        self._lay_out()
        self.facts.changed.connect(self._try)
        self.settings.looked.connect(self._show_look)
        self.settings.changed.connect(self._refresh)
        self.settings.failed.connect(self._show_problem)
        self.settings.hand.section.opened.connect(self._make_room)
        self.name.textChanged.connect(self._refresh)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.facts.begin(path)
        self.settings.look_at(path)
        self._refresh()

    def done(self, result: int) -> None:
        self.settings.forget()
        super().done(result)

    @property
    def base(self) -> Choice:
        """What is fixed in the upper half: architecture, weights, the tick."""
        architecture = self.facts.architecture
        return Choice(
            architecture=architecture.architecture,
            weights=self.facts.chosen_weights,
            input_shape=architecture.input_shape,
            own_code=architecture.own_code,
        )

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 16, 16, 8)
        column.setSpacing(12)
        column.addWidget(self.facts)
        column.addWidget(self.note)
        column.addWidget(self.problem)
        column.addWidget(self.keys, 50)
        column.addWidget(self.settings, 100)
        column.addStretch(1)
        self.note.hide()
        self.area = area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        WheelGuard(area).guard(body.findChildren(QWidget))
        self.bottom = QWidget()
        fields = QGridLayout(self.bottom)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setHorizontalSpacing(12)
        for column_, (words, editor) in enumerate((("Name", self.name), ("Licence", self.licence))):
            label = field_label(words)
            label.setBuddy(editor)
            editor.setAccessibleName(words)
            fields.addWidget(label, 0, 2 * column_)
            fields.addWidget(editor, 0, 2 * column_ + 1)
            fields.setColumnStretch(2 * column_ + 1, 2 - column_)
        self.bottom.setVisible(self._entry is None)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 4, 16, 16)
        foot.setSpacing(12)
        foot.addWidget(self.bottom)
        foot.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(area, 1)
        layout.addWidget(separator(Qt.Orientation.Horizontal))
        layout.addLayout(foot)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 140, metrics.lineSpacing() * 47)

    def _make_room(self, opened: bool) -> None:
        """Grow for what was unfolded as far as the screen allows, and scroll to it."""
        if not opened:
            return
        hand = self.settings.hand
        most = self.screen().availableGeometry().height() - 4 * self.fontMetrics().lineSpacing()
        self.resize(self.width(), max(self.height(), min(most, self.height() + hand.sizeHint().height())))
        QTimer.singleShot(0, hand, lambda: self.area.ensureWidgetVisible(hand))

    def _show_look(self, look: ModelLook) -> None:
        self.look = look
        self.facts.show_look(look, self._present)
        if look.licence and not self.licence.currentText():
            self.licence.setEditText(look.licence)
        self.note.setText(_PUBLISHED if look.flow and look.variants else _FLOW)
        self.note.setVisible(look.flow)
        if look.flow:
            self.resize(self.width(), self.fontMetrics().lineSpacing() * _FEW_LINES)
            if self.name.text() == self.path.stem:
                self.name.setText(telling_name(self.path))
        if look.refusal:
            self._show_problem(look.refusal, look.detail)
        elif not look.flow:
            if not look.architecture:
                self.keys.show_keys(look.keys)
                self.facts.architecture.box.setFocus()
            self._try(first=True)
        self._refresh()

    def _try(self, first: bool = False) -> None:
        """Measure what is open under what is fixed now; the present settings are found again at first."""
        self.problem.clear()
        ready = self.facts.architecture.ready
        self.keys.setVisible(not ready and not self.keys.empty)
        if self.look is None or not ready:
            self.settings.rest()
        else:
            present = self._present if first else None
            self.settings.start(self.look, self.base, present)
        self._refresh()

    def _show_problem(self, sentence: str, detail: str) -> None:
        if self.look is None:
            self.facts.show_failure(self.path)
        if self.look is None or self.look.refusal:
            self.resize(
                self.width(), self.fontMetrics().lineSpacing() * _FEW_LINES
            )  # there is no more to see
        # The name of the file stands above.
        self.problem.show_problem(sentence.replace(str(self.path), self.path.name), detail)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        look = self.look
        if self.settings.choice is not None:
            self.problem.clear()
        loaded = self.settings.loaded
        if loaded is not None and look is not None:
            chosen = self.settings.choice
            names = chosen.classes if chosen is not None and chosen.classes else loaded.classes
            self.facts.show_classes(self.settings.words_of_classes(names), names)
        gone = look is None and bool(self.problem.sentence.text())
        usable = look is not None and not look.refusal and (look.flow or self.settings.choice is not None)
        self.bottom.setVisible(self._entry is None and (look is None or not look.refusal) and not gone)
        self.go.setEnabled(usable and bool(self.name.text().strip()))

    def _accept(self) -> None:
        session, entry = self._session, self._entry
        choice, reason = self.settings.choice, self.settings.reason
        if self.look is not None and self.look.flow and self.facts.chosen_weights:
            choice, reason = Choice(weights=self.facts.chosen_weights), "chosen by hand"
        if entry is not None:
            if choice is not None and session.attempt(
                lambda: choose_settings(session, entry, choice, reason)
            ):
                self.accept()
            return
        started = session.attempt(
            lambda: add_chosen(
                session,
                self.path,
                choice,
                reason,
                self.name.text().strip(),
                self.licence.currentText().strip(),
            )
        )
        if started:
            self.accept()
