"""Evaluate: standard attacks on the ticked models, and the verdict on images made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.rooms.attacks.evaluate.export import numbers_job, pictures_job
from sip_explorer.qt.rooms.attacks.evaluate.job import continue_job, evaluation_job, open_job
from sip_explorer.qt.rooms.attacks.evaluate.judged_pane import JudgedPane
from sip_explorer.qt.rooms.attacks.evaluate.judging import Judged, judge_job
from sip_explorer.qt.rooms.attacks.evaluate.panes import EvaluationPanes
from sip_explorer.qt.rooms.attacks.evaluate.record import EvaluationRecord, read_record
from sip_explorer.qt.rooms.attacks.evaluate.results import EvaluationResults
from sip_explorer.qt.rooms.attacks.evaluate.section import EvaluationSection
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, LONG
from sip_explorer.qt.rooms.attacks.export_menu import NUMBERS, PAIRS, TABLE, ExportMenu
from sip_explorer.qt.rooms.attacks.exporting import table_job
from sip_explorer.qt.rooms.attacks.folder_view import FolderView
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.pictures import bars_picture
from sip_explorer.qt.rooms.attacks.words import radius
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.records import Artefact, Event, Failed, Finished, SipError
from sip_explorer.records.sweeps import CellResult
from sip_explorer.state import Session
from sip_explorer.workspace.region_salience import region_salience

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

OPEN = "figures of an evaluation"
"""Lane of the disk thread."""


class EvaluateView(FolderView):
    """Shows one evaluation at a time, that of its own job or an earlier one; or judged images."""

    what: ClassVar[str] = "evaluations"
    word: ClassVar[str] = "Evaluate"
    tip: ClassVar[str] = "Robust accuracy under the standard attacks, AutoAttack among them"
    act: ClassVar[str] = "Evaluate"
    act_tip: ClassVar[str] = "Attack the ticked models with the ticked standard attacks"

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(session, form)
        self.options = EvaluationSection(session, form)
        self.sections = (self.options.section,)
        self.results = EvaluationResults(())
        self.record: EvaluationRecord | None = None
        """The evaluation on show; its figures are the results."""
        self._live: EvaluationRecord | None = None  # the one that the job writes
        self._coming = False  # the job's first figure takes the place of what is on show
        self.go_on = QPushButton("Continue")
        self.go_on.setToolTip("Compute the figures that are missing in this evaluation")
        self.go_on.clicked.connect(self.continue_shown)
        self.export = ExportMenu()
        self.export.opening.connect(self._name_figure)
        self.export.wanted.connect(self.ask_export)
        self.judge = QPushButton("Judge images…")
        self.judge.setToolTip("Have the ticked models judge images made elsewhere (npy, pt, HDF5)")
        self.judge.clicked.connect(self.ask_judge)
        self.panes, self.judged = EvaluationPanes(), JudgedPane()
        for pane in (self.panes, self.judged):
            pane.images_chosen.connect(self.images_chosen)
        self.judged.closed.connect(self._back)
        self._empty = EmptyState(
            "Evaluate the ticked models to see what standard attacks leave standing.",
            self.act,
            self.run,
            bars_picture(),
        )
        self._lay_out()
        self.show_state()

    # ---- acts -----------------------------------------------------------------------------

    def begin(self) -> None:
        subject, workspace, choice = self.subject(), self.session.workspace, self.form.choice()
        assert workspace is not None
        attacks, names = self.options.attacks, subject.names
        wanted = EvaluationRecord(
            Path(),
            tuple(name for name, _ in subject.loaders),
            subject.ids,
            {"job": "evaluation", "norm": choice.norm, "seed": choice.seed},
            choice.epsilons,
            attacks,
            0,
            self.options.keep.isChecked(),
            self.options.where,
            self.options.salience.currentData(),
        )
        salience_of = partial(region_salience, workspace)
        job = evaluation_job(subject, wanted, salience_of, lambda: workspace.new_evaluation_folder(names))
        self._launch(f"evaluate {names}", job)
        if LONG in attacks:
            self.session.notice.emit(self.options.amount(len(subject.ids)))

    def continue_shown(self) -> None:
        """Compute what is missing in the evaluation of the list."""
        record = self.earlier.currentData()
        if record is not None and not self.running:
            self.session.attempt(lambda: self._continue(record))

    def open(self, record: EvaluationRecord) -> None:  # type: ignore[override]
        """Show an earlier evaluation."""
        self.session.jobs.ask(OPEN, open_job(record), self._opened, on="disk")

    def ask_judge(self) -> None:
        """Ask for a file and have its images judged."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Adversarial images", "", "Images (*.npy *.npz *.pt *.pth *.h5 *.hdf5);;All files (*)"
        )
        if path:
            self.session.attempt(lambda: self.judge_file(Path(path)))

    def judge_file(self, path: Path) -> None:
        """Have the ticked models judge the images of a file; SipError where there is none of them."""
        if self.running:
            return
        subject, norm = self.subject(), self.form.norm.currentData()
        try:
            epsilon = self.options.ball.epsilon
        except ValueError as error:
            raise SipError(str(error)) from None
        names = tuple(name for name, _ in subject.loaders)
        job = judge_job(path, subject.ids, lambda ids: self.subject_of(names, ids), norm, epsilon)
        self._launch(f"judge {path.name}", job)

    def show_epsilon(self, epsilon: float) -> None:
        """Follow the epsilon slider."""
        self.panes.show_epsilon(epsilon)

    def folders(self, workspace: Workspace) -> Callable[[], list[Path]]:
        return workspace.evaluation_folders

    def read(self, folder: Path) -> EvaluationRecord | None:
        return read_record(folder)

    def shown(self) -> None:
        self.options.list_salience()
        super().shown()

    def forget(self) -> None:
        self.session.jobs.drop(OPEN, on="disk")
        self.results, self.record, self._live = EvaluationResults(()), None, None
        self._pages.setCurrentWidget(self._empty)
        super().forget()
        self.show_state()

    def ask_export(self, what: str) -> None:
        """Ask where it goes and write it."""
        path = self.export.ask_where(what, "evaluation.csv")
        if path is not None:
            self.session.attempt(lambda: self.write(what, path))

    def write(self, what: str, path: Path) -> None:
        """Write a table, or the kept images of the figure in hand."""
        record, cell = self.record, self.panes.figures.cell
        if record is None or cell is None:
            return
        if what in (TABLE, PAIRS):
            job = table_job(path, self.results.cells, record.settings, pairs=what == PAIRS)
            self.session.jobs.ask("evaluation table", job, self.told, on="disk")
            return
        subject = self.subject_of((cell.model,), cell.indices)
        make = numbers_job if what == NUMBERS else pictures_job
        self.session.jobs.run(f"export {path.name}", make(path, subject, record, cell), self.told)

    # ---- events ---------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        if isinstance(event, Artefact) and isinstance(event.data, EvaluationRecord):
            self._live, self.running_folder = event.data, event.data.folder
        elif isinstance(event, Artefact) and isinstance(event.data, CellResult):
            self._take_figure(event.data)
        elif isinstance(event, Artefact) and isinstance(event.data, Judged):
            self.judged.show_judged(event.data)
            self._pages.setCurrentWidget(self.judged)
        elif isinstance(event, Finished | Failed):
            if isinstance(event, Finished) and event.outcome == "cancelled":
                self.session.notice.emit("Cancelled; what is finished is kept.")
            self.shown()
        self.show_state()

    def _take_figure(self, cell: CellResult) -> None:
        live = self._live
        assert live is not None
        if self._coming:  # what was on show before stays until the first figure is known
            self._coming = False
            if self.record is None or self.record.folder != live.folder:
                self._show(live, EvaluationResults(live.models))
        if self.record is not None and self.record.folder == live.folder:
            self.results.add(cell)
            self.panes.redraw()

    def _opened(self, event: Event) -> None:
        if isinstance(event, Artefact):
            record, cells = event.data
            self._coming = False
            results = EvaluationResults(record.models)
            for cell in cells:
                results.add(cell)
            self._show(record, results)
        elif isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)
            self.earlier.show_current(self.record.folder if self.record else None)

    # ---- showing --------------------------------------------------------------------------

    def show_state(self) -> None:
        shown = len(self.results) > 0
        listed = self.earlier.currentData()
        self._bar.setVisible(shown or self.earlier.count() > 0)
        self.go_on.setVisible(listed is not None and not listed.finished and not self.running)
        self.export.setVisible(shown)
        self.panes.switch.setVisible(shown and self._pages.currentWidget() is self.panes)
        self.judge.setEnabled(not self.running)

    def _launch(self, title: str, job: JobFactory) -> None:
        self._live, self.running_folder, self._coming = None, None, True
        self.launch(title, job)
        self.show_state()

    def _continue(self, record: EvaluationRecord) -> None:
        subject, workspace = self.subject_of(record.models, record.ids), self.session.workspace
        assert workspace is not None
        salience_of = partial(region_salience, workspace)
        self._launch(f"evaluate {subject.names}", continue_job(subject, record, salience_of))

    def _show(self, record: EvaluationRecord, results: EvaluationResults) -> None:
        self.record, self.results = record, results
        self.earlier.show_current(record.folder)
        if self.earlier.currentData() is None:
            self.shown()
        self._back()
        self.panes.show_evaluation(record, results)

    def _back(self) -> None:
        self._pages.setCurrentWidget(self.panes if self.record is not None else self._empty)
        self.show_state()

    def _name_figure(self) -> None:
        cell, record = self.panes.figures.cell, self.record
        words, kept = "", record is not None and record.keeps
        if cell is not None and record is not None:
            words = f"{cell.model} · {ATTACKS[cell.attack]} · ε {radius(cell.epsilon, record.norm)}:"
        if not kept:
            words = "The adversarial images were not kept (tick it under “Evaluation”)"
        self.export.name_cell(words, pairs=len(self.results.models) > 1, images=kept)

    def _lay_out(self) -> None:
        self._bar = QWidget()
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.earlier, 1)
        bar.addWidget(self.go_on)
        bar.addWidget(self.export)
        second = QHBoxLayout()
        second.addWidget(self.panes.switch)
        second.addStretch(1)
        second.addWidget(self.judge)
        self._pages = QStackedWidget()
        for page in (self._empty, self.panes, self.judged):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addLayout(second)
        layout.addWidget(self._pages, 1)
