"""A line that says that pictures are gone, and finds them again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget

from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.flow_layout import FlowLayout
from sip_explorer.state import Session
from sip_explorer.state.library import MISSING, Library


class MissingBar(QWidget):
    """Shows while some are missing."""

    def __init__(self, session: Session, library: Library, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self.setObjectName("missing")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = QLabel()
        self.show_them = QPushButton("Show them")
        self.find = QPushButton("Find them in a folder…")
        self.find.setToolTip(
            "Looks for files of the same name and the same pixels in a folder and all below it"
        )
        layout = FlowLayout(self, spacing=8)  # in a narrow window the buttons stand below
        layout.setContentsMargins(12, 6, 8, 6)
        layout.addWidget(self.words)
        layout.addWidget(self.show_them)
        layout.addWidget(self.find)
        self.show_them.clicked.connect(lambda: library.ask(MISSING))
        self.find.clicked.connect(self.ask_folder)
        library.missing_changed.connect(self._show)
        session.workspace_changed.connect(self._show)
        theme.changed.connect(self._tint)
        self._tint()
        self._show()

    def ask_folder(self) -> None:
        """Ask in which folder the pictures lie now, and look for them."""
        folder = QFileDialog.getExistingDirectory(self, "Folder in which the pictures lie now")
        if folder:
            self._session.attempt(lambda: self._library.relink(Path(folder)))

    def _show(self, *_: object) -> None:
        missing, workspace = self._library.missing, self._session.workspace
        count = 0 if missing is None else len(missing)
        self.setVisible(count > 0)
        if count and workspace is not None:
            pictures = "1 picture is" if count == 1 else f"{count:,} pictures are"
            where = "it was" if count == 1 else "they were"
            reason = f" {workspace.lock_holder}" if workspace.read_only else ""
            self.words.setText(f"{pictures} no longer where {where}.{reason}")
            self.find.setEnabled(not workspace.read_only)

    def _tint(self) -> None:
        t = theme.tokens
        self.setStyleSheet(
            f"#missing {{ background: {t.surface}; border: 1px solid {t.line};"
            f" border-left: 4px solid {t.warn}; border-radius: 6px; }}"
        )
