"""All that was done to a mask, newest first; any of it can be looked at and restored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.salience.paint_view import PaintView
from sip_explorer.records import Artefact, CancelToken, Event, Failed

if TYPE_CHECKING:
    from sip_explorer.workspace.masks import Mask, StrokeRecord

LIST, LOOK = "strokes", "mask of a stroke"
_WORDS = {
    "clear": "Cleared",
    "copy": "Copied from the previous image",
    "proposal": "Proposal accepted",
    "restore": "Restored",
    "threshold": "Thresholded",
    "smooth": "Smoothed",
    "soften": "Softened",
    "harden": "Hardened",
    "import": "Imported",
    "adjudicate": "Agreed mask",
}
_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


class HistoryPanel(QWidget):
    """Lists the strokes on disk of the mask on show, while it can be seen.

    Signals
    -------
    looking()
        A mask of the past is about to be shown as hatching: what is hatched now goes.
    """

    looking = Signal()

    def __init__(self, paint: PaintView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paint = paint
        self._session = paint.session
        self._past: tuple[int, Mask] | None = None  # the stroke that is looked at, and the mask after it
        self._of: tuple[int | None, str] = None, ""  # whose strokes these are, on which image
        self._model = _Strokes()
        self.list = _List()
        self.list.setModel(self._model)
        self.list.setFixedHeight(self.fontMetrics().height() * 12)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setProperty("role", "muted")
        self.restore_button = QPushButton("Restore this mask")
        self.restore_button.setToolTip(
            "Make the mask again what it was after this stroke; one undo goes back"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.text)
        layout.addWidget(self.list)
        layout.addWidget(self.restore_button)
        self.list.selectionModel().currentChanged.connect(lambda now, _before: self._look(now.row()))
        self.restore_button.clicked.connect(self.restore)
        paint.shown.connect(self._renew)
        self._session.masks_changed.connect(self._mask_changed)
        self._session.painting.recorded.connect(lambda _image, _tool: self.stop_looking())
        self._show()

    def restore(self) -> None:
        """Make the mask what it was after the chosen stroke, as one edit."""
        if self._past is not None:
            past = self._past[1]
            self.stop_looking()
            self._paint.replace("restore", lambda _mask: past)

    def stop_looking(self) -> None:
        """Take the mask of the past away."""
        self._session.jobs.drop(LOOK, on="disk")
        self.list.selectionModel().clear()
        if self._past is not None:
            self._past = None
            self._paint.canvas.set_proposal(None)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._renew()

    # ---- inside ---------------------------------------------------------------------------

    def _mask_changed(self, image: int) -> None:
        if image == self._paint.image_id:
            self._renew()

    def _renew(self) -> None:
        """Read the strokes in the disk thread: of a long day there are thousands."""
        workspace, image, annotator = self._session.workspace, self._paint.image_id, self._paint.annotator
        if self._of != (image, annotator) or not self._paint.canvas.has_image():
            self._of, self._past = (image, annotator), None  # never restored on another image
            self._take([])
        if workspace is None or image is None or not self.isVisible():
            self._take([])
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(LIST, data=workspace.strokes(image, annotator)[::-1])

        def follow(event: Event) -> None:
            if isinstance(event, Artefact) and (image, annotator) == (
                self._paint.image_id,
                self._paint.annotator,
            ):
                self._take(event.data)

        self._session.jobs.ask(LIST, job, follow, on="disk")

    def _take(self, strokes: Sequence[StrokeRecord]) -> None:
        chosen = self._past[0] if self._past is not None else None
        self.list.selectionModel().blockSignals(True)
        self._model.replace(strokes)
        row = self._model.row_of(chosen)
        if row >= 0:
            self.list.setCurrentIndex(self._model.index(row))
        self.list.selectionModel().blockSignals(False)
        if row < 0 and self._past is not None:
            self._past = None
        self._show()

    def _look(self, row: int) -> None:
        workspace, image, annotator = self._session.workspace, self._paint.image_id, self._paint.annotator
        stroke = self._model.stroke(row)
        if workspace is None or image is None or stroke is None or not self._paint.canvas.has_image():
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(LOOK, data=workspace.mask(image, annotator, last=stroke.id))

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self._session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and self._model.stroke(self.list.currentIndex().row()) == stroke:
                self.looking.emit()
                self._past = stroke.id, event.data
                self._paint.canvas.set_proposal(event.data)
                self._show()

        self._session.jobs.ask(LOOK, job, follow, on="disk")

    def _show(self) -> None:
        self.list.setVisible(self._model.rowCount() > 0)
        self.restore_button.setVisible(self._past is not None)
        if not self._model.rowCount():
            words = "Nothing was painted on this image yet."
        elif self._past is None:
            words = "Choose a stroke to see the mask as it was after it."
        elif (self._past[1] == self._paint.canvas.mask()).all():
            words = "This is the mask as it is."
        else:
            words = "Hatched: the mask as it was after this stroke."
        self.text.setText(words)


class _Strokes(QAbstractListModel):
    """Strokes as lines; a long history costs no widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._strokes: Sequence[StrokeRecord] = ()

    def replace(self, strokes: Sequence[StrokeRecord]) -> None:
        self.beginResetModel()
        self._strokes = strokes
        self.endResetModel()

    def stroke(self, row: int) -> StrokeRecord | None:
        return self._strokes[row] if 0 <= row < len(self._strokes) else None

    def row_of(self, stroke: int | None) -> int:
        return next((row for row, known in enumerate(self._strokes) if known.id == stroke), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._strokes)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        stroke = self.stroke(index.row())
        return stroke_words(stroke) if stroke is not None and role == Qt.ItemDataRole.DisplayRole else None


class _List(QListView):
    """Arrow keys move through it; letters stay keys of the room."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Strokes, newest first")
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            super().keyPressEvent(event)
        else:
            event.ignore()


def stroke_words(stroke: StrokeRecord) -> str:
    """One line of the history: when, with what, how large."""
    then, now = time.localtime(stroke.at), time.localtime()
    same_day = then[:3] == now[:3]
    at = time.strftime("%H:%M:%S" if same_day else "%d %b %H:%M", then)
    y0, x0, y1, x1 = stroke.box
    return f"{at}  {_WORDS.get(stroke.tool, stroke.tool.capitalize())} · {x1 - x0} × {y1 - y0} px"
