"""Sweeps: start one, look at its curves and figures, come back to earlier ones and go on with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.rooms.attacks.export_menu import NUMBERS, PAIRS, TABLE, ExportMenu
from sip_explorer.qt.rooms.attacks.exporting import table_job
from sip_explorer.qt.rooms.attacks.folder_view import FolderView
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.pictures import curves_picture
from sip_explorer.qt.rooms.attacks.sweep.axes import SweepAxes
from sip_explorer.qt.rooms.attacks.sweep.curves_pane import CurvesPane
from sip_explorer.qt.rooms.attacks.sweep.export import numbers_job, pictures_job
from sip_explorer.qt.rooms.attacks.sweep.job import continue_job, open_job, sweep_job
from sip_explorer.qt.rooms.attacks.sweep.record import SweepRecord, read_record
from sip_explorer.qt.rooms.attacks.sweep.results import Place, SweepResults
from sip_explorer.qt.rooms.attacks.sweep.table_pane import TablePane
from sip_explorer.qt.rooms.attacks.words import radius
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.records import Artefact, Event, Failed, Finished, SipError
from sip_explorer.records.sweeps import CellResult
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

OPEN = "cells of a sweep"
"""Lane of the disk thread."""


class SweepView(FolderView):
    """Shows one sweep at a time: that of its own job, or an earlier one."""

    what: ClassVar[str] = "sweeps"
    word: ClassVar[str] = "Sweep"
    tip: ClassVar[str] = "How success grows with epsilon and batch size, over many images and attacks"
    act: ClassVar[str] = "Run the sweep"
    act_tip: ClassVar[str] = "Attack the ticked models on many images"

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(session, form)
        self.axes = SweepAxes(session, form)
        self.sections = self.axes.sections
        self.results = SweepResults()
        self.record: SweepRecord | None = None
        """The sweep on show; its cells are the results."""
        self._live: SweepRecord | None = None  # the one that the job writes
        self._coming = False  # the job's first cell takes the place of what is on show
        self.go_on = QPushButton("Continue")
        self.go_on.setToolTip("Compute the cells that are missing in this sweep")
        self.go_on.clicked.connect(self.continue_shown)
        self.export = ExportMenu()
        self.export.opening.connect(self._name_cell)
        self.export.wanted.connect(self.ask_export)
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.forms = Segments((("Curves", "As curves"), ("Table", "As exact figures, with paired tests")))
        self.forms.setAccessibleName("Form of the results")
        self.curves, self.table = CurvesPane(), TablePane()
        self._empty = EmptyState(
            "Run the attack on many images to see how its success grows with epsilon and batch size.",
            self.act,
            self.run,
            curves_picture(),
        )
        self._lay_out()
        self.show_state()

    @property
    def place(self) -> Place | None:
        """The cell in hand: the table's row, or where the boxes and the slider of the curves point."""
        pane = self.table if self._pages.currentWidget() is self.table else self.curves
        return pane.place

    # ---- acts -----------------------------------------------------------------------------

    def begin(self) -> None:
        choice, subject, workspace = self.axes.choice(), self.subject(), self.session.workspace
        assert workspace is not None
        names = subject.names
        self._launch(f"attack {names}", sweep_job(subject, choice, lambda: workspace.new_sweep_folder(names)))

    def continue_shown(self) -> None:
        """Compute what is missing in the sweep on show."""
        record = self.record
        if record is not None and not self.running:
            self.session.attempt(lambda: self._continue(record))

    def open(self, record: SweepRecord) -> None:  # type: ignore[override]
        """Show an earlier sweep."""
        self._coming = False
        self.session.jobs.ask(OPEN, open_job(record), self._opened, on="disk")

    def show_epsilon(self, epsilon: float) -> None:
        """Follow the epsilon slider."""
        self.curves.show_epsilon(epsilon)

    def forget(self) -> None:
        self.session.jobs.drop(OPEN, on="disk")
        self.results, self.record, self._live = SweepResults(), None, None
        super().forget()
        self.show_state()

    def folders(self, workspace: Workspace) -> Callable[[], list[Path]]:
        return workspace.sweep_folders

    def read(self, folder: Path) -> SweepRecord | None:
        return read_record(folder)

    def ask_export(self, what: str) -> None:
        """Ask where it goes and write it."""
        path = self.export.ask_where(what, "sweep.csv")
        if path is not None:
            self.session.attempt(lambda: self.write(what, path))

    def write(self, what: str, path: Path) -> None:
        """Write a table, or the adversarial images of the cell in hand; SipError where there is none."""
        record, place = self.record, self.place
        if record is None or place is None:
            return
        if what in (TABLE, PAIRS):
            cells = [self.results.cells[place] for place in self.results.ordered()]
            job = table_job(path, cells, record.settings, pairs=what == PAIRS)
            self.session.jobs.ask("sweep table", job, self.told, on="disk")
            return
        if record.old:
            raise SipError("This sweep is of an older version: run it anew to export its images.")
        subject = self.subject_of((place.model,), record.ids)
        make = numbers_job if what == NUMBERS else pictures_job
        self.session.jobs.run(f"export {path.name}", make(path, subject, record, place), self.told)

    # ---- events ---------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        if isinstance(event, Artefact) and isinstance(event.data, SweepRecord):
            self._live, self.running_folder = event.data, event.data.folder
        elif isinstance(event, Artefact) and isinstance(event.data, CellResult):
            self._take_cell(event.data)
        elif isinstance(event, Finished | Failed):
            self._coming = False
            if isinstance(event, Finished) and event.outcome == "cancelled":
                self._cancelled()
            self.shown()
            self.show_state()

    def _take_cell(self, cell: CellResult) -> None:
        live = self._live
        assert live is not None
        if self._coming:  # what was on show before stays until the first cell is known
            self._coming = False
            if self.record is None or self.record.folder != live.folder:
                self._show(live, SweepResults(live.models, live.variants))
        if self.record is not None and self.record.folder == live.folder:
            self.results.add(cell)
            self._redraw()

    def _cancelled(self) -> None:
        if self._live is None:
            self.session.notice.emit("The sweep was cancelled before its first cell.")
        else:  # show also the cells that were finished while the word to cancel was on its way
            self.session.jobs.ask(OPEN, open_job(self._live), self._gathered, on="disk")

    def _gathered(self, event: Event) -> None:
        if isinstance(event, Artefact):
            _record, cells = event.data
            if cells:
                self._opened(event)
            self.session.notice.emit(f"The sweep was cancelled; its {len(cells):,} finished cells are kept.")
        else:
            self._opened(event)

    def _opened(self, event: Event) -> None:
        if isinstance(event, Artefact):
            record, cells = event.data
            results = SweepResults(record.models, record.variants)
            for cell in cells:
                results.add(cell)
            self._show(record, results)
        elif isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)
            self.earlier.show_current(self.record.folder if self.record else None)

    # ---- showing --------------------------------------------------------------------------

    def _turn(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self._redraw()

    def _redraw(self) -> None:
        # Only what is seen: cells may come faster than two panes are drawn.
        pane = self.table if self._pages.currentWidget() is self.table else self.curves
        pane.redraw()

    def _launch(self, title: str, job: JobFactory) -> None:
        self._live, self.running_folder, self._coming = None, None, True
        self.launch(title, job)
        self.show_state()

    def _continue(self, record: SweepRecord) -> None:
        subject = self.subject_of(record.models, record.ids)
        self._launch(f"attack {subject.names}", continue_job(subject, record))

    def _show(self, record: SweepRecord, results: SweepResults) -> None:
        self.record, self.results = record, results
        self.title.setText(record.words)
        for pane in (self.curves, self.table):
            pane.start(results, record.norm)
        self.earlier.show_current(record.folder)
        if self.earlier.currentData() is None:
            self.shown()
        self.show_state()

    def _name_cell(self) -> None:
        place, record = self.place, self.record
        words = "No cell is chosen"
        if place is not None and record is not None:
            at = f"ε {radius(place.epsilon, record.norm)} · N = {place.batch_size:,}"
            words = f"{place.model} · {place.variant.words} · {at}:"
        self.export.name_cell(words, pairs=len(self.results.models) > 1, images=place is not None)

    def show_state(self) -> None:
        shown = self.record is not None
        self._empty.setVisible(not shown)
        self._results.setVisible(shown)
        self._bar.setVisible(shown or self.earlier.count() > 0)
        listed = self.earlier.currentData()
        unfinished = listed is not None and not listed.finished
        self.go_on.setVisible(unfinished and not self.running)
        self.export.setVisible(shown)

    def _lay_out(self) -> None:
        self._bar = QWidget()
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.earlier, 1)
        bar.addWidget(self.go_on)
        bar.addWidget(self.export)
        self._pages = QStackedWidget()
        for pane in (self.curves, self.table):
            pane.images_chosen.connect(self.images_chosen)
            self._pages.addWidget(pane)
        self.forms.chosen.connect(self._turn)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.forms)
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        results.setSpacing(4)
        results.addLayout(head)
        results.addWidget(self._pages, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addWidget(self._results, 1)
        layout.addWidget(self._empty, 1)
