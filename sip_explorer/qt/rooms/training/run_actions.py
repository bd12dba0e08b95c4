"""What can be done with the run on show: go on with it, from a snapshot of it, or again with changes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records.runs import RunFolder

NO_SNAPSHOT = "There is no snapshot to go on from: a recipe's Snapshot says how often one is kept."
HINT = "Tick two runs or more to see their curves side by side."


class RunActions(QWidget):
    """A line above the list of runs.

    Signals
    -------
    resumed()
        Go on with the run on show from where it ended.
    resumed_from(Path)
        Begin a new run that goes on from this snapshot of the run on show.
    repeated()
        Put the recipe of the run on show into the form.
    """

    resumed = Signal()
    resumed_from = Signal(object)
    repeated = Signal()

    def __init__(self) -> None:
        super().__init__()
        hint = ElidedLabel()
        hint.setText(HINT)
        hint.setProperty("role", "caption")
        self.resume = QPushButton("Resume")
        self.snapshots = QPushButton("From a snapshot")
        self.again = QPushButton("Start again with changes")
        self.menu = QMenu(self.snapshots)
        self.snapshots.setMenu(self.menu)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(hint, 1)
        for button in (self.resume, self.snapshots, self.again):
            layout.addWidget(button)
        self.resume.clicked.connect(self.resumed)
        self.again.clicked.connect(self.repeated)

    def show_run(self, run: RunTail | None, obstacle: str) -> None:
        """Offer what the run on show allows; ``obstacle`` says why no run can be started now, or is empty."""
        foreign = "" if run is None or run.recipe.get("method") else "A flow is trained on the command line."
        epochs = run.epochs if run is not None else 0
        snapshots = {epoch: path for epoch, path in snapshots_of(run).items() if epoch < epochs}
        _offer(self.resume, foreign or obstacle or _why_not(run), "Go on with this run where it ended")
        _offer(
            self.snapshots,
            foreign or obstacle or ("" if snapshots else NO_SNAPSHOT),
            "Begin a new run with the weights and optimiser of an epoch of this one",
        )
        _offer(
            self.again,
            foreign or ("" if run is not None else "There is no run yet."),
            "Put this run's recipe into the form, to be changed",
        )
        if [action.data() for action in self.menu.actions()] != list(snapshots.values()):
            self.menu.clear()
            for epoch, path in snapshots.items():
                action = self.menu.addAction(f"Epoch {epoch}")
                action.setData(path)
                action.triggered.connect(lambda _=False, path=path: self.resumed_from.emit(path))


def snapshots_of(run: RunTail | None) -> dict[int, Path]:
    """Return epoch -> snapshot file of a run."""
    return RunFolder(run.path).snapshots() if run is not None else {}


def _why_not(run: RunTail | None) -> str:
    if run is None:
        return "There is no run yet."
    if run.working:
        return "This run works."
    if run.state == "completed":
        return "This run is complete: go on from a snapshot with more epochs, or start again."
    if not RunFolder(run.path).last_path.exists():
        return "This run ended before its first epoch: start it again."
    return ""


def _offer(button: QPushButton, obstacle: str, tip: str) -> None:
    button.setEnabled(not obstacle)
    button.setToolTip(obstacle or tip)
