"""A section of the inspector: a title that folds, and rows of label, editor, unit and reset mark."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QGridLayout, QLabel, QLayout, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme


class Section(QWidget):
    """Rows under a title; a click on the title folds them away.

    Signals
    -------
    opened(bool)
        Whether it was unfolded or folded.
    """

    opened = Signal(bool)

    def __init__(self, title: str, *, folded: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QToolButton(self)
        self._title.setText(title)
        self._title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._title.setCheckable(True)
        self._title.setChecked(not folded)
        self._title.setProperty("role", "fold")
        self._body = QWidget(self)
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 4)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._body)
        self._body.setVisible(not folded)
        self._title.toggled.connect(self._fold)
        theme.changed.connect(self._tint)
        self._tint()

    def add_row(
        self, label: str, editor: QWidget, *, unit: str = "", tip: str = "", wide: bool = False
    ) -> Row:
        """Add an editor with its label and unit; the label becomes its accessible name.

        A ``wide`` editor stands under its label and has the whole width: for a list of numbers.
        """
        return Row(self._grid, self._grid.rowCount(), label, editor, unit, tip, wide)

    def add_widget(self, widget: QWidget) -> None:
        """Add a widget over the whole width."""
        self._grid.addWidget(widget, self._grid.rowCount(), 0, 1, 4)

    def add_layout(self, layout: QLayout) -> None:
        """Add a layout over the whole width."""
        self._grid.addLayout(layout, self._grid.rowCount(), 0, 1, 4)

    def set_open(self, open_: bool) -> None:
        """Fold or unfold."""
        self._title.setChecked(open_)

    def set_title(self, title: str) -> None:
        """Change the words that it folds under."""
        self._title.setText(title)

    def _fold(self, open_: bool) -> None:
        self._body.setVisible(open_)
        self._tint()
        self.opened.emit(open_)

    def _tint(self) -> None:
        self._title.setIcon(icon("fold" if self._title.isChecked() else "unfold", theme.tokens.muted))


class Row:
    """One row of a `Section`. ``track`` gives it a reset mark that shows while the value is changed."""

    def __init__(
        self, grid: QGridLayout, index: int, label: str, editor: QWidget, unit: str, tip: str, wide: bool
    ) -> None:
        self._visible = True
        self.label = QLabel(label)
        self.label.setProperty("role", "muted")
        self.label.setBuddy(editor)
        self.editor = editor
        if not editor.accessibleName():
            editor.setAccessibleName(label)
        if tip:
            editor.setToolTip(tip)
            self.label.setToolTip(tip)
        self.unit = QLabel(unit)
        self.unit.setProperty("role", "caption")
        self.reset = QToolButton()
        self.reset.setToolTip(f"Reset {label}")
        self.reset.setAccessibleName(f"Reset {label}")
        self.reset.setIcon(icon("reset", theme.tokens.accent))
        self.reset.setStyleSheet("padding: 1px;")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the column does not jump when the mark appears
        self.reset.setSizePolicy(policy)
        self.reset.hide()
        if wide:
            grid.addWidget(self.label, index, 0, 1, 4)
            grid.addWidget(editor, index + 1, 0, 1, 2)
        else:
            grid.addWidget(self.label, index, 0)
            grid.addWidget(editor, index, 1)
        grid.addWidget(self.unit, index + wide, 2)
        grid.addWidget(self.reset, index + wide, 3)

    def track(
        self,
        changed: SignalInstance,
        value: Callable[[], object],
        restore: Callable[[], None],
        default: object,
    ) -> None:
        """Show the reset mark whenever ``value()`` is not ``default``; a click calls ``restore``."""

        def refresh(*_: object) -> None:
            self.reset.setVisible(self._visible and value() != default)

        changed.connect(refresh)
        self.reset.clicked.connect(restore)
        refresh()

    def set_visible(self, visible: bool) -> None:
        """Show or hide the whole row; a hidden one has no mark, whatever its value becomes."""
        self._visible = visible
        for widget in (self.label, self.editor, self.unit):
            widget.setVisible(visible)
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(visible)  # or the mark would leave its gap in the column
        self.reset.setSizePolicy(policy)
        if not visible:
            self.reset.hide()
