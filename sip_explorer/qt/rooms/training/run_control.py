"""The run that this window works on: started, paused, stopped, cancelled, followed to its end."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from sip_explorer.qt.rooms.training.run_order import PROCESS, RunOrder, run_job
from sip_explorer.qt.rooms.training.run_shelf import RunShelf
from sip_explorer.qt.rooms.training.run_status import figures
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.records import Artefact, Event, Failed, Finished
from sip_explorer.state import Session
from sip_explorer.state.jobs import JobRow

SHOW_EVERY = 300  # milliseconds between two looks at the log of a run that works


class RunControl(QObject):
    """One run at a time, in the device thread or in a process of its own.

    Signals
    -------
    changed()
        A run began, ended, or is asked to wait or to end.
    grew()
        The log of the run has something new.
    showed()
        The run has new images to show.
    """

    changed = Signal()
    grew = Signal()
    showed = Signal()

    def __init__(self, session: Session, shelf: RunShelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shelf = shelf
        self._job: JobRow | None = None
        self.run: RunTail | None = None
        self._read_soon = QTimer(self)
        self._read_soon.setSingleShot(True)
        self._read_soon.setInterval(SHOW_EVERY)
        self._read_soon.timeout.connect(self._read)

    @property
    def working(self) -> bool:
        """Whether a run is queued or works, or its end is not shown yet."""
        return self.run is not None

    @property
    def paused(self) -> bool:
        """Whether the run is to wait."""
        return self._job is not None and self._job.paused

    @property
    def ending(self) -> bool:
        """Whether the run was asked to end."""
        return self._job is not None and (self._job.handle.token.stopping or self._job.handle.token.cancelled)

    def start(self, order: RunOrder) -> RunTail:
        """Begin, or go on with, what is ordered."""
        workspace = self._session.workspace
        assert workspace is not None
        self.run = self._shelf.follow(order.folder)
        self.run.held = "running"
        self.run.recipe = {
            "name": order.name, "method": order.recipe.method, "epochs": order.recipe.epochs,
            "budget": getattr(order.recipe, "budget", ""), **self.run.recipe,
        }  # fmt: skip
        self._job = self._session.jobs.run(
            f"train {order.name}",
            run_job(order, self._session, workspace),
            self._on_event,
            on="process" if order.place == PROCESS else "device",
        )
        self.changed.emit()
        return self.run

    def pause(self) -> None:
        """Have the run wait, or go on where it waits."""
        if self._job is not None and self.run is not None and not self.ending:
            if self.paused:
                self._session.jobs.resume(self._job)
            else:
                self._session.jobs.pause(self._job)
            self.run.held = "paused" if self.paused else "running"
            self.changed.emit()

    def stop(self) -> None:
        """End the run early and keep its best checkpoint."""
        if self._job is not None:
            self._job.handle.token.stop()
            self._no_longer_paused()

    def cancel(self) -> None:
        """End the run now and throw its result away."""
        if self._job is not None:
            self._job.handle.token.cancel()
            self._no_longer_paused()

    def doing(self) -> str:
        """Return what the run waits for or is asked to do, in words; empty while it simply works."""
        job = self._job
        if job is None:
            return ""
        if job.handle.token.cancelled:
            return "Cancelling"
        if job.handle.token.stopping:
            return "Stopping: the step under way and one validation are left"
        if job.paused:
            return "Paused"
        if job.state in ("queued", "paused"):
            first = next((row for row in self._session.jobs.running if row.state == "running"), None)
            return f"Waits for {first.title}" if first not in (job, None) else "Waits for the device"
        return ""

    def _no_longer_paused(self) -> None:
        if self.run is not None:
            self.run.held = "running"
        self.changed.emit()

    def _read(self) -> None:
        if self.run is not None and self.run.read():
            self.grew.emit()

    def _on_event(self, event: Event) -> None:
        run = self.run
        if run is None:
            return
        if isinstance(event, Artefact) and event.kind in ("batch", "samples"):
            self.showed.emit()
        if isinstance(event, Finished | Failed):
            self._ended(run, event)
        elif not self._read_soon.isActive():
            self._read_soon.start()

    def _ended(self, run: RunTail, event: Finished | Failed) -> None:
        self._read_soon.stop()
        run.read()
        run.held = ""
        self.run = self._job = None
        self._shelf.unfollow()
        self.changed.emit()
        self._session.refresh_models()
        if isinstance(event, Failed):
            self._session.problem.emit(event.message, event.detail)
        elif event.outcome == "cancelled":
            self._session.notice.emit(f"{run.name} was cancelled; it gives no model.")
        else:
            word = "finished" if event.outcome == "completed" else "was stopped and kept"
            self._session.notice.emit(f"{run.name} {word}: {figures(run)}. Its model is among the models.")
