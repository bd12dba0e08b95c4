"""Masks that were made elsewhere: whose they become, and what would happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.exchange.fields import choice_of, field_label, link_button
from sip_explorer.qt.exchange.preview import Preview
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.state import Session
from sip_explorer.state.exchanging import run_import
from sip_explorer.workspace.salience_exchange import ImportPreview, preview_import

_AS_NAMED = "As the masks say"
_PAUSE = 400  # milliseconds without a key after which a name counts as typed
_FILTER = "Masks (*.png *.json *.npz *.npy *.h5 *.hdf5 *.csv *.bmp *.gif *.tif *.tiff *.jpg);;All files (*)"


class ImportDialog(QDialog):
    """Says what an import would do; "Import" starts it as a job.

    Parameters
    ----------
    paths
        Files or folders with masks; without any, they are chosen here.
    """

    def __init__(self, session: Session, paths: Sequence[Path] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import salience")
        self._session = session
        self._paths: list[Path] = []
        self._found: ImportPreview | None = None
        self._asked_whose = False
        self.source = ElidedLabel("No masks are chosen yet.")
        self.file = QPushButton("Files…")
        self.folder = QPushButton("Folder…")
        self.annotator = QComboBox()
        self.annotator.setEditable(True)
        self.annotator.setAccessibleName("Whose masks they become")
        self.size = choice_of("Masks of another size", {"refuse": "leave them out", "resize": "resize them"})
        self.painted = choice_of(
            "Images that are painted already",
            {"keep": "keep what is painted", "new-stroke": "put the masks on top (can be undone)"},
        )
        self.preview = Preview(session, self._show)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", "true")
        self._lay_out()
        self.file.clicked.connect(self._choose_files)
        self.folder.clicked.connect(self._choose_folder)
        self.annotator.activated.connect(self._ask)
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(_PAUSE)
        self._typed.timeout.connect(self._ask)
        self.annotator.lineEdit().textEdited.connect(self._type)
        self.buttons.accepted.connect(self._import)
        self.buttons.rejected.connect(self.reject)
        self._show(None)
        if paths:
            self.take(paths)

    def take(self, paths: Sequence[Path]) -> None:
        """Look at these masks."""
        self._paths = list(paths)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        self.source.setText(f"{paths[0].name}{more} in {paths[0].parent}")
        self._asked_whose = False
        self.annotator.clear()
        self._ask()

    def offer(self, words: str, act: Callable[[], object]) -> None:
        """Offer what else the files may be; a click closes this dialogue and acts."""
        button = link_button(words)
        button.clicked.connect(self.reject)
        button.clicked.connect(lambda _checked=False: act())
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(layout.count() - 1, button, 0, Qt.AlignmentFlag.AlignLeft)
        self.other = button

    def done(self, result: int) -> None:
        self.preview.forget()
        super().done(result)

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        chosen = QHBoxLayout()
        chosen.setSpacing(8)
        chosen.addWidget(self.source, 1)
        chosen.addWidget(self.file)
        chosen.addWidget(self.folder)
        grid.addWidget(field_label("Masks"), 0, 0)
        grid.addLayout(chosen, 0, 1)
        self._size_label, self._painted_label = field_label("Other size"), field_label("Already painted")
        for row, (label, editor) in enumerate(
            [
                (field_label("Annotator"), self.annotator),
                (self._size_label, self.size),
                (self._painted_label, self.painted),
            ],
            start=1,
        ):
            label.setBuddy(editor)
            grid.addWidget(label, row, 0)
            grid.addWidget(editor, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(grid)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.buttons)
        self.resize(self.fontMetrics().averageCharWidth() * 90, self.fontMetrics().lineSpacing() * 26)

    def _choose_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Files with masks", "", _FILTER)
        if names:
            self.take([Path(name) for name in names])

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder with masks")
        if name:
            self.take([Path(name)])

    def _whose(self) -> str | None:
        """Return the annotator that is chosen; None for whom the masks name."""
        name = self.annotator.currentText().strip()
        return None if name in ("", _AS_NAMED) else name

    def _type(self, _text: str) -> None:
        self.go.setEnabled(False)
        self._typed.start()

    def _ask(self) -> None:
        self._typed.stop()
        workspace, paths, whose = self._session.workspace, self._paths, self._whose()
        if workspace is None or not paths:
            return
        given = paths[0] if len(paths) == 1 else paths
        self.preview.ask(lambda token: preview_import(workspace, given, annotator=whose, token=token))

    def _show(self, found: ImportPreview | None) -> None:
        workspace = self._session.workspace
        self._found = found
        if found is not None and workspace is not None:
            if not self._asked_whose:
                self._asked_whose = True
                if self._offer_annotators(found):
                    return
            lines = found.lines(workspace.name)
            if "" in found.annotators:
                lines.append("Some masks do not say whose they are: choose an annotator.")
            self.preview.show_lines(lines)
        for widgets, shown in (
            ((self.size, self._size_label), found is not None and bool(found.other_size)),
            ((self.painted, self._painted_label), found is not None and found.painted > 0),
        ):
            for widget in widgets:
                widget.setVisible(shown)
        self.go.setEnabled(found is not None and found.masks > 0 and "" not in found.annotators)

    def _offer_annotators(self, found: ImportPreview) -> bool:
        """List who may be chosen, now that the masks were read; whether they must be read again."""
        workspace = self._session.workspace
        names = [person.name for person in workspace.annotators(None)] if workspace is not None else []
        named = any(found.annotators)
        self.annotator.clear()
        self.annotator.addItems([_AS_NAMED, *names] if named else names)
        if named and "" not in found.annotators:
            self.annotator.setCurrentIndex(0)
            return False
        self.annotator.setCurrentText(self._session.selection.annotator)
        if self._whose() is None:
            return False
        self._ask()
        return True

    def _import(self) -> None:
        found = self._found
        if found is None:
            return
        started = self._session.attempt(
            lambda: run_import(
                self._session,
                self._paths,
                annotator=self._whose(),
                on_size=self.size.currentData(),
                on_painted=self.painted.currentData(),
                expected=found.masks,
            )
        )
        if started:
            self.accept()
