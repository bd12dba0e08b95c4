"""The tags of what is chosen: one chip each, and a field for the next."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.flow_layout import FlowLayout
from sip_explorer.qt.widgets.modest_field import ModestField


class TagBox(QWidget):
    """Shows tags; a click on a chip takes its tag away.

    Signals
    -------
    added(str)
        What was typed.
    removed(str)
    """

    added = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: dict[str, QToolButton] = {}
        self._counts: dict[str, int] = {}
        self._total = 0
        self._row = QWidget()
        self._flow = FlowLayout(self._row)
        self.field = ModestField()
        self.field.setPlaceholderText("Add a tag, then Enter")
        self.field.setAccessibleName("Add a tag")
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.field.setCompleter(completer)
        self.field.returnPressed.connect(self._typed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._row)
        layout.addWidget(self.field)
        theme.changed.connect(self._tint)

    def show_tags(self, counts: Mapping[str, int], total: int, known: list[str]) -> None:
        """Show how many of ``total`` images have which tag, and offer those that are ``known``."""
        if self._known.stringList() != known:
            self._known.setStringList(known)
        if (dict(counts), total) == (self._counts, self._total):
            return
        self._counts, self._total = dict(counts), total
        for chip in self.chips.values():
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = {}
        for tag, count in counts.items():
            chip = QToolButton()
            chip.setText((tag if count == total else f"{tag}  {count:,}").replace("&", "&&"))
            chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the word
            of = "" if count == total else f" ({count:,} of {total:,} images have it)"
            chip.setToolTip(f"Take the tag “{tag}” away{of}")
            chip.setAccessibleName(f"Take the tag {tag} away")
            chip.clicked.connect(lambda _checked=False, t=tag: self.removed.emit(t))
            self._flow.addWidget(chip)
            self.chips[tag] = chip
        self._row.setVisible(bool(self.chips))
        self._tint()

    def _typed(self) -> None:
        words = self.field.take()
        if words:
            self.added.emit(words)

    def _tint(self) -> None:
        t = theme.tokens
        for chip in self.chips.values():
            chip.setIcon(icon("close", t.muted))
            chip.setStyleSheet(
                f"QToolButton {{ background: {t.hover}; border: 1px solid {t.line}; border-radius: 9px;"
                f" padding: 2px 8px; }} QToolButton:hover, QToolButton:focus {{ border-color: {t.accent}; }}"
            )
