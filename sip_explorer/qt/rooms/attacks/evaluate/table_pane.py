"""Models compared in a table: clean accuracy, then each attack at each epsilon; to be read and copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.rooms.attacks.evaluate.table_model import RobustTableModel
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records.robust_table import RobustTable


class TablePane(QWidget):
    """Shows a `RobustTable`; the largest figure of a column is bold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = RobustTableModel(self)
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.view = QTableView()
        self.view.setAccessibleName("Robust accuracy of every model under every attack")
        self.view.setModel(self.model)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setCornerButtonEnabled(False)
        across, down = self.view.horizontalHeader(), self.view.verticalHeader()
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        down.setHighlightSections(False)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(int(self.fontMetrics().height() * 1.7))
        down.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        down.setMaximumWidth(self.fontMetrics().averageCharWidth() * 26)
        self.copy_csv = QPushButton("Copy as CSV")
        self.copy_csv.setToolTip("For spreadsheets; standard deviations are columns of their own")
        self.copy_csv.clicked.connect(lambda: self._copy(self.model.table.csv(self.model.heading)))
        self.copy_markdown = QPushButton("Copy as Markdown")
        self.copy_markdown.setToolTip("For a README or a note; the best of each column is bold")
        self.copy_markdown.clicked.connect(lambda: self._copy(self.model.table.markdown(self.model.heading)))
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.copy_csv)
        buttons.addWidget(self.copy_markdown)
        theme.changed.connect(self._tint)
        self._tint()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.view, 1)
        layout.addLayout(buttons)

    def show_table(self, table: RobustTable, norm: str, words: str) -> None:
        """Show these figures; ``words`` say what they are."""
        self.title.setText(words)
        at = self.view.horizontalScrollBar().value(), self.view.verticalScrollBar().value()
        self.model.show_table(table, norm)
        self.view.horizontalScrollBar().setValue(at[0])
        self.view.verticalScrollBar().setValue(at[1])

    def _tint(self) -> None:
        t = theme.tokens
        self.view.setStyleSheet(
            f"QTableCornerButton::section {{ background: {t.window}; border: none;"
            f" border-bottom: 1px solid {t.line}; }}"
            f"QHeaderView {{ background: {t.surface}; }}"
            f"QHeaderView::section:vertical {{ background: {t.surface}; color: {t.text}; border: none; }}"
        )

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
