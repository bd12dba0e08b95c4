"""The written guideline, and images that show what it accepts and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from sip_explorer.qt.rooms.salience.example_tile import ExampleTile
from sip_explorer.qt.widgets.saved_text import SavedText
from sip_explorer.qt.widgets.section import Section
from sip_explorer.records import Artefact, CancelToken, Event, SipError
from sip_explorer.state import Session
from sip_explorer.state.comparing import reduced

_LANE = "examples"
_SIDE = 160  # pixels of an example's longer side
_COLUMNS = 2


class GuidelineSection:
    """Fills a section of the inspector; what is written is kept with the workspace."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reviewing = session.reviewing
        self.text = SavedText(self._keep, lines=3, most=16)
        self.text.setAccessibleName("Guideline")
        self.text.setPlaceholderText("What counts as salient here, in words that everybody paints by")
        self.caption = QLineEdit()
        self.caption.setAccessibleName("Caption of the next example")
        self.caption.setPlaceholderText("Caption: why")
        self.accept = QPushButton("Accepted")
        self.accept.setToolTip("Add this image with my mask as an example of what is right")
        self.refuse = QPushButton("Refused")
        self.refuse.setToolTip("Add this image with my mask as an example of what is wrong")
        self._add_words = QLabel("Add this image as an example")
        self._add_words.setProperty("role", "muted")
        self.tiles: dict[int, ExampleTile] = {}
        self._examples = QWidget()
        self._grid = QGridLayout(self._examples)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self.accept.clicked.connect(lambda: self.add("accepted"))
        self.refuse.clicked.connect(lambda: self.add("refused"))
        session.workspace_changed.connect(self._show)
        selection = session.selection
        selection.current_image_changed.connect(self._save_text)
        for signal in (selection.current_image_changed, selection.annotator_changed, session.masks_changed):
            signal.connect(self._show_add)
        self._show()

    def fill(self, section: Section) -> None:
        """Put the controls into a section."""
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.accept)
        acts.addWidget(self.refuse)
        acts.addStretch(1)
        section.add_widget(self.text)
        section.add_widget(self._examples)
        section.add_widget(self._add_words)
        section.add_widget(self.caption)
        section.add_layout(acts)

    def add(self, verdict: str) -> None:
        """Add the image on show with the annotator's mask as an "accepted" or "refused" example."""
        workspace, selection = self._session.workspace, self._session.selection
        image, caption = selection.current_image, self.caption.text().strip()
        if workspace is None or image is None:
            return

        if self._session.attempt(lambda: workspace.add_example(image, selection.annotator, verdict, caption)):
            self.caption.clear()
            self._show_examples()

    def _keep(self, text: str) -> bool:
        return self._session.attempt(lambda: self._reviewing.set_setting("guideline", text))

    def _remove(self, example: int) -> None:
        workspace = self._session.workspace
        if workspace is not None and self._session.attempt(lambda: workspace.remove_example(example)):
            self._show_examples()

    # ---- following ------------------------------------------------------------------------

    def _save_text(self, _image: int | None) -> None:
        if self._session.workspace is not None:  # before it is closed, no image is on show
            self.text.save()

    def _show(self, *_: object) -> None:
        workspace = self._session.workspace
        self.text.show_text(None if workspace is None else workspace.setting("guideline"))
        self.text.setReadOnly(workspace is None or workspace.read_only)
        self._show_examples()
        self._show_add()

    def _show_add(self, *_: object) -> None:
        workspace, selection = self._session.workspace, self._session.selection
        image = selection.current_image
        writable = workspace is not None and not workspace.read_only
        finished = (
            workspace is not None
            and image is not None
            and workspace.states([image], selection.annotator)[0] in ("painted", "empty")
        )
        for button in (self.accept, self.refuse):
            button.setEnabled(writable and finished)
        self.caption.setEnabled(writable)

    def _show_examples(self) -> None:
        for tile in self.tiles.values():
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        self.tiles = {}
        workspace = self._session.workspace
        examples = workspace.examples() if workspace is not None else []
        for place, example in enumerate(examples):
            writable = workspace is not None and not workspace.read_only
            tile = ExampleTile(example.verdict, example.caption, writable=writable)
            tile.removed.connect(partial(self._remove, example.id))
            self._grid.addWidget(tile, place // _COLUMNS, place % _COLUMNS, Qt.AlignmentFlag.AlignTop)
            self.tiles[example.id] = tile
        self._examples.setVisible(bool(examples))
        if workspace is None or not examples:
            return

        def job(token: CancelToken) -> Iterator[Event | None]:
            for example in examples:
                token.check()
                try:
                    picture = workspace.thumbnail(example.image, _SIDE)
                    mask = workspace.mask(example.image, example.annotator, last=example.stroke)
                except SipError:  # a picture that is gone: its words still help
                    continue
                yield Artefact(_LANE, data=(example.id, picture, reduced(mask, picture.shape[:2])))

        def follow(event: Event) -> None:
            if isinstance(event, Artefact) and event.data[0] in self.tiles:
                self.tiles[event.data[0]].show_picture(*event.data[1:])

        self._session.jobs.ask(_LANE, job, follow, on="disk")
