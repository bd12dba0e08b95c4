"""Everything that the workspace holds: its images and its models."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.library.chosen_panel import ChosenPanel
from sip_explorer.qt.rooms.library.classes_panel import ClassesPanel
from sip_explorer.qt.rooms.library.images_view import ImagesView
from sip_explorer.qt.rooms.library.models_view import ModelsView
from sip_explorer.qt.rooms.salience.shortcuts import Shortcuts
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.state import Session
from sip_explorer.state.library import Library

_LATER = 700  # milliseconds
IMAGES, MODELS = range(2)
_VIEWS = (
    ("Images", "Find images; change their class, tags and split"),
    ("Models", "What is known of every trained model"),
)


class LibraryRoom(Room):
    """Two views; the images' one has the inspector."""

    key: ClassVar[str] = "library"
    title: ClassVar[str] = "Library"
    icon_name: ClassVar[str] = "library"
    uses_film_strip: ClassVar[bool] = False

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.library = Library(session)
        self.images = ImagesView(session, self.library, lambda: self.asked.emit("add_images"))
        self.chosen = ChosenPanel(session, self.library, self.inspector)
        self.classes = ClassesPanel(session, self.library, self.inspector.add_section("Classes"))
        self.models = ModelsView(session, lambda: self.asked.emit("add_model"))
        self._views = QStackedWidget()
        self._views.addWidget(self.images)
        self._views.addWidget(self.models)
        self.centre.addWidget(self._views, 1)
        self.segments = Segments(_VIEWS)
        self.segments.setAccessibleName("Views of the room")
        self._actions.addWidget(self.segments)
        self.add = self.add_button("Add images…", primary=True)
        self.add.clicked.connect(self._add)
        acts = {
            "find_images": self._find,
            "tag_images": partial(self._focus, self.chosen.tags.field),
            "class_images": partial(self._focus, self.chosen.classes),
        }
        self._shortcuts = Shortcuts(self, session.keymap, acts)
        self.segments.chosen.connect(self._show_view)
        self.images.grid.opened.connect(self._open)
        # Once the pictures are there: to look for thousands of files takes the disk a while.
        self._later = QTimer(self, singleShot=True, interval=_LATER)
        self._later.timeout.connect(self.library.look_for_missing)
        session.workspace_changed.connect(self._take_workspace)
        session.library_changed.connect(self._show_subject)
        session.models_changed.connect(self._show_subject)
        self._show_view(IMAGES)

    # ---- acts -----------------------------------------------------------------------------

    def undo(self) -> None:
        """Take the last change of classes, labels, tags or splits back."""
        self.library.undo()

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self.library.redo()

    def entered(self) -> None:
        self.library.watch(True)
        if self.library.missing is None:
            self._later.start()
        if self._views.currentIndex() == IMAGES:
            self.images.grid.setFocus()

    def left(self) -> None:
        self.library.watch(False)
        self._later.stop()
        self.images.grid.pictures.stop()
        self.models.card.save_now()

    def _find(self) -> None:
        self.segments.setCurrentIndex(IMAGES)
        self.images.search.focus()

    def _focus(self, field: object) -> None:
        if self._views.currentIndex() == IMAGES and len(self.library.chosen):
            field.setFocus()  # type: ignore[attr-defined]

    def _open(self, image: int) -> None:
        """Go to the Salience room with an image; the film strip lists what was found."""
        self.library.show_in_strip(image)
        self.wanted.emit("salience")

    def _add(self) -> None:
        self.asked.emit("add_images" if self._views.currentIndex() == IMAGES else "add_model")

    # ---- following ------------------------------------------------------------------------

    def _take_workspace(self, _workspace: object) -> None:
        self._show_subject()
        if self.isVisible():
            self._later.start()

    def _show_view(self, place: int) -> None:
        self._views.setCurrentIndex(place)
        self.inspector.setVisible(place == IMAGES)
        self.add.setText("Add images…" if place == IMAGES else "Add a trained model…")
        self._show_subject()

    def _show_subject(self, *_: object) -> None:
        workspace = self.session.workspace
        if workspace is None:
            self.set_subject("")
            return
        if self._views.currentIndex() == MODELS:
            count = len(self.session.models)
            self.set_subject(f"{workspace.name} · {'1 model' if count == 1 else f'{count:,} models'}")
            return
        count, classes = len(workspace.index.ids), len(workspace.classes)
        images = "1 image" if count == 1 else f"{count:,} images"
        self.set_subject(
            f"{workspace.name} · {images} · {'1 class' if classes == 1 else f'{classes:,} classes'}"
        )
