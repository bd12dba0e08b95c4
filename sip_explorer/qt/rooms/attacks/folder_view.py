"""A view whose results lie in folders of the workspace, earlier ones among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.bench_view import BenchView
from sip_explorer.qt.rooms.attacks.earlier import EarlierBox, Record, list_job
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.subject import Subject, subject_of
from sip_explorer.records import Artefact, Event, Failed, Finished, Notice, SipError
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


class FolderView(BenchView):
    """Lists the folders of its kind each time it comes on show, and after each of its jobs.

    Attributes
    ----------
    what : str
        What the folders hold, such as "sweeps".
    """

    what: ClassVar[str] = ""

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(session, form)
        self.running_folder: Path | None = None
        """The folder that the view's job writes, once it is known."""
        self.earlier = EarlierBox(self.what)
        self.earlier.chosen.connect(self.open)

    def shown(self) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            job = list_job(self.folders(workspace), self.read)
            self.session.jobs.ask(f"earlier {self.what}", job, self._listed, on="disk")

    def forget(self) -> None:
        self.session.jobs.drop(f"earlier {self.what}", on="disk")
        self.running_folder = None
        self.earlier.set_records([])
        self.earlier.show_current(None)
        super().forget()

    # ---- for subclasses -------------------------------------------------------------------

    def folders(self, workspace: Workspace) -> Callable[[], list[Path]]:
        """Return what lists the folders, oldest first."""
        raise NotImplementedError

    def read(self, folder: Path) -> Record | None:
        """Return what a folder says of itself, None where it holds nothing of the kind; disk thread."""
        raise NotImplementedError

    def open(self, record: Record) -> None:
        """Show an earlier one."""
        raise NotImplementedError

    def show_state(self) -> None:
        """Show what there is to be done: the list, what is on show or the job may have changed."""
        raise NotImplementedError

    def subject_of(self, names: tuple[str, ...], ids: NDArray[np.int64]) -> Subject:
        """Return models of the workspace by name on exactly these images.

        Raises
        ------
        SipError
            Where a model or an image is not in the workspace any more.
        """
        models = {entry.name: entry for entry in self.session.models if entry.kind == "classifier"}
        gone = [name for name in names if name not in models]
        if gone:
            raise SipError(f"The model {gone[0]} is not in this workspace any more: add it again.")
        return subject_of(self.session, [models[name] for name in names], ids)

    def told(self, event: Event) -> None:
        """Tell what a job that only writes a file says."""
        if isinstance(event, Notice):
            self.session.notice.emit(event.message)
        elif isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)
        elif isinstance(event, Finished) and "sentence" in event.summary:
            self.session.notice.emit(str(event.summary["sentence"]))

    def _listed(self, event: Event) -> None:
        if isinstance(event, Artefact):
            self.earlier.set_records(event.data, self.running_folder if self.running else None)
            self.show_state()
