"""Review and adjudication: everyone's masks of one image, their merges, and the one to agree on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.rooms.salience.blind_cover import blind_cover
from sip_explorer.qt.rooms.salience.compare_tile import CompareTile
from sip_explorer.qt.rooms.salience.review_queue import ReviewQueue
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session
from sip_explorer.state.comparing import Comparison, Opinion, compare, opinion_mask

_LANE, _TAKE = "comparison", "agreed mask"
_NARROWEST = 11  # font heights of a tile
_GAP = 12


class CompareView(QWidget):
    """Follows the image on show while it is visible; in blind mode a sentence and a button."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reviewing = session.reviewing
        self.queue = ReviewQueue(session)
        self.comparison: Comparison | None = None
        self.tiles: list[CompareTile] = []
        self._image: int | None = None  # what is shown, or read at the moment
        self._outdated = True
        self._title = QLabel()
        self._title.setProperty("role", "muted")
        self._title.setWordWrap(True)
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Take back the last change of the agreed mask")
        self.redo = QPushButton("Redo")
        self.redo.setToolTip("Make the change of the agreed mask again")
        self.next = QPushButton()
        self._ious = QLabel()
        self._ious.setWordWrap(True)
        self._ious.setProperty("role", "muted")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._make_page())
        self.covered = blind_cover(session)
        self.nothing = EmptyState(
            "Nobody has painted this image yet. When people have, their masks stand here side by side.",
            "Go to the most disputed image",
            self.go_disputed,
        )
        self._stack.addWidget(self.covered)
        self._stack.addWidget(self.nothing)
        self.undo.clicked.connect(self.undo_take)
        self.redo.clicked.connect(self.redo_take)
        self.next.clicked.connect(self.go_disputed)
        session.selection.current_image_changed.connect(self._follow_image)
        session.workspace_changed.connect(self._changed)
        session.selection.annotator_changed.connect(self._changed)  # another name, another colour
        session.masks_changed.connect(self._image_changed)
        session.painting.history_changed.connect(self._show_undo)
        session.keymap.changed.connect(self._show_key)
        self._reviewing.adjudicated.connect(self._image_changed)
        self._reviewing.checked.connect(self._image_changed)
        self._reviewing.blind_changed.connect(self._changed)
        self._show_key()

    def _make_page(self) -> QWidget:
        page = QWidget()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title, 1)
        head.addWidget(self.undo)
        head.addWidget(self.redo)
        head.addWidget(self.next)
        tiles = QWidget()
        tiles.setLayout(self._grid)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(tiles)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self._area, 1)
        layout.addWidget(self._ious)
        return page

    # ---- acts -----------------------------------------------------------------------------

    def go_disputed(self) -> None:
        """Go to the image that people differ on most after this one."""
        self.queue.go("disputed")

    def take(self, opinion: Opinion) -> None:
        """Make a person's mask or a merge the agreed mask of the image on show."""
        workspace, image = self._session.workspace, self._image
        if workspace is None or image is None:
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(_TAKE, data=opinion_mask(workspace, image, opinion.kind, opinion.key))

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self._session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and workspace is self._session.workspace:
                self._session.attempt(lambda: self._reviewing.take(image, event.data))

        # A lane for each image: to take another one's meanwhile must not call this one off.
        self._session.jobs.ask(f"{_TAKE} {image}", job, follow, on="disk")

    def undo_take(self) -> None:
        """Take back the last change of the agreed mask of the image on show."""
        image = self._image
        if image is not None:
            self._session.attempt(lambda: self._reviewing.undo_take(image))

    def redo_take(self) -> None:
        """Make the change of the agreed mask of the image on show again that was taken back last."""
        image = self._image
        if image is not None:
            self._session.attempt(lambda: self._reviewing.redo_take(image))

    def _judge(self, opinion: Opinion, verdict: str) -> None:
        image = self._image
        if image is not None and not self._session.attempt(
            lambda: self._reviewing.check(image, verdict, opinion.name)
        ):
            self._read()

    # ---- following ------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._outdated or self._image != self._session.selection.current_image:
            self._read()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_tiles()

    def _follow_image(self, _image: int | None) -> None:
        self._changed()

    def _image_changed(self, image: int) -> None:
        if image == self._session.selection.current_image:
            self._changed()

    def _changed(self, *_: object) -> None:
        self._outdated = True
        if self.isVisible():
            self._read()

    def _read(self) -> None:
        workspace, image = self._session.workspace, self._session.selection.current_image
        self._outdated = False
        if image != self._image:
            self._clear()  # never the masks of another image under this one's name
        self._image = image
        if self._reviewing.blind:
            self._clear()
            self._stack.setCurrentWidget(self.covered)
            return
        if workspace is None or image is None:
            self._show_nothing("Choose an image in the list below.")
            return

        def follow(event: Event) -> None:
            if workspace is not self._session.workspace or image != self._image or self._reviewing.blind:
                return
            if isinstance(event, Failed):
                self._show_nothing(event.message)
            elif isinstance(event, Artefact):
                self._show(event.data)

        self._session.jobs.ask(_LANE, lambda token: compare(workspace, image, token), follow, on="disk")

    def _show(self, found: Comparison) -> None:
        workspace = self._session.workspace
        if workspace is None:
            return
        self._clear()
        self.comparison = found
        if not found.opinions:
            self._show_nothing(
                "Nobody has painted this image yet. When people have, their masks stand here side by side."
            )
            return
        for opinion in (*found.of("adjudicated"), *found.of("person"), *found.of("merge")):
            tile = CompareTile(opinion, found.picture, writable=not workspace.read_only)
            tile.taken.connect(partial(self.take, opinion))
            tile.judged.connect(partial(self._judge, opinion))
            self.tiles.append(tile)
        people = len(found.of("person"))
        agreed = " · there is an agreed mask" if found.of("adjudicated") else ""
        self._title.setText(f"{people} {'person' if people == 1 else 'people'}{agreed}")
        pairs = " · ".join(f"{first} – {second} {value:.2f}" for first, second, value in found.ious)
        self._ious.setText(
            f"IoU: {pairs}" if pairs else "One mask so far: there is nothing to compare it with."
        )
        self._stack.setCurrentIndex(0)
        self._place_tiles()
        self._show_undo()

    def _show_nothing(self, sentence: str) -> None:
        self._clear()
        self.nothing.sentence.setText(sentence)
        self._stack.setCurrentWidget(self.nothing)

    def _clear(self) -> None:
        for tile in self.tiles:
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        self.tiles, self.comparison = [], None
        self._title.clear()
        self._ious.clear()

    def _place_tiles(self) -> None:
        """People in the upper rows, merges in those below, as many beside each other as are still seen."""
        if not self.tiles:
            return
        groups = [[t for t in self.tiles if (t.opinion.kind == "merge") == merge] for merge in (False, True)]
        space = self._area.viewport().size()
        fits = max(1, space.width() // (_NARROWEST * self.fontMetrics().height()))
        columns = min(fits, max(len(group) for group in groups))
        lines = sum(-(-len(group) // columns) for group in groups)
        width = (space.width() - _GAP * (columns - 1)) // columns
        height = (space.height() - _GAP * (lines - 1)) // lines
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(column < columns))
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        row = 0
        for group in groups:
            for place, tile in enumerate(group):
                self._grid.removeWidget(tile)
                self._grid.addWidget(tile, row + place // columns, place % columns)
                self._grid.setColumnStretch(place % columns, 1)
                tile.fit(width, height)
                tile.show()
            row += -(-len(group) // columns)
        self._grid.setRowStretch(row, 1)

    def _show_undo(self) -> None:
        workspace, image, painting = self._session.workspace, self._image, self._session.painting
        agreed = workspace.annotators("adjudicated") if workspace is not None else []
        there = bool(agreed) and image is not None
        self.undo.setEnabled(there and painting.can_undo(image, agreed[0].name))
        self.redo.setEnabled(there and painting.can_redo(image, agreed[0].name))

    def _show_key(self) -> None:
        key = self._session.keymap.key("next_disputed")
        self.next.setText(f"Next most disputed ({key})" if key else "Next most disputed")
