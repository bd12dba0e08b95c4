"""How far people agree: measured as a job on the disk, kept until masks change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, Notice, SipError

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import ModelEntry, Workspace
    from sip_explorer.workspace.agreement import AgreementReport


class Agreeing:
    """The last report on the agreement between people, and how disputed each image is.

    Signals
    -------
    measured()
        ``report`` or ``disputes`` are new.
    busy_changed(bool)
        A measurement began or ended.

    Attributes
    ----------
    report : AgreementReport or None
    disputes : dict of int -> float
        Image id -> 0 (all agree) to 1.
    stale : set of int
        Images whose masks changed since they were measured.
    """

    measured = Signal()
    busy_changed = Signal(bool)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.report: AgreementReport | None = None
        self.disputes: dict[int, float] = {}
        self.stale: set[int] = set()
        self.busy = False
        session.masks_changed.connect(self._outdate)
        session.workspace_changed.connect(self._forget)

    @property
    def known(self) -> bool:
        """Whether the disputes were ever measured here."""
        return self.report is not None

    def shared_images(self) -> list[int]:
        """Return the listed images that two people or more have finished, in their order."""
        session = self._session
        if session.workspace is None:
            return []
        workspace, listed = session.workspace, session.selection.images
        times = np.zeros(len(listed), np.int64)
        for person in workspace.annotators():
            states = workspace.states(listed, person.id)
            times += np.fromiter((state in ("painted", "empty") for state in states), bool, len(listed))
        return [image for image, count in zip(listed, times.tolist(), strict=True) if count > 1]

    def measure(self, model: ModelEntry | None = None) -> None:
        """Measure the listed images that several people have finished, as a job.

        ``model``: a classifier to compare with people too; its maps are made on the device first.

        Raises
        ------
        SipError
            If no listed image has the masks of two people.
        """
        session = self._session
        if session.workspace is None or self.busy:
            return
        workspace, shared = session.workspace, self.shared_images()
        if not shared:
            raise SipError(
                "No listed image has the masks of two people yet: have a second person paint the overlap set."
            )
        if model is None:
            self._run(session, workspace, shared, {}, "")
            return

        def job(token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.workspace.model_maps import model_maps

            yield None
            classifier = session.load_classifier(model)
            device = next(classifier.parameters()).device
            yield from model_maps(workspace, shared, classifier, name=model.name, device=device, token=token)

        def follow(event: Event) -> None:
            if workspace is not session.workspace:
                return
            if isinstance(event, Artefact) and event.kind == "maps":
                self.busy = False  # for the second half
                self._run(session, workspace, shared, event.data, model.name)
                return
            self._tell(session, event)
            if isinstance(event, Finished) and event.outcome == "cancelled":
                self._set_busy(False)

        self._set_busy(True)
        session.jobs.run(f"where {model.name} looks", job, follow)

    def _run(
        self,
        session: Session,
        workspace: Workspace,
        images: list[int],
        maps: Mapping[int, NDArray[np.uint8]],
        name: str,
    ) -> None:
        people = [person.id for person in workspace.annotators()]
        outdated = set(self.stale)

        def job(token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.workspace.agreement import measure_agreement

            yield from measure_agreement(workspace, images, people, token, model_maps=maps, model_name=name)

        def follow(event: Event) -> None:
            if workspace is not session.workspace:
                return
            if isinstance(event, Artefact):
                self.report, self.disputes = event.data, dict(event.data.disputes)
                self.stale -= outdated
            self._tell(session, event)
            if isinstance(event, Finished):
                self._set_busy(False)
                self.measured.emit()

        self._set_busy(True)
        session.jobs.run(f"agreement on {len(images):,} images", job, follow, on="disk")

    def _tell(self, session: Session, event: Event) -> None:
        if isinstance(event, Notice):
            session.notice.emit(event.message)
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
            self._set_busy(False)

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.busy_changed.emit(busy)

    def _outdate(self, image: int) -> None:
        self.stale.add(image)

    def _forget(self, *_: object) -> None:
        self.report, self.disputes, self.stale = None, {}, set()
        self._set_busy(False)
        self.measured.emit()
