"""A strip or grid of thumbnails, for a handful of images or for all 60,000."""

# ruff: noqa: N815

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QListView, QVBoxLayout, QWidget

from sip_explorer.qt.widgets.image_list import ImageListModel, ImageListView
from sip_explorer.qt.widgets.thumbnail_delegate import STATES, ThumbnailDelegate
from sip_explorer.qt.widgets.thumbnails import Loader, Thumbnails

_LOAD_TIME = 0.008  # s of loading between two frames


class ImageStrip(QWidget):
    """Thumbnails with a state mark each; one current image, any number selected.

    Only what is in view is loaded and painted. Images are named by their ids throughout.

    Parameters
    ----------
    layout
        "row" (a film strip), "column" or "grid".
    side
        Side of a thumbnail in font heights.
    states
        Whether room is kept for state marks.

    Signals
    -------
    currentChanged(int)
        The id of the current image; -1 when there is none any more.
    selectionChanged(list)
        The selected ids, in the strip's order.
    activated(int)
        Double click, or Return, on an image.
    """

    currentChanged = Signal(int)
    selectionChanged = Signal(list)
    activated = Signal(int)

    def __init__(
        self, layout: str = "row", parent: QWidget | None = None, *, side: float = 4.0, states: bool = True
    ) -> None:
        super().__init__(parent)
        if layout not in ("row", "column", "grid"):
            raise ValueError(f"no layout {layout!r}; there are row, column, grid")
        self._layout = layout
        self._thumbnails = Thumbnails()
        self._model = ImageListModel(self)
        self._delegate = ThumbnailDelegate(self._thumbnails, side, states, self)
        self._delegate.wanted.connect(self._want)
        self._view = ImageListView(self)
        self._view.setModel(self._model)
        self._view.setItemDelegate(self._delegate)
        self._view.setUniformItemSizes(True)
        self._view.setFlow(QListView.Flow.TopToBottom if layout == "column" else QListView.Flow.LeftToRight)
        self._view.setWrapping(layout == "grid")
        self._view.setResizeMode(QListView.ResizeMode.Adjust)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._view)
        self.setFocusProxy(self._view)
        self._wanted: dict[int, None] = {}
        self._loading = QTimer(self, singleShot=True, interval=0)
        self._loading.timeout.connect(self._load_some)
        self._view.selectionModel().currentChanged.connect(self._announce_current)
        self._view.selectionModel().selectionChanged.connect(self._announce_selection)
        self._view.activated.connect(self._announce_activated)
        self.set_name("Images")
        self._fit_height()

    def set_name(self, name: str) -> None:
        """What a screen reader calls the strip."""
        self._view.setAccessibleName(name)

    def set_images(
        self,
        ids: Sequence[int] | NDArray[np.int64],
        loader: Loader,
        describe: Callable[[int], str] | None = None,
    ) -> None:
        """Show these images.

        Parameters
        ----------
        ids
            Distinct image ids in the order of the strip.
        loader
            id -> image, uint8 or float (H, W), (H, W, 1) or (H, W, 3); called when a thumbnail comes
            into view, in the main thread, so it has to be quick: hand over reduced images of large photos.
        describe
            id -> words for the tooltip and the screen reader (its class, say).

        The current image stays current where it is among them; else the first one becomes current.
        """
        current = self.current()
        self._wanted.clear()
        self._thumbnails.set_loader(loader)
        selection = self._view.selectionModel()
        selection.blockSignals(True)
        self._model.reset(np.asarray(ids, np.int64).reshape(-1), describe)
        if current is not None and self._model.row_of(current) is not None:
            self.set_current(current)
        elif len(self._model.ids):
            self.set_current(int(self._model.ids[0]))
        selection.blockSignals(False)
        self._view.viewport().update()
        if self.current() != current:
            self.currentChanged.emit(-1 if self.current() is None else self.current())
        self.selectionChanged.emit(self.selected())

    def ids(self) -> NDArray[np.int64]:
        """The ids on show, in order."""
        return self._model.ids.copy()

    def set_states(self, states: Mapping[int, str]) -> None:
        """Replace all state marks: id -> one of `thumbnail_delegate.STATES` (absent: unpainted)."""
        for state in set(states.values()):
            _check_state(state)
        self._model.states = dict(states)
        self._view.viewport().update()

    def set_state(self, image: int, state: str) -> None:
        """Change one state mark."""
        _check_state(state)
        self._model.states[image] = state
        self._update(image)

    def set_state_colour(self, colour: QColor | str) -> None:
        """Colour of the mark of painted images: the annotator's."""
        self._delegate.colour = QColor(colour)
        self._view.viewport().update()

    def reload(self, image: int | None = None) -> None:
        """Load the thumbnail of one image, or all, anew."""
        self._thumbnails.drop(image)
        self._view.viewport().update()

    def current(self) -> int | None:
        """The id of the current image."""
        index = self._view.currentIndex()
        return self._model.id_at(index.row()) if index.isValid() else None

    def set_current(self, image: int) -> None:
        """Make an image current, select it alone and bring it into view; unknown ids change nothing."""
        row = self._model.row_of(image)
        if row is not None:
            index = self._model.index(row)
            self._view.setCurrentIndex(index)
            self._view.scrollTo(index)

    def step(self, by: int = 1) -> bool:
        """Go to the next (or, below 0, a previous) image; whether there was one."""
        row = self._view.currentIndex().row() + by
        if not 0 <= row < len(self._model.ids):
            return False
        self.set_current(self._model.id_at(row))
        return True

    def selected(self) -> list[int]:
        """The selected ids, in the strip's order."""
        ranges: list[QItemSelectionRange] = list(self._view.selectionModel().selection())  # type: ignore[call-overload]
        rows = sorted((part.top(), part.bottom() + 1) for part in ranges)
        return [image for top, bottom in rows for image in self._model.ids[top:bottom].tolist()]

    def set_selected(self, images: Iterable[int]) -> None:
        """Select these images, and no others; unknown ids are passed over."""
        rows = sorted(row for image in images if (row := self._model.row_of(image)) is not None)
        selection = QItemSelection()
        start = 0
        for stop in range(1, len(rows) + 1):  # neighbours go in as one range
            if stop == len(rows) or rows[stop] != rows[stop - 1] + 1:
                selection.select(self._model.index(rows[start]), self._model.index(rows[stop - 1]))
                start = stop
        self._view.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def changeEvent(self, event: Any) -> None:
        if event.type() == event.Type.FontChange:
            self._fit_height()
        super().changeEvent(event)

    def hideEvent(self, event: Any) -> None:
        self._loading.stop()
        self._wanted.clear()
        super().hideEvent(event)

    def _fit_height(self) -> None:
        cell = self._delegate.cell(self.font())
        bar = self._view.style().pixelMetric(self._view.style().PixelMetric.PM_ScrollBarExtent)
        if self._layout == "row":
            self.setFixedHeight(cell.height() + bar)
        else:
            self.setMinimumWidth(cell.width() + bar)

    def _want(self, image: int) -> None:
        self._wanted[image] = None
        if not self._loading.isActive():
            self._loading.start()

    def _load_some(self) -> None:
        until = time.perf_counter() + _LOAD_TIME
        side = self._delegate.physical_side(self._view)
        in_view = self._view.viewport().rect()
        while self._wanted and time.perf_counter() < until:
            image = next(iter(self._wanted))
            del self._wanted[image]
            row = self._model.row_of(image)
            if row is not None and self._view.visualRect(self._model.index(row)).intersects(in_view):
                self._thumbnails.load(image, side)
                self._update(image)
        if self._wanted:
            self._loading.start()

    def _update(self, image: int) -> None:
        row = self._model.row_of(image)
        if row is not None:
            self._view.update(self._model.index(row))

    def _announce_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        self.currentChanged.emit(self._model.id_at(index.row()) if index.isValid() else -1)

    def _announce_activated(self, index: QModelIndex) -> None:
        self.activated.emit(self._model.id_at(index.row()))

    def _announce_selection(self, *_changes: Any) -> None:
        self.selectionChanged.emit(self.selected())


def _check_state(state: str) -> None:
    if state not in STATES:
        raise ValueError(f"no state {state!r}; there are {', '.join(STATES)}")
