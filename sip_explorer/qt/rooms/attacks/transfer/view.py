"""Transfer: whose adversarial images fool whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.epsilon_choice import EpsilonChoice
from sip_explorer.qt.rooms.attacks.exporting import file_job
from sip_explorer.qt.rooms.attacks.fields import combo
from sip_explorer.qt.rooms.attacks.folder_view import FolderView
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.pictures import matrix_picture
from sip_explorer.qt.rooms.attacks.transfer.job import ADAPTIVE, AS_BELOW, open_job, transfer_job
from sip_explorer.qt.rooms.attacks.transfer.matrix import TransferMatrix
from sip_explorer.qt.rooms.attacks.transfer.record import TransferRecord, read_record
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.records import Artefact, Event, Failed, Finished, SipError
from sip_explorer.records.transfers import TransferMatrix as Found
from sip_explorer.records.transfers import write_transfer_table
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


class TransferView(FolderView):
    """Shows one matrix at a time; an earlier one is judged anew from its images on disk."""

    what: ClassVar[str] = "transfers"
    word: ClassVar[str] = "Transfer"
    tip: ClassVar[str] = "Adversarial images made on each model, tried on each other"
    act: ClassVar[str] = "Run the transfer"
    act_tip: ClassVar[str] = "Attack each ticked model and try its adversarial images on all of them"

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(session, form)
        self.found: Found | None = None
        self._record: TransferRecord | None = None  # of the job
        section = form.add_section("Transfer")
        self.sections = (section,)
        self.attack = combo({AS_BELOW: "PGD as below", ADAPTIVE: "APGD, log-odds, 100 steps"})
        section.add_row("Attack", self.attack, tip="Run on every ticked model")
        self.epsilon = EpsilonChoice(form)
        section.add_row("At ε", self.epsilon, tip="How much the attack may change")
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.export = QPushButton("Export…")
        self.export.setToolTip("Write the matrix with its 95 % intervals as comma-separated values")
        self.export.clicked.connect(self.ask_export)
        self.of = Segments(
            (
                ("All images", "Of all images, those included that are wrong without any attack"),
                ("Both right", "Of the images that source and target get right without any attack"),
            )
        )
        self.of.setAccessibleName("Of which images")
        self.of.chosen.connect(self._draw)
        self.matrix = TransferMatrix()
        self.matrix.cell_chosen.connect(self._say)
        self.matrix.cell_opened.connect(self._open_images)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self._empty = EmptyState(
            "Tick two models or more to see whose adversarial images fool whom.",
            self.act,
            self.run,
            matrix_picture(),
        )
        self._lay_out()
        self.show_state()

    # ---- acts -----------------------------------------------------------------------------

    def begin(self) -> None:
        choice, subject, workspace = self.form.choice(), self.subject(), self.session.workspace
        assert workspace is not None
        if len(subject.loaders) < 2:
            raise SipError("Transfer tries the images of one model on another: tick at least two models.")
        names = subject.names
        job = transfer_job(
            subject,
            choice,
            self.attack.currentData(),
            self.epsilon.epsilon,
            lambda: workspace.new_transfer_folder(names),
        )
        self.launch(f"transfer {names}", job)

    def open(self, record: TransferRecord) -> None:  # type: ignore[override]
        """Try the images of an earlier transfer again; make those that are missing."""
        self.session.attempt(lambda: self._open(record))

    def ask_export(self) -> None:
        """Ask where the table goes and write it."""
        path, _ = QFileDialog.getSaveFileName(self, "Transfer", "transfer.csv", "Tables (*.csv)")
        found = self.found
        if path and found is not None:
            job = file_job(Path(path), lambda: write_transfer_table(path, found))
            self.session.jobs.ask("transfer table", job, self.told, on="disk")

    def folders(self, workspace: Workspace) -> Callable[[], list[Path]]:
        return workspace.transfer_folders

    def read(self, folder: Path) -> TransferRecord | None:
        return read_record(folder)

    def forget(self) -> None:
        self.found = self._record = None
        super().forget()
        self.show_state()

    # ---- events ---------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        if isinstance(event, Artefact) and isinstance(event.data, TransferRecord):
            self._record, self.running_folder = event.data, event.data.folder
        elif isinstance(event, Artefact) and isinstance(event.data, Found) and self._record is not None:
            self.found = event.data
            self.title.setText(self._record.words)
            self.earlier.show_current(self._record.folder)
            self._draw()
        elif isinstance(event, Finished | Failed):
            if isinstance(event, Finished) and event.outcome == "cancelled":
                self.session.notice.emit("The transfer was cancelled; the images that were made are kept.")
            self.shown()
        self.show_state()

    # ---- showing --------------------------------------------------------------------------

    def show_state(self) -> None:
        shown = self.found is not None
        self._empty.setVisible(not shown)
        self._results.setVisible(shown)
        self.export.setVisible(shown)
        self._bar.setVisible(shown or self.earlier.count() > 0)
        self.earlier.setEnabled(not self.running)

    def _open(self, record: TransferRecord) -> None:
        subject = self.subject_of(record.models, record.ids)
        self.launch(f"transfer {subject.names}", open_job(subject, record))
        self.show_state()

    def _draw(self, *_: object) -> None:
        found = self.found
        if found is None:
            return
        names = found.models
        shares = found.success if self.of.currentIndex() == 0 else found.success_where_both_right
        tips = [[self._sentence(s, t) for t in range(len(names))] for s in range(len(names))]
        self.matrix.show_shares(names, shares, tips)
        self._say(*self.matrix.current)

    def _say(self, source: int, target: int) -> None:
        self.words.setText(self._sentence(source, target))

    def _sentence(self, source: int, target: int) -> str:
        found = self.found
        assert found is not None
        row = found.rows()[source * len(found.models) + target]
        which = "" if self.of.currentIndex() == 0 else "_where_both_right"
        images = row[f"images{which}"]
        made, tried = found.models[source], found.models[target]
        whose = f"Made on {made}, tried on {tried}" if source != target else f"Made and tried on {made}"
        if not images:
            return f"{whose}: no image is classified right by both."
        of = "images" if not which else "images that both get right without any attack"
        share, low, high = (100 * row[f"{name}{which}"] for name in ("success", "low_95", "high_95"))
        interval = f"95 % {low:.1f} to {high:.1f}"
        return f"{whose}: {share:.1f} % misclassified ({interval}, {images:,} {of})."

    def _open_images(self, source: int, target: int) -> None:
        found = self.found
        assert found is not None
        wrong = found.success_per_image[source, target]
        if self.of.currentIndex():
            wrong = wrong & found.clean_correct[source] & found.clean_correct[target]
        made, tried = found.models[source], found.models[target]
        words = f"misclassified by {tried} as adversarial images made on {made}"
        self.images_chosen.emit([int(i) for i in found.indices[wrong]], words)

    def _lay_out(self) -> None:
        self._bar = QWidget()
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.earlier, 1)
        bar.addWidget(self.export)
        which = QHBoxLayout()
        which.addWidget(self.of)
        which.addStretch(1)
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        results.setSpacing(8)
        results.addWidget(self.title)
        results.addLayout(which)
        results.addWidget(self.matrix)
        results.addWidget(self.words)
        results.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addWidget(self._results, 1)
        layout.addWidget(self._empty, 1)
