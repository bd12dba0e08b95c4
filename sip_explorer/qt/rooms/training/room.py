"""The Train room: start a run, watch it, go on with it, compare it with others."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.training.batch_strip import BatchStrip
from sip_explorer.qt.rooms.training.picture import curves_picture
from sip_explorer.qt.rooms.training.recipe_menu import RecipeMenu
from sip_explorer.qt.rooms.training.recipe_panel import RecipePanel
from sip_explorer.qt.rooms.training.run_actions import RunActions, snapshots_of
from sip_explorer.qt.rooms.training.run_batch import RunBatch
from sip_explorer.qt.rooms.training.run_control import RunControl
from sip_explorer.qt.rooms.training.run_curves import RunCurves
from sip_explorer.qt.rooms.training.run_list import RunList
from sip_explorer.qt.rooms.training.run_order import RunOrder
from sip_explorer.qt.rooms.training.run_samples import RunSamples
from sip_explorer.qt.rooms.training.run_shelf import RunShelf
from sip_explorer.qt.rooms.training.run_status import RunStatus
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.sample_strip import SampleStrip
from sip_explorer.qt.rooms.training.words import batch_words
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.state import Session

TICK = 1000
EMPTY = "Start a run: its curves are drawn here."
BUSY = "A run works: stop or cancel it first."


class TrainingRoom(Room):
    """Curves of the run on show, its training images, all runs; the recipe at the right."""

    key: ClassVar[str] = "training"
    title: ClassVar[str] = "Train"
    icon_name: ClassVar[str] = "training"
    uses_film_strip: ClassVar[bool] = False

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        # Wide enough for the longest words of a list, so that none is cut.
        self.inspector.setFixedWidth(int(self.fontMetrics().averageCharWidth() * 55))
        self.panel = RecipePanel(session, self.inspector, self)
        self.status = RunStatus()
        self.curves = RunCurves()
        self.strip = BatchStrip()
        self.strip.hide()  # until there are images
        self.drawn = SampleStrip()
        self.runs = RunList()
        self.deeds = RunActions()
        self.shelf = RunShelf(session, self._runs_changed)
        self.control = RunControl(session, self.shelf, self)
        self.batch = RunBatch(session, self)
        self.samples = RunSamples(session, self)
        self._make_header()
        self._make_centre()
        self._clock = QTimer(self)
        self._clock.setInterval(TICK)
        self._clock.timeout.connect(self._tick)
        self.panel.changed.connect(self._show_buttons)
        self.runs.chosen.connect(self._show_chosen)
        self.control.changed.connect(self._control_changed)
        self.control.grew.connect(self._show_live)
        self.control.showed.connect(self._look_for_images)
        self.batch.changed.connect(self._show_strip)
        self.samples.changed.connect(self._show_samples)
        self.drawn.epoch_wanted.connect(self.samples.show_epoch)
        self.deeds.resumed.connect(self.resume)
        self.deeds.resumed_from.connect(self.resume_from)
        self.deeds.repeated.connect(self.repeat)
        session.workspace_changed.connect(self._take_workspace)
        self._show_buttons()
        self._show_chosen()

    def _make_header(self) -> None:
        self.recipes = RecipeMenu(self.session, self.panel)
        self._actions.addWidget(self.recipes)
        self.start_button = self.add_button("Start", primary=True)
        self.pause_button = self.add_button("Pause", tip="Let the device rest; the run goes on where it is")
        self.stop_button = self.add_button(
            "Stop and keep", tip="End after the step under way, validate, and keep the best checkpoint"
        )
        self.cancel_button = self.add_button("Cancel", tip="End now; the run gives no model")
        self.start_button.clicked.connect(self.start)
        self.pause_button.clicked.connect(self.control.pause)
        self.stop_button.clicked.connect(self.control.stop)
        self.cancel_button.clicked.connect(self.control.cancel)

    def _make_centre(self) -> None:
        top, bottom = QWidget(), QWidget()
        for holder, spacing, parts in (
            (top, 8, (self.status, self.curves, self.strip, self.drawn)),
            (bottom, 4, (self.deeds, self.runs)),
        ):
            column = QVBoxLayout(holder)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(spacing)
            for part in parts:
                column.addWidget(part, 1 if part in (self.curves, self.runs) else 0)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(top)
        split.addWidget(bottom)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 1)
        self.empty = EmptyState(EMPTY, "Start with this recipe", self.start, curves_picture())
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(split)
        self.centre.addWidget(self._pages)

    # ---- starting -------------------------------------------------------------------------

    @property
    def working(self) -> bool:
        """Whether a run of this room is queued or works, or its end is not shown yet."""
        return self.control.working

    def start(self) -> None:
        """Start a run with the recipe of the form."""
        if not self._obstacle(form=True):
            self.session.attempt(self._start)

    def resume(self) -> None:
        """Go on with the run on show where it ended."""
        run = self.runs.current
        if run is not None and not self._obstacle():
            self.session.attempt(lambda: self._begin(self.panel.order_again(run, run.name, folder=run.path)))

    def resume_from(self, snapshot: Path) -> None:
        """Begin a new run that goes on from a snapshot of the run on show, by the same recipe."""
        run = self.runs.current
        if run is not None and not self._obstacle():
            name = self._unused(f"{run.name}, from epoch {snapshot.stem}")
            self.session.attempt(lambda: self._begin(self.panel.order_again(run, name, snapshot=snapshot)))

    def repeat(self) -> None:
        """Put the recipe of the run on show into the form."""
        run = self.runs.current
        if run is not None:
            self.panel.load(run.recipe, run.name, snapshots_of(run))
            self.session.notice.emit(f"The form holds the recipe of {run.name}: change it and press Start.")

    def _start(self) -> None:
        typed = str(self.panel.form.value("name") or "")
        self._begin(self.panel.order(self._unused(typed or self.panel.suggested_name())))

    def _begin(self, order: RunOrder) -> None:
        self.control.start(order)
        self.runs.choose(order.folder)
        self._show_live()

    def _unused(self, wanted: str) -> str:
        taken = {run.name for run in self.shelf.tails}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} {number}"
        return name

    def _obstacle(self, *, form: bool = False) -> str:
        """Why no run can be started now, or empty; ``form``: with the recipe of the form."""
        if self.working:
            return BUSY
        return self.panel.problem if form else self.panel.obstacle

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

    def _control_changed(self) -> None:
        if not self.working and self._clock.isActive():  # else the room is out of sight, or closes
            self.shelf.refresh()
        self._show_buttons()
        self._show_chosen()
        self.runs.viewport().update()

    def _tick(self) -> None:
        # Runs of the command line and of other machines are folders too: look for them.
        if not self.shelf.waiting:
            self.shelf.refresh()
        self.runs.refresh_working()
        self._look_for_images()
        self._show_status()

    def _show_live(self) -> None:
        """Show what is new of the run that works."""
        live = self.control.run
        if live is not None:
            self.runs.refresh(live)
            self._show_status()
            if live in self.runs.shown:
                self._show_curves()

    def _show_chosen(self) -> None:
        self._look_for_images()
        self._show_status()
        self._show_curves()

    def _show_status(self) -> None:
        run = self.runs.current
        live = run is not None and run is self.control.run
        self.status.show_run(run, self.control.doing() if live else "")
        self.set_subject(subject(run) if run is not None else "")
        self.deeds.show_run(run, self._obstacle())

    def _show_curves(self) -> None:
        if self.isVisible():
            self.curves.show_runs(self.runs.shown, self.runs.colours)

    def _look_for_images(self) -> None:
        run = self.runs.current
        self.batch.show_run(run.path if run is not None else None)
        self.samples.show_run(run.path if run is not None and run.is_flow else None)

    def _show_strip(self) -> None:
        run, batch = self.runs.current, self.batch.batch
        self.strip.setVisible(batch is not None)
        if batch is not None and run is not None:
            self.strip.show_batch(batch, batch_words(run.recipe, batch.epoch))

    def _show_samples(self) -> None:
        self.drawn.setVisible(self.samples.grid is not None)
        if self.samples.grid is not None:
            self.drawn.show_grid(self.samples.grid, self.samples.epochs)

    def _show_buttons(self) -> None:
        working = self.working
        for button in (self.pause_button, self.stop_button, self.cancel_button):
            button.setVisible(working)
        self.pause_button.setText("Go on" if self.control.paused else "Pause")
        self.pause_button.setEnabled(not self.control.ending)
        self.stop_button.setEnabled(not self.control.ending)
        obstacle = self._obstacle(form=True)
        for button in (self.start_button, self.empty.button):
            button.setEnabled(not obstacle)
            button.setToolTip(obstacle or "Start a run with this recipe")


def subject(run: RunTail) -> str:
    """Return a run's name, and its method where the name does not say it."""
    return run.name if run.name.startswith(run.method) else f"{run.name} · {run.method}"
