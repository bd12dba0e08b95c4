"""How far people agree: figures of the whole set, and tables per image, class, person and pair."""

# ruff: noqa: N815

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.rooms.salience.agreement_tables import tables
from sip_explorer.qt.rooms.salience.blind_cover import blind_cover
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.figure_table import FigureTable
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.state import Session

NAMES = ("Images", "Classes", "People", "Pairs")


class AgreementView(QWidget):
    """Shows the last report; measures when asked. In blind mode a sentence and a button.

    Signals
    -------
    imageChosen(int)
        An image was clicked: it is the current one by now, and is to be compared.
    """

    imageChosen = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reviewing = session.reviewing
        self._agreeing = self._reviewing.agreeing
        self.measure = QPushButton("Measure")
        self.with_model = QCheckBox("with the current model")
        self.export = QPushButton("Export CSV…")
        self.export.setToolTip("Five tables into a folder: the whole set, images, classes, people, pairs")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self.segments = Segments([(name, f"Agreement per {name.lower()}") for name in NAMES])
        self.segments.setAccessibleName("Which table")
        self._pages = QStackedWidget()
        self.tables = {name: FigureTable(f"Agreement: {name}") for name in NAMES}
        for table in self.tables.values():
            self._pages.addWidget(table)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._make_page())
        self.covered = blind_cover(session)
        self.nothing = EmptyState(
            "How far people agree is measured on the listed images that two people or more have finished.",
            "Measure agreement",
            self.measure_now,
        )
        self._stack.addWidget(self.covered)
        self._stack.addWidget(self.nothing)
        self.measure.clicked.connect(self.measure_now)
        self.export.clicked.connect(self._ask_folder)
        self.segments.chosen.connect(self._pages.setCurrentIndex)
        self.tables["Images"].rowChosen.connect(self._choose)
        for signal in (
            self._agreeing.measured,
            self._agreeing.busy_changed,
            self._reviewing.blind_changed,
            session.models_changed,
            session.selection.current_model_changed,
        ):
            signal.connect(self._show)
        session.masks_changed.connect(self._show_note)
        self._shown: object = None  # the report whose tables are made
        self._show()

    def _make_page(self) -> QWidget:
        page = QWidget()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.segments)
        head.addStretch(1)
        head.addWidget(self.with_model)
        head.addWidget(self.measure)
        head.addWidget(self.export)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.words)
        layout.addWidget(self._note)
        layout.addLayout(head)
        layout.addWidget(self._pages, 1)
        return page

    # ---- acts -----------------------------------------------------------------------------

    def measure_now(self) -> None:
        """Measure the listed images, with the current model where that is asked for."""
        session = self._session
        model = session.model(session.selection.current_model) if self.with_model.isChecked() else None
        session.attempt(partial(self._agreeing.measure, model))

    def export_to(self, folder: Path | str) -> None:
        """Write the tables into a folder."""
        report = self._agreeing.report
        if report is not None:

            def act() -> None:
                count = len(report.to_csv(folder))
                self._session.notice.emit(f"{count} tables are in {folder}.")

            self._session.attempt(act)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the tables")
        if folder:
            self.export_to(folder)

    def _choose(self, place: int) -> None:
        report = self._agreeing.report
        if report is not None:
            image = report.images[place].image
            self._session.selection.current_image = image
            self.imageChosen.emit(image)

    # ---- following ------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_note()

    def _show(self, *_: object) -> None:
        report, busy = self._agreeing.report, self._agreeing.busy
        model = self._session.model(self._session.selection.current_model)
        self.with_model.setText(f"with {model.name}" if model else "with a model")
        self.with_model.setToolTip("Human–model alignment: where the model looks (Grad-CAM) against people")
        self.with_model.setEnabled(model is not None and model.kind == "classifier")
        self.measure.setEnabled(not busy)
        self.measure.setText("Measuring…" if busy else "Measure")
        self.nothing.button.setEnabled(not busy)
        self.nothing.button.setText("Measuring…" if busy else "Measure agreement")
        if self._reviewing.blind:
            self._stack.setCurrentWidget(self.covered)
            return
        if report is None or not report.images:
            self._stack.setCurrentWidget(self.nothing)
            return
        self._stack.setCurrentIndex(0)
        self.words.setText("\n".join(_capital(line) for line in report.sentences()))
        if report is not self._shown:
            self._shown = report
            workspace = self._session.workspace
            for table in tables(report, workspace.classes if workspace is not None else ()):
                self.tables[table.name].set_rows(table.columns, table.rows, table.sort)
        self._show_note()

    def _show_note(self, *_: object) -> None:
        report = self._agreeing.report
        if not self.isVisible() or report is None:
            return
        changed = len(self._agreeing.stale & report.disputes.keys())
        self._note.setVisible(changed > 0)
        if changed:
            were = "1 image was" if changed == 1 else f"{changed:,} images were"
            self._note.setText(f"{were} painted since: measure again for figures of now.")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
