"""The film strip under the rooms: which images are listed, which one is on show, how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.lazy_thumbnails import LazyThumbnails
from sip_explorer.qt.widgets.image_strip import ImageStrip
from sip_explorer.qt.widgets.thumbnail_delegate import LEGEND
from sip_explorer.state import Session
from sip_explorer.state.open_proposals import OpenProposals

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

ALL, TRAIN, TEST = "all images", "train images", "test images"
OTHERS = "as chosen"  # the list was set elsewhere: the images behind a point of a curve
PROPOSED = "proposed"
STATES = {
    "": "in any state",
    "unpainted": "not painted yet",
    "painted": "painted",
    "empty": "nothing salient",
    "skipped": "skipped",
    "checked": "checked",
    "unchecked": "not checked yet",
    "disputed": "disputed",
    PROPOSED: "with open proposals",
}


class FilmStrip(QWidget):
    """Sets ``selection.images`` and ``selection.current_image`` and follows them."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reviewing = session.reviewing
        self._listing = False
        self._others: tuple[int, ...] = ()
        self.collection = QComboBox()
        self.collection.setAccessibleName("Images listed")
        self.collection.setPlaceholderText(OTHERS)
        self.collection.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.state = QComboBox()
        self.state.setAccessibleName("State of the images listed")
        self.state.setToolTip(LEGEND)
        for state, words in STATES.items():
            self.state.addItem(words, state)
        self._count = QLabel()
        self._count.setProperty("role", "muted")
        self.strip = ImageStrip("row", side=3.2)
        self._thumbnails = LazyThumbnails(session, self.strip.reload)
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 6, 16, 0)
        bar.setSpacing(8)
        bar.addWidget(self.collection)
        bar.addWidget(self.state)
        bar.addWidget(self._count)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.strip)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.collection.activated.connect(self.list_images)
        self.state.activated.connect(self.list_images)
        self.strip.currentChanged.connect(self._chosen)
        selection = session.selection
        selection.current_image_changed.connect(self._show_current)
        selection.images_changed.connect(self._show_images)
        selection.annotator_changed.connect(self._annotator_changed)
        session.workspace_changed.connect(self._workspace_changed)
        marks = self._reviewing.marks
        marks.renewed.connect(self._show_states)
        marks.changed.connect(self.strip.set_state)
        self._reviewing.blind_changed.connect(self._show_blind)
        self._reviewing.collections_changed.connect(self._list_collections)
        self._reviewing.listing_wanted.connect(self.show_collection)
        session.library_changed.connect(self._list_collections)
        session.pictures_moved.connect(self._reload)

    def show_collection(self, name: str) -> None:
        """List the images of a collection, whatever their state."""
        place = self.collection.findText(name)
        if place >= 0:
            self.collection.setCurrentIndex(place)
            self.state.setCurrentIndex(0)
            self.list_images()

    def list_images(self, *_: object) -> None:
        """List the images of the chosen collection that are in the chosen state."""
        workspace = self._session.workspace
        if workspace is None:
            return
        name = self.collection.currentText()
        split = {TRAIN: "train", TEST: "test"}.get(name)
        if not name:
            ids = np.array(self._others, np.int64)
        elif name in (ALL, TRAIN, TEST):
            ids = workspace.image_ids(split=split)
        else:
            ids = workspace.image_ids(collection=name)
        wanted = self.state.currentData()
        if wanted and len(ids):
            if wanted == PROPOSED:
                fits = np.isin(ids, OpenProposals(self._session).images(ids.tolist()))
            else:
                who = self._session.selection.annotator
                fits = _in_state(workspace, ids, who, wanted, self._reviewing.blind)
            ids = ids[fits]
        self._listing = True
        try:
            self._session.selection.images = ids.tolist()
        finally:
            self._listing = False
        shown = self._session.selection.current_image
        if len(ids) and shown not in self._session.selection.images:
            self._session.selection.current_image = int(ids[0])

    # ---- following ------------------------------------------------------------------------

    def _workspace_changed(self, _workspace: object) -> None:
        workspace = self._session.workspace
        self._others = ()
        self.collection.clear()
        self.state.setCurrentIndex(0)
        if workspace is not None:
            self._list_collections()
            self.collection.setCurrentIndex(0)
            self.list_images()

    def _list_collections(self) -> None:
        """Show which collections there are; the chosen one stays chosen, with the images it has by now."""
        workspace, chosen = self._session.workspace, self.collection.currentText()
        if workspace is not None:
            self.collection.clear()
            self.collection.addItems([*workspace.collections(), ALL, TRAIN, TEST])
            self.collection.setCurrentIndex(self.collection.findText(chosen))
            if chosen:
                self.list_images()

    def _reload(self) -> None:
        self._thumbnails.take_workspace(self._session.workspace)
        self.strip.reload()

    def _show_blind(self, blind: bool) -> None:
        """Who disputes what is not told in blind mode."""
        place = self.state.findData("disputed")
        self.state.model().item(place).setEnabled(not blind)  # type: ignore[attr-defined]
        if blind and self.state.currentIndex() == place:
            self.state.setCurrentIndex(0)
            self.list_images()

    def _show_images(self, images: tuple[int, ...]) -> None:
        workspace = self._session.workspace
        if not self._listing and images:
            self._others = images
            self.collection.setCurrentIndex(-1)
            self.state.setCurrentIndex(0)
        words = "1 image" if len(images) == 1 else f"{len(images):,} images"
        if not images and self.state.currentData():
            words = "No image here is in this state: choose another one."
        self._count.setText(words)
        self._thumbnails.take_workspace(workspace)
        if workspace is None:
            self.strip.set_images([], self._thumbnails.load)
            return

        def describe(image: int) -> str:
            label = int(workspace.labels([image])[0])
            return workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"

        current = self._session.selection.current_image
        self.strip.blockSignals(True)
        self.strip.set_images(images, self._thumbnails.load, describe)
        if current is not None:
            self.strip.set_current(current)
        self.strip.blockSignals(False)

    def _annotator_changed(self, _name: str) -> None:
        if self.state.currentData():
            self.list_images()  # others have painted other images

    def _show_states(self) -> None:
        workspace, selection = self._session.workspace, self._session.selection
        self.strip.set_states(self._reviewing.marks.of)
        for annotator in workspace.annotators() if workspace is not None else ():
            if annotator.name == selection.annotator:
                self.strip.set_state_colour(annotator.colour)

    def _show_current(self, image: int | None) -> None:
        if image is not None:
            self.strip.set_current(image)

    def _chosen(self, image: int) -> None:
        if image >= 0:
            self._session.selection.current_image = image


def _in_state(
    workspace: Workspace, ids: NDArray[np.int64], annotator: str, wanted: str, blind: bool
) -> NDArray[np.bool_]:
    """Which of ``ids`` are in a state of people's; in blind mode a dispute counts as no check."""
    if wanted in ("checked", "disputed"):
        return np.asarray(np.array(workspace.checks(ids, annotator)) == wanted)
    states = np.array(workspace.states(ids, annotator))
    if wanted == "unchecked":
        finished = np.isin(states, ("painted", "empty"))
        judged = ("checked",) if blind else ("checked", "disputed")
        return np.asarray(finished & ~np.isin(workspace.checks(ids, annotator), judged))
    return np.asarray(states == wanted)
