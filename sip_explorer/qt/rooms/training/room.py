"""The Train room: start a run, watch it, compare it with others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.training.batch_strip import BatchStrip
from sip_explorer.qt.rooms.training.picture import curves_picture
from sip_explorer.qt.rooms.training.recipe_panel import RecipePanel
from sip_explorer.qt.rooms.training.run_curves import RunCurves
from sip_explorer.qt.rooms.training.run_list import RunList
from sip_explorer.qt.rooms.training.run_shelf import RunShelf
from sip_explorer.qt.rooms.training.run_status import RunStatus, figures
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished
from sip_explorer.state import Session
from sip_explorer.state.jobs import JobRow

SHOW_EVERY = 300  # milliseconds between two looks at the log of a run that works
TICK = 1000
EMPTY = "Start a run: its curves are drawn here."


class TrainingRoom(Room):
    """Curves of the run on show, its training images, all runs; the recipe at the right."""

    key: ClassVar[str] = "training"
    title: ClassVar[str] = "Train"
    icon_name: ClassVar[str] = "training"
    uses_film_strip: ClassVar[bool] = False

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.start_button = self.add_button("Start", primary=True)
        self.stop_button = self.add_button(
            "Stop and keep", tip="End after the step under way, validate, and keep the best checkpoint"
        )
        self.cancel_button = self.add_button("Cancel", tip="End now; the run gives no model")
        self.start_button.clicked.connect(self.start)
        self.stop_button.clicked.connect(self.stop)
        self.cancel_button.clicked.connect(self.cancel)
        # Wide enough for the longest words of a list, so that none is cut.
        self.inspector.setFixedWidth(int(self.fontMetrics().averageCharWidth() * 55))
        self.panel = RecipePanel(session, self.inspector, self)
        self.status = RunStatus()
        self.curves = RunCurves()
        self.strip = BatchStrip()
        self.runs = RunList()
        self.shelf = RunShelf(session, self._runs_changed)
        self._make_centre()
        self._job: JobRow | None = None
        self._live: RunTail | None = None
        self._batches: dict[Path, tuple[dict[str, Any], str]] = {}
        self._strip_batch: dict[str, Any] | None = None
        self._show_soon = QTimer(self)
        self._show_soon.setSingleShot(True)
        self._show_soon.setInterval(SHOW_EVERY)
        self._show_soon.timeout.connect(self._read_live)
        self._clock = QTimer(self)
        self._clock.setInterval(TICK)
        self._clock.timeout.connect(self._tick)
        self.panel.changed.connect(self._show_buttons)
        self.runs.chosen.connect(self._show_chosen)
        session.workspace_changed.connect(self._take_workspace)
        self._show_buttons()
        self._show_chosen()

    def _make_centre(self) -> None:
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.status)
        column.addWidget(self.curves, 1)
        column.addWidget(self.strip)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(top)
        split.addWidget(self.runs)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 1)
        self.empty = EmptyState(EMPTY, "Start with this recipe", self.start, curves_picture())
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(split)
        self.centre.addWidget(self._pages)

    # ---- starting and ending --------------------------------------------------------------

    @property
    def working(self) -> bool:
        """Whether a run of this room is queued or works, or its end is not shown yet."""
        return self._live is not None

    def start(self) -> None:
        """Start a run with the recipe of the form."""
        if not self.working and not self.panel.problem:
            self.session.attempt(self._start)

    def stop(self) -> None:
        """End the run early and keep its best checkpoint."""
        if self._job is not None:
            self._job.handle.token.stop()
            self._show_live()

    def cancel(self) -> None:
        """End the run now and throw its result away."""
        if self._job is not None:
            self._job.handle.token.cancel()
            self._show_live()

    def _start(self) -> None:
        session, workspace = self.session, self.session.workspace
        assert workspace is not None
        name = self._new_name()
        recipe = self.panel.recipe(name)
        entry = self.panel.reference()
        folder = workspace.new_run_folder(name)

        def work(token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.training import train
            from sip_explorer.workspace import training_data

            data = training_data(workspace, recipe)
            yield None
            reference = session.load_classifier(entry) if entry is not None else None
            yield None
            yield from train(recipe, folder, data, reference=reference, token=token)

        self._live = self.shelf.follow(folder)
        self._live.recipe = {"name": name, "method": recipe.method, "epochs": recipe.epochs}
        self._job = session.jobs.run(f"train {name}", work, self._on_event)
        self.runs.choose(folder)
        self._show_buttons()
        self._show_live()

    def _new_name(self) -> str:
        typed = str(self.panel.form.value("name") or "")
        wanted = typed or self.panel.suggested_name()
        taken = {run.name for run in self.shelf.tails}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} {number}"
        return name

    def _on_event(self, event: Event) -> None:
        live = self._live
        if live is None:
            return
        if isinstance(event, Artefact) and event.kind == "batch":
            words = f"Original and trained on, in epoch {int(live.epochs_done) + 1}"
            if live.recipe.get("method") == "sip-at":
                words += "; outlined: salience, which the attack leaves alone"
            self._batches = {live.path: (event.data, words)}
        if isinstance(event, Finished | Failed):
            self._ended(live, event)
        elif not self._show_soon.isActive():
            self._show_soon.start()

    def _ended(self, run: RunTail, event: Finished | Failed) -> None:
        self._show_soon.stop()
        self._read_live()
        self._live = None
        self.shelf.unfollow()
        if self._clock.isActive():  # else the room is out of sight, or the program closes
            self.shelf.refresh()
        self._show_buttons()
        self._show_chosen()
        self.session.refresh_models()
        if isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)
        elif event.outcome == "cancelled":
            self.session.notice.emit(f"{run.name} was cancelled; it gives no model.")
        else:
            word = "finished" if event.outcome == "completed" else "was stopped and kept"
            self.session.notice.emit(f"{run.name} {word}: {figures(run)}. Its model is among the models.")

    # ---- showing --------------------------------------------------------------------------

    def entered(self) -> None:
        self.panel.entered()
        self.shelf.refresh()
        self._clock.start()
        self._show_chosen()

    def left(self) -> None:
        self.panel.left()
        self._clock.stop()

    def _take_workspace(self, _workspace: object) -> None:
        self.shelf.clear()
        self._runs_changed()
        self.shelf.refresh()

    def _runs_changed(self) -> None:
        self.runs.set_runs(self.shelf.tails)
        self._pages.setCurrentIndex(1 if self.shelf.tails else 0)

    def _tick(self) -> None:
        # Runs of the command line and of other machines are folders too: look for them.
        if not self.shelf.waiting:
            self.shelf.refresh()
        self.runs.refresh_working()
        self._show_status()

    def _read_live(self) -> None:
        if self._live is not None:
            self._live.read()
            self._show_live()

    def _show_live(self) -> None:
        """Show what is new of the run that works."""
        live = self._live
        if live is None:
            return
        self.runs.refresh(live)
        self._show_status()
        if live in self.runs.selected or live is self.runs.current:
            self._show_curves()
            self._show_strip()

    def _show_chosen(self) -> None:
        self._show_status()
        self._show_curves()
        self._show_strip()

    def _show_status(self) -> None:
        run = self.runs.current
        doing = ""
        if run is not None and run is self._live and self._job is not None:
            doing = self._doing(self._job)
        self.status.show_run(run, doing)
        self.set_subject(subject(run) if run is not None else "")

    def _doing(self, job: JobRow) -> str:
        if job.handle.token.cancelled:
            return "Cancelling"
        if job.handle.token.stopping:
            return "Stopping: the step under way and one validation are left"
        if job.state == "queued":
            first = self.session.jobs.running[0]
            return f"Waits for {first.title}" if first is not job else "Waits for the device"
        return ""

    def _show_curves(self) -> None:
        if self.isVisible():
            current = self.runs.current
            self.curves.show_runs(current, [run for run in self.runs.selected if run is not current])

    def _show_strip(self) -> None:
        run = self.runs.current
        batch = self._batches.get(run.path) if run is not None else None
        self.strip.setVisible(batch is not None)
        if batch is not None and batch[0] is not self._strip_batch:
            self._strip_batch = batch[0]
            self.strip.show_batch(*batch)

    def _show_buttons(self) -> None:
        working, problem = self.working, self.panel.problem
        self.stop_button.setVisible(working)
        self.cancel_button.setVisible(working)
        for button in (self.start_button, self.empty.button):
            button.setEnabled(not working and not problem)
            tip = "A run works: stop or cancel it first." if working else problem
            button.setToolTip(tip or "Start a run with this recipe")


def subject(run: RunTail) -> str:
    """Return a run's name, and its method where the name does not say it."""
    return run.name if run.name.startswith(run.method) else f"{run.name} · {run.method}"
