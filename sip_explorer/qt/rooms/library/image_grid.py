"""The grid of the images found: only what is in view is read and painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QHideEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QListView, QWidget

from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.qt.rooms.library.grid_delegate import GridDelegate, caption_font
from sip_explorer.qt.rooms.library.grid_pictures import GridPictures
from sip_explorer.qt.theme import colour, theme
from sip_explorer.qt.widgets.image_list import ImageListModel, ImageListView
from sip_explorer.state import Session
from sip_explorer.state.library import Library

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

_RUSH = 70  # milliseconds after a leap for which nothing is read: the next one would make it void
_FLAG = QItemSelectionModel.SelectionFlag


class ImageGrid(ImageListView):
    """Shows ``library.found``; what is selected here is ``library.chosen``.

    Signals
    -------
    opened(int)
        Double click, or Return, on an image.
    """

    opened = Signal(int)

    def __init__(self, session: Session, library: Library, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self._workspace: Workspace | None = None
        self._taking = False
        self.images = ImageListModel(self)
        self.pictures = GridPictures(session, self._came)
        self._delegate = GridDelegate(self.pictures.get, self.caption, self._name, self)
        self._tags: dict[int, str] = {}
        self._rush = QTimer(self, singleShot=True, interval=_RUSH)
        self._rush.timeout.connect(self._calm)
        self.setFont(caption_font(self.font()))
        self.setModel(self.images)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there: cells that widen when it goes would move under the hand.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        # All of it is painted here: then what stays in view is moved when the grid scrolls, not painted anew.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Images found")
        self.selectionModel().selectionChanged.connect(self._chosen)
        self.activated.connect(lambda index: self.opened.emit(self.images.id_at(index.row())))
        library.found_changed.connect(self.show_found)
        session.pictures_moved.connect(self.reload)
        theme.changed.connect(self._tint)

    # ---- showing --------------------------------------------------------------------------

    def show_found(self) -> None:
        """Show the images that the library found, and what is known of them by now."""
        workspace, found = self._session.workspace, self._library.found
        if workspace is not self._workspace:
            self._workspace = workspace
            shapes = workspace.index.shapes if workspace is not None else np.zeros((0, 3), np.int64)
            self._delegate.photos = bool((shapes[:, :2] > SMALL_IMAGE).any())
            self._fit()
            self.reload()
        self._learn(workspace)
        self._delegate.forget()
        if not np.array_equal(found, self.images.ids) or not len(found):
            self._taking = True
            try:
                self.images.reset(found, self._describe)
                self.scrollToTop()
            finally:
                self._taking = False
            self._show_chosen()
        self.viewport().update()

    def reload(self) -> None:
        """Read all pictures anew."""
        side = self._delegate.side(self.fontMetrics())
        self.pictures.begin(self._session.workspace, round(side * self.devicePixelRatioF()))
        self._delegate.forget()
        self.viewport().update()

    def _tint(self) -> None:
        self._delegate.forget()
        self.viewport().update()

    def caption(self, image: int) -> tuple[str, str]:
        """Return class and tags of an image."""
        workspace = self._workspace
        if workspace is None or workspace is not self._session.workspace:  # closed, and not yet forgotten
            return "", ""
        label = int(workspace.labels([image])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"
        tags = self._tags.get(image)
        if tags is None:
            tags = self._tags[image] = ", ".join(workspace.tags_of(image))
        return name, tags

    def selected(self) -> list[int]:
        """Return the ids of the selected images, in their order."""
        ranges: list[QItemSelectionRange] = list(self.selectionModel().selection())  # type: ignore[call-overload]
        rows = sorted((part.top(), part.bottom() + 1) for part in ranges)
        return [image for top, bottom in rows for image in self.images.ids[top:bottom].tolist()]

    def _learn(self, workspace: Workspace | None) -> None:
        """Read the states of all images at once, of which few have one; forget which tags were read."""
        self._tags = {}
        self.images.states = {}
        if workspace is None:
            return
        who = self._session.selection.annotator
        states, verdicts = workspace.said(who)
        hidden = ("disputed",) if self._session.reviewing.blind else ()
        self.images.states = {**states, **{i: v for i, v in verdicts.items() if v not in hidden}}
        for person in workspace.annotators():
            if person.name == who:
                self._delegate.ink = QColor(person.colour)

    def _describe(self, image: int) -> str:
        workspace = self._workspace
        if workspace is None:
            return ""
        name, tags = self.caption(image)
        words = " · ".join([workspace.image_name(image), name, *([tags] if tags else [])])
        picture = self.pictures.get(image)
        return f"{words}\n{picture}" if isinstance(picture, str) else words

    def _name(self, image: int) -> str:
        return "" if self._workspace is None else self._workspace.image_name(image)

    def _came(self, images: list[int]) -> None:
        self._delegate.forget(images)
        for image in images:
            row = self.images.row_of(image)
            if row is not None:
                self.update(self.images.index(row))

    # ---- choosing -------------------------------------------------------------------------

    def _chosen(self, *_: Any) -> None:
        if not self._taking:
            self._library.choose(self.selected())

    def _show_chosen(self) -> None:
        """Select what is chosen among other images; neighbours go in as one range."""
        rows = sorted(
            row for i in self._library.chosen.tolist() if (row := self.images.row_of(i)) is not None
        )
        selection, start = QItemSelection(), 0
        for stop in range(1, len(rows) + 1):
            if stop == len(rows) or rows[stop] != rows[stop - 1] + 1:
                selection.select(self.images.index(rows[start]), self.images.index(rows[stop - 1]))
                start = stop
        self._taking = True
        try:
            self.selectionModel().select(selection, _FLAG.ClearAndSelect)
            if rows:
                self.selectionModel().setCurrentIndex(self.images.index(rows[0]), _FLAG.NoUpdate)
                self.scrollTo(self.images.index(rows[0]))
        finally:
            self._taking = False

    # ---- painting ----------------------------------------------------------------------------

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if abs(dy) > self.viewport().height() // 2:
            self.pictures.resting = True
            self.pictures.stop()
            self._rush.start()
        super().scrollContentsBy(dx, dy)

    def _calm(self) -> None:
        self.pictures.resting = False
        self.viewport().update()

    def hideEvent(self, event: QHideEvent) -> None:
        self._rush.stop()
        self._calm()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), colour("surface"))
        painter.end()
        super().paintEvent(event)

    def _fit(self) -> None:
        self._delegate.fit(self.fontMetrics(), self.viewport().width() - 1)
        self.scheduleDelayedItemsLayout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Qt begins nothing in a list where nothing is current.
        if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down) and not self.currentIndex().isValid():
            self.setCurrentIndex(self.images.index(0))
            return
        super().keyPressEvent(event)
