"""Many images under attack: the job, and what it found so far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from sip_explorer.qt.rooms.prototypes import attack_requests
from sip_explorer.qt.rooms.prototypes.attack_requests import Drifted
from sip_explorer.qt.rooms.prototypes.attack_section import AttackSection, AttackSettings
from sip_explorer.qt.rooms.prototypes.galleries import label_of, spread
from sip_explorer.qt.rooms.prototypes.requests import Job
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.records import Artefact, Event, Failed, Finished
from sip_explorer.state.jobs import JobRow

CHANCE = "chance"
"""The curve of a detector that knows nothing."""


class AttackResults(QObject):
    """The last attack on test images, and the foreign images that were scored.

    Signals
    -------
    changed()
        Something was found, or the work began or ended.
    """

    changed = Signal()

    def __init__(self, subject: Subject, form: AttackSection) -> None:
        super().__init__(subject)
        self._subject, self._form = subject, form
        self.steps: tuple[Drifted, ...] = ()
        self.sentences: tuple[str, ...] = ()
        """Of each epsilon above 0, once all are done."""
        self.settings: AttackSettings | None = None
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.foreign: dict[str, NDArray[np.float64]] = {}
        """log p(x) in nats of other images, by what they are called; another mapping at each change."""
        self._folders: dict[str, Path] = {}
        self.row: JobRow | None = None
        subject.flow_changed.connect(self._forget)

    @property
    def words(self) -> str:
        """What was attacked and how."""
        if self.settings is None:
            return ""
        return f"{self.settings.words}, {len(self.ids):,} test images"

    def attack(self) -> None:
        """Start the attack on test images; nothing where one is under way."""
        subject, session, settings = self._subject, self._subject.session, self._form.settings()
        workspace, kept, entry = session.workspace, subject.kept, subject.entry
        if self.row is not None or workspace is None or kept is None or entry is None:
            return
        if subject.means is None:  # it is being loaded, or cannot be: the column at the right says so
            return
        if subject.grid[0] < 2:
            session.problem.emit(
                f"{entry.name} has one class, so nothing can be misclassified: choose another model.", ""
            )
            return
        if settings is None:
            session.problem.emit("The epsilons cannot be read: correct them in the column at the right.", "")
            return
        ids = workspace.image_ids(split="test")
        labels = np.array(
            [label_of(subject.classes, workspace.classes, n) for n in workspace.labels(ids)], np.int64
        )
        places = spread(np.flatnonzero(labels >= 0), settings.count)
        if not len(places):
            session.problem.emit(
                f"No test image has a class that {entry.name} knows: choose another workspace or model.", ""
            )
            return
        self.steps, self.sentences, self.settings, self.ids = (), (), settings, ids[places]
        job = attack_requests.drift_many(kept, self.ids, labels[places], workspace.images, settings)
        self._run(f"attack {entry.name} on {len(places):,} images", job)

    def score(self, path: Path) -> None:
        """Start scoring the images of another workspace or folder."""
        kept = self._subject.kept
        if self.row is None and kept is not None:
            count = max(self._form.count.value(), 64)
            self._folders[self._called(path)] = path
            self._run(f"score {path.name}", attack_requests.foreign_likelihoods(kept, path, count))

    def _called(self, path: Path) -> str:
        """Return a name for the images of ``path`` that nothing else on the plot has."""
        name = path.name
        taken = self._folders.get(name, path) != path or name == CHANCE or name.startswith("ε ")
        return f"{path.parent.name}/{name}" if taken else name

    def cancel(self) -> None:
        """Stop the work; what is finished stays."""
        if self.row is not None:
            self.row.handle.token.cancel()

    def _run(self, title: str, job: Job) -> None:
        row: JobRow

        def follow(event: Event) -> None:
            if row is not self.row:  # of another flow
                return
            if isinstance(event, Artefact):
                self._take(event)
            elif isinstance(event, Failed):
                self._subject.session.problem.emit(event.message, event.detail)
            if isinstance(event, Finished | Failed):
                self.row = None
                self.changed.emit()

        row = self.row = self._subject.session.jobs.run(title, job, follow)
        self.changed.emit()

    def _take(self, event: Artefact) -> None:
        if event.kind == "drifted":
            self.steps = (*self.steps, event.data)
        elif event.kind == "sentences":
            self.sentences = event.data
        elif event.kind == "foreign":
            path, values = event.data
            self.foreign = {**self.foreign, self._called(path): values}
        self.changed.emit()

    def _forget(self) -> None:
        self.cancel()
        self.row = self.settings = None
        self.steps, self.sentences, self.foreign, self._folders = (), (), {}, {}
        self.ids = np.empty(0, np.int64)
        self.changed.emit()
