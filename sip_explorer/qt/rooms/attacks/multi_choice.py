"""A button with a list of choices, of which any number may be ticked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from sip_explorer.qt import theme

_ARROW = (Path(theme.__file__).parent / "assets" / "down.svg").as_posix()
MENU_ARROW = (
    f"QPushButton::menu-indicator {{ image: url({_ARROW});"
    " subcontrol-origin: padding; subcontrol-position: right center; right: 4px; width: 12px; height: 12px; }"
)
"""Style of a button with a menu: the arrow of the boxes beside it."""


class MultiChoice(QPushButton):
    """Says what is ticked, as far as there is room; the list stays open while it is ticked.

    Parameters
    ----------
    nothing : str
        What it says while nothing is ticked.

    Signals
    -------
    changed()
        Something else is ticked.
    """

    changed = Signal()

    def __init__(self, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nothing = nothing
        self._menu = QMenu(self)
        self._menu.installEventFilter(self)
        self.setMenu(self._menu)
        self._actions: dict[str, QAction] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12)
        self.setStyleSheet(f"QPushButton {{ text-align: left; padding: 3px 6px; }} {MENU_ARROW}")
        self._show()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Keys of what is ticked, in the order of the list."""
        return tuple(key for key, action in self._actions.items() if action.isChecked())

    def set_choices(self, choices: Mapping[str, str]) -> None:
        """Offer these words by key; what is ticked and still there stays ticked."""
        before = self.chosen
        self._menu.clear()
        self._actions = {}
        for key, words in choices.items():
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(key in before)
            action.toggled.connect(self._toggled)
            self._actions[key] = action
        self._show()
        if self.chosen != before:
            self.changed.emit()

    def set_chosen(self, keys: Iterable[str]) -> None:
        """Tick exactly these."""
        before, wanted = self.chosen, set(keys)
        for key, action in self._actions.items():
            action.blockSignals(True)
            action.setChecked(key in wanted)
            action.blockSignals(False)
        self._show()
        if self.chosen != before:
            self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A click ticks and the list stays; a click beside it, Enter or Escape closes it.
        if watched is self._menu and isinstance(event, QMouseEvent):
            action = self._menu.actionAt(event.position().toPoint())
            if event.type() == QEvent.Type.MouseButtonRelease and action is not None:
                if event.button() == Qt.MouseButton.LeftButton:
                    action.toggle()
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _toggled(self, _on: bool) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        words = [action.text() for action in self._actions.values() if action.isChecked()]
        text = ", ".join(words) or self._nothing
        room = self.width() - 3 * self.fontMetrics().height()
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(room, 40)))
        self.setToolTip("\n".join(words))
        self.setAccessibleDescription(text)
