"""What is chosen in the library: its picture, what is known of it, and how that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QInputDialog, QLabel, QPushButton, QWidget

from sip_explorer.qt.rooms.library.class_box import ClassBox
from sip_explorer.qt.rooms.library.preview_picture import PreviewPicture
from sip_explorer.qt.rooms.library.tag_box import TagBox
from sip_explorer.qt.rooms.salience.facts import STATE_WORDS
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.modest_field import ModestField
from sip_explorer.state import Session
from sip_explorer.state.library import Library

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

NOTHING = "Choose images in the grid to see what is known of them, and to change their class, tags and split."


class ChosenPanel:
    """Fills two sections of the inspector and follows ``library.chosen``."""

    def __init__(self, session: Session, library: Library, inspector: Inspector) -> None:
        self._session = session
        self._library = library
        self.picture = PreviewPicture(session)
        self.nothing = QLabel(NOTHING)
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("role", "muted")
        self.name = ModestField()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setProperty("role", "muted")
        self.place = ElidedLabel()
        self.place.setProperty("role", "caption")
        self.classes = ClassBox()
        self.split = QComboBox()
        self.split.setPlaceholderText("train and test")
        for split in ("train", "test"):
            self.split.addItem(split, split)
        self.tags = TagBox()
        self.collection = QPushButton("Make a collection…")
        self.collection.setToolTip("Keep these images under a name, to paint, train or attack on them")
        self.strip = QPushButton("Show in the film strip")
        self.strip.setToolTip("Have the other rooms work on these images")
        section = inspector.add_section("Chosen")
        for widget in (self.nothing, self.picture, self.words, self.place):
            section.add_widget(widget)
        self._rows = [
            section.add_row("Name", self.name, tip="What the image is called; Enter keeps it"),
            section.add_row("Class", self.classes),
            section.add_row("Split", self.split, tip="Whether the images are trained on or tested on"),
        ]
        self._tag_section = inspector.add_section("Tags")
        self._tag_section.add_widget(self.tags)
        self._acts = inspector.add_section("These images")
        self._acts.add_widget(self.collection)
        self._acts.add_widget(self.strip)
        self.name.returnPressed.connect(self._rename)
        self.classes.given.connect(library.give_class)
        self.split.activated.connect(lambda _place: library.move(self.split.currentData()))
        self.tags.added.connect(library.tag)
        self.tags.removed.connect(library.untag)
        self.collection.clicked.connect(self.ask_collection)
        self.strip.clicked.connect(self._show_in_strip)
        library.chosen_changed.connect(self.show_chosen)
        self.show_chosen()

    def ask_collection(self) -> None:
        """Ask for a name and keep what is chosen, else what was found, under it."""
        parent: QWidget = self.collection.window()
        count = len(self._library.chosen) or len(self._library.found)
        images = "1 image" if count == 1 else f"{count:,} images"
        name, accepted = QInputDialog.getText(
            parent, "Make a collection", f"Name of the collection of {images}"
        )
        if accepted:
            self._library.make_collection(name)

    def show_chosen(self) -> None:
        """Show what is known by now."""
        workspace, ids = self._session.workspace, self._library.chosen
        some = workspace is not None and len(ids) > 0
        self.nothing.setVisible(not some)
        self.words.setVisible(some)
        one = some and len(ids) == 1
        self._rows[0].set_visible(one)
        for row in self._rows[1:]:
            row.set_visible(some)
        self._tag_section.setVisible(some)
        self._acts.setVisible(workspace is not None and len(self._library.found) > 0)
        self.place.setVisible(one)
        self.picture.show_image(int(ids[0]) if one else None)
        if workspace is not None and some:
            self._show(workspace, ids.tolist())
        for widget in (self.name, self.classes, self.split, self.tags, self.collection):
            widget.setEnabled(workspace is not None and not workspace.read_only)

    def _show(self, workspace: Workspace, ids: list[int]) -> None:
        names = [name for name, count in workspace.class_counts(ids).items() if count]
        self.classes.show_class(workspace.classes, names[0] if len(names) == 1 else None, len(names))
        splits = np.unique(workspace.split_of(ids)).tolist()
        self.split.setCurrentIndex(self.split.findData(splits[0]) if len(splits) == 1 else -1)
        self.tags.show_tags(workspace.tag_counts(ids), len(ids), list(workspace.tags()))
        shapes = np.unique(workspace.image_shapes(ids), axis=0).tolist()
        if len(ids) == 1:
            self._show_one(workspace, ids[0], shapes[0])
        else:
            self.words.setText(f"{len(ids):,} images · {_sizes(shapes)}")

    def _show_one(self, workspace: Workspace, image: int, shape: list[int]) -> None:
        name = workspace.image_name(image)
        if not self.name.hasFocus() or not self.name.isModified():
            self.name.setText(name)
            self.name.setCursorPosition(0)
        height, width, channels = shape
        lines = [f"{width} × {height} pixels · {'grey' if channels == 1 else 'colour'} · image {image}"]
        lines.append(self._painters(workspace, image))
        self.words.setText("\n".join(lines))
        place = workspace.place(image)
        self.place.setText(place)
        self.place.setToolTip(place)
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _painters(self, workspace: Workspace, image: int) -> str:
        """Say who painted it; in blind mode only of oneself."""
        me, blind = self._session.selection.annotator, self._session.reviewing.blind
        people = [person for person in workspace.annotators() if not blind or person.name == me]
        states = {person.name: workspace.states([image], person.id)[0] for person in people}
        said = [f"{STATE_WORDS[state]} ({name})" for name, state in states.items() if state != "unpainted"]
        return ", ".join(said) or STATE_WORDS["unpainted"]

    def _rename(self) -> None:
        ids = self._library.chosen
        if len(ids) == 1:
            self.name.setModified(False)
            self._library.rename_image(int(ids[0]), self.name.text())

    def _show_in_strip(self) -> None:
        self._library.show_in_strip()
        count = len(self._session.selection.images)
        images = "1 image" if count == 1 else f"{count:,} images"
        self._session.notice.emit(f"The film strip of the other rooms lists these {images}.")


def _sizes(shapes: list[list[int]]) -> str:
    if len(shapes) == 1:
        return f"{shapes[0][1]} × {shapes[0][0]} pixels"
    sides = [max(shape[:2]) for shape in shapes]
    return f"{min(sides)} to {max(sides)} pixels"
