"""What the views of the bench have in common: a section of the inspector, and one job at a time."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.subject import Subject, subject
from sip_explorer.qt.widgets.section import Section
from sip_explorer.records import Event, Failed, Finished, Notice, SipError
from sip_explorer.state import Session
from sip_explorer.state.jobs import JobRow

NO_MODEL = "No trained model is here: train one, or add one with File → Add a trained model…"


class BenchView(QWidget):
    """Base of the views. Subclasses say what the primary button does, and take their job's events.

    Attributes
    ----------
    word, tip : str
        On the switch between the views.
    act, act_tip : str
        On the room's primary button while the view is on show.
    sections : sequence of Section
        The view's part of the inspector, shown with the view.

    Signals
    -------
    state_changed()
        The job began or ended.
    images_chosen(list, str)
        Ids of images to go to, and what they are in words.
    """

    word: ClassVar[str] = ""
    tip: ClassVar[str] = ""
    act: ClassVar[str] = ""
    act_tip: ClassVar[str] = ""

    state_changed = Signal()
    images_chosen = Signal(list, str)

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__()
        self.session = session
        self.form = form
        self.sections: tuple[Section, ...] = ()
        self.row: JobRow | None = None

    @property
    def running(self) -> bool:
        """Whether the view's job is queued or works."""
        return self.row is not None

    def run(self) -> None:
        """Do what the primary button says; what is not possible is told as a problem."""
        if self.running:
            return
        try:
            self.begin()
        except (SipError, ValueError) as error:
            self.session.problem.emit(str(error), "")

    def cancel(self) -> None:
        """Stop the job; what it finished stays."""
        if self.row is not None:
            self.row.handle.token.cancel()

    def shown(self) -> None:
        """The view came on show."""

    def forget(self) -> None:
        """Another workspace is open. A job of the last one goes on, unseen."""
        self.row = None
        self.state_changed.emit()

    # ---- for subclasses -------------------------------------------------------------------

    def begin(self) -> None:
        """Start the job; SipError or ValueError with a sentence where that is not possible."""
        raise NotImplementedError

    def take(self, event: Event) -> None:
        """Look at an event of the job."""
        raise NotImplementedError

    def launch(self, title: str, factory: JobFactory) -> None:
        """Start ``factory`` as the view's job."""
        row: JobRow

        def follow(event: Event) -> None:
            if row is not self.row:  # of a workspace that is closed
                return
            if isinstance(event, Finished | Failed):
                self.row = None
            if isinstance(event, Notice):
                self.session.notice.emit(event.message)
            elif isinstance(event, Failed):
                self.session.problem.emit(event.message, event.detail)
            self.take(event)
            if self.row is None:
                self.state_changed.emit()

        row = self.row = self.session.jobs.run(title, factory, follow)
        self.state_changed.emit()

    def subject(self) -> Subject:
        """Return the ticked models on the images of the form.

        Raises
        ------
        SipError
            Where no model is ticked, or there are no such images.
        """
        session = self.session
        entries = [entry for entry in map(session.model, session.selection.models) if entry is not None]
        if not entries:
            ticked = "No model is chosen: tick at least one in the list at the right."
            raise SipError(ticked if self.form.has_models() else NO_MODEL)
        return subject(session, entries, self.form.images.currentData(), self.form.count.value())
