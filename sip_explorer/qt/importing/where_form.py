"""Where images go and how: a new workspace or the open one, linked or copied, their split and class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.exchange.fields import choice_of, field_label
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.state import Session
from sip_explorer.state.importing import TEST_SHARE, suggested_place
from sip_explorer.workspace import ImportPreview

AS_THE_SET = "as the set says"
NO_CLASS = "no class"
DROPPED = "dropped pictures"
_LONGEST = 20  # characters of a name on the switch
_MOST_SEED = 2**31 - 1


class WhereForm(QWidget):
    """A column of fields; those that do not matter for what was found are hidden.

    Signals
    -------
    changed()
        Something else is chosen or typed.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._found: ImportPreview | None = None
        self._paths: Sequence[Path] = ()
        workspace = session.workspace
        self._open = workspace if workspace is not None and not workspace.read_only else None
        opened = self._open.name if self._open is not None else ""
        self.into = Segments(
            [
                ("New workspace", "Make a workspace of the images"),
                (f"Into {_short(opened)}", f"Add the images to {opened}"),
            ],
            wide=True,
        )
        self.into.setAccessibleName("Where the images go")
        self.name = QLineEdit()
        self.place = QLineEdit()
        self.choose = QPushButton("…")
        self.choose.setAutoDefault(False)
        self.choose.setToolTip("Choose where the workspace goes")
        self.choose.setAccessibleName("Choose where the workspace goes")
        self.label = QComboBox()
        self.label.setEditable(True)
        self.collection = QComboBox()
        self.collection.setEditable(True)
        self.copy = choice_of("Pictures", {"": "stay where they are", "copy": "are copied"})
        self.share = QSpinBox()
        self.share.setRange(0, 90)
        self.share.setSuffix(" %")
        self.seed = QSpinBox()
        self.seed.setRange(0, _MOST_SEED)
        self.seed.setAccessibleName("Seed by which test images are drawn")
        self._place_typed = False
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._lay_out()
        self._connect()
        self._fill(opened)

    # ---- what is chosen -------------------------------------------------------------------

    @property
    def adds(self) -> bool:
        """Whether the images go into the open workspace."""
        return self._open is not None and self.into.currentIndex() == 1

    @property
    def target(self) -> Path | None:
        """Where the new workspace goes; None while nothing is typed."""
        text = self.place.text().strip()
        return Path(text).expanduser().absolute() if text else None

    @property
    def copies(self) -> bool:
        return self.copy.currentData() == "copy"

    @property
    def test_share(self) -> float:
        return self.share.value() / 100

    @property
    def class_name(self) -> str | None:
        """The class for all images; None for what the set says."""
        text = self.label.currentText().strip()
        return None if text in ("", AS_THE_SET, NO_CLASS) else text

    @property
    def collection_name(self) -> str | None:
        return self.collection.currentText().strip() or None

    def problem(self) -> str:
        """Return why it cannot be done so, "" where it can."""
        if self.adds:
            return ""
        target = self.target
        if not self.name.text().strip():
            return "The workspace has no name: type one."
        if target is None:
            return "The workspace has no place: choose one."
        if target.exists():
            return f"{target} is there already: choose another place."
        return ""

    # ---- what is known --------------------------------------------------------------------

    def choose_open(self, adds: bool) -> None:
        """Choose the open workspace, where there is one, or a new one."""
        self.into.setCurrentIndex(int(adds and self._open is not None))

    def show_found(self, found: ImportPreview, paths: Sequence[Path], single: bool) -> None:
        """Suggest what fits a set; ``single``: pictures that a person picked one by one."""
        self._found, self._paths = found, paths
        self._place_typed = False
        self.name.setText(found.name)
        self._named(found.name)  # of another folder, even where the name is the same
        size = _size(found.bytes)
        self.copy.setItemText(1, f"are copied ({size})")
        self.copy.setCurrentIndex(int(single))
        self.label.setItemText(0, AS_THE_SET if found.classes else NO_CLASS)
        self.label.setCurrentIndex(0)
        self.collection.setEditText(DROPPED if single else found.name)
        self._show_rows()

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        place = _beside(self.place, self.choose)
        split = _beside(self.share, field_label("seed"), self.seed)
        rows: list[tuple[str, str, QWidget, QWidget]] = [
            ("name", "Name", self.name, self.name),
            ("place", "Place", place, self.place),
            ("label", "Class", self.label, self.label),
            ("collection", "Collection", self.collection, self.collection),
            ("copy", "Pictures", self.copy, self.copy),
            ("split", "Test images", split, self.share),
        ]
        for row, (key, words, widget, editor) in enumerate(rows):
            label = field_label(words)
            label.setBuddy(editor)
            if not editor.accessibleName():
                editor.setAccessibleName(words)
            grid.addWidget(label, row, 0)
            grid.addWidget(widget, row, 1)
            self._rows[key] = (label, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.into)
        layout.addLayout(grid)

    def _connect(self) -> None:
        self.into.chosen.connect(self._turn)
        self.name.textChanged.connect(self._named)
        self.place.textEdited.connect(self._type_place)
        self.place.textChanged.connect(self.changed)
        self.choose.clicked.connect(self._choose_place)
        self.copy.currentIndexChanged.connect(self.changed)
        self.share.valueChanged.connect(self.changed)
        self.seed.valueChanged.connect(self.changed)
        self.label.editTextChanged.connect(self.changed)

    def _fill(self, opened: str) -> None:
        self.into.setVisible(bool(opened))
        self.label.addItem(AS_THE_SET)
        if self._open is not None:
            self.label.addItems(list(self._open.classes))
            self.collection.addItems(self._open.collections())
        self.share.setValue(round(100 * TEST_SHARE))
        self._show_rows()

    def _turn(self, _place: int) -> None:
        # What is added is for training unless a person says otherwise: the split that is there stays.
        self.share.setValue(0 if self.adds else round(100 * TEST_SHARE))
        self._show_rows()
        self.changed.emit()

    def _show_rows(self) -> None:
        found = self._found
        shown = {
            "name": not self.adds,
            "place": not self.adds,
            "label": self.adds,
            "collection": self.adds,
            "copy": found is not None and not found.packed,
            "split": found is not None and not found.own_split,
        }
        for key, widgets in self._rows.items():
            for widget in widgets:
                widget.setVisible(shown[key])

    def _named(self, name: str) -> None:
        if self._paths and not self._place_typed:
            documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
            place = suggested_place(self._paths[0], name.strip(), Path(documents or Path.home()))
            self.place.setText(str(place))
        self.changed.emit()

    def _type_place(self, _text: str) -> None:
        self._place_typed = True

    def _choose_place(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self,
            "Where the workspace goes",
            self.place.text(),
            options=QFileDialog.Option.DontConfirmOverwrite,  # nothing is ever overwritten
        )
        if name:
            self._place_typed = True
            self.place.setText(name)


def _short(name: str) -> str:
    return (name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…").replace("&", "&&")


def _beside(*widgets: QWidget) -> QWidget:
    """Return widgets in a row; the first takes what room there is."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if number == 0 else 0)
    return row


def _size(count: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{max(1, round(count / 1e3)):,} kB"
