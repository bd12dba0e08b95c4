"""Images of the workspace as the flow sees them: indexed once by a job, used by several views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, Progress
from sip_explorer.state.jobs import JobRow

if TYPE_CHECKING:
    from sip_explorer.protoflow.looking import LatentIndex

TRAIN_COUNT, TEST_COUNT = 2000, 1000
"""At most so many images are indexed, spread evenly."""


class Galleries(QObject):
    """The index of training images, and that of labelled test images.

    Signals
    -------
    changed()
        An index is there, or gone, or the work began or ended.
    """

    changed = Signal()

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._subject = subject
        self.train: LatentIndex | None = None
        self.test: LatentIndex | None = None
        self.test_labels: NDArray[np.int64] = np.empty(0, np.int64)
        """Of the flow's classes."""
        self.row: JobRow | None = None
        subject.flow_changed.connect(self._forget)

    @property
    def words(self) -> str:
        """What is indexed."""
        if self.train is None:
            return ""
        test = "" if self.test is None else f", {len(self.test):,} of test"
        return f"{len(self.train):,} images of training{test}"

    def build(self) -> None:
        """Start the job that encodes the images; nothing where it is under way or cannot be."""
        subject, session = self._subject, self._subject.session
        workspace, kept, entry = session.workspace, subject.kept, subject.entry
        if self.row is not None or workspace is None or kept is None or entry is None:
            return
        train = spread(workspace.image_ids(split="train"), TRAIN_COUNT)
        if not len(train):
            session.problem.emit(
                "No image of this workspace is for training: change the split of some in the Library.", ""
            )
            return
        test = workspace.image_ids(split="test")
        labels = np.array([label_of(subject.classes, workspace.classes, n) for n in workspace.labels(test)])
        known = labels >= 0 if len(labels) else np.zeros(0, bool)
        places = spread(np.flatnonzero(known), TEST_COUNT)
        test, labels = test[places], labels[places] if len(labels) else np.empty(0, np.int64)

        def read(ids: list[int]) -> object:
            from sip_explorer.data.fitting import fit_images

            shape = kept.flow().input_shape
            images = workspace.images(np.asarray(ids), (shape[1], shape[2]))
            return (fit_images(images, shape) * 255).round() / 255

        def job(token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.protoflow.looking import index_images

            flow = kept.flow()
            total, done = len(train) + len(test), 0
            for kind, ids in (("train", train), ("test", test)):
                if not len(ids):
                    continue
                for event in index_images(flow, ids.tolist(), read, token):  # type: ignore[arg-type]
                    if isinstance(event, Progress):
                        yield Progress(done + event.done, total)
                    elif isinstance(event, Artefact):
                        yield Artefact(kind, data=event.data)
                done += len(ids)

        row: JobRow

        def follow(event: Event) -> None:
            if row is not self.row:  # of another flow
                return
            if isinstance(event, Artefact):
                if event.kind == "train":
                    self.train = event.data
                else:
                    self.test, self.test_labels = event.data, labels[: len(event.data)]
                self.changed.emit()
            elif isinstance(event, Failed):
                session.problem.emit(event.message, event.detail)
            if isinstance(event, Finished | Failed):
                self.row = None
                self.changed.emit()

        row = self.row = session.jobs.run(f"index images for {entry.name}", job, follow)
        self.changed.emit()

    def _forget(self) -> None:
        if self.row is not None:
            self.row.handle.token.cancel()
        self.train = self.test = self.row = None
        self.test_labels = np.empty(0, np.int64)
        self.changed.emit()


def spread(ids: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of ``ids``, spread evenly."""
    if len(ids) <= most:
        return ids
    return ids[np.linspace(0, len(ids) - 1, most).round().astype(np.int64)]


def label_of(classes: tuple[str, ...], names: tuple[str, ...], label: int) -> int:
    """Return the flow's class of a workspace's label; -1 where it has none of that name."""
    name = names[label] if 0 <= label < len(names) else ""
    return classes.index(name) if name in classes else -1
