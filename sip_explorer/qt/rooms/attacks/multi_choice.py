"""A box with a list of choices, of which any number may be ticked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.theme import theme


class MultiChoice(ElidedBox):
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
        self._actions: dict[str, QAction] = {}
        theme.changed.connect(self._tint)
        self._tint()
        self._say()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Keys of what is ticked, in the order of the list."""
        return tuple(key for key, action in self._actions.items() if action.isChecked())

    def set_choices(self, choices: Mapping[str, str]) -> None:
        """Offer these words by key; what is ticked and still there stays ticked."""
        before = self.chosen
        if {key: action.text() for key, action in self._actions.items()} == choices:
            return
        self._menu.clear()
        self._actions = {}
        for key, words in choices.items():
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(key in before)
            action.toggled.connect(self._toggled)
            self._actions[key] = action
        self._say()
        if self.chosen != before:
            self.changed.emit()

    def set_chosen(self, keys: Iterable[str]) -> None:
        """Tick exactly these."""
        before, wanted = self.chosen, set(keys)
        for key, action in self._actions.items():
            action.blockSignals(True)
            action.setChecked(key in wanted)
            action.blockSignals(False)
        self._say()
        if self.chosen != before:
            self.changed.emit()

    def showPopup(self) -> None:
        self._menu.setMinimumWidth(self.width())
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A click ticks and the list stays; a click beside it, Enter or Escape closes it.
        if watched is self._menu and isinstance(event, QMouseEvent):
            action = self._menu.actionAt(event.position().toPoint())
            if event.type() == QEvent.Type.MouseButtonRelease and action is not None:
                if event.button() == Qt.MouseButton.LeftButton:
                    action.toggle()
                return True
        return super().eventFilter(watched, event)

    def _tint(self) -> None:
        t = theme.tokens
        # An empty box says that an entry can be ticked.
        self._menu.setStyleSheet(
            "QMenu::item { padding: 4px 16px 4px 30px; }"
            "QMenu::indicator { width: 11px; height: 11px; left: 10px; border-radius: 3px; }"
            f"QMenu::indicator {{ border: 1px solid {t.control}; background: {t.surface}; }}"
            f"QMenu::indicator:checked {{ border-color: {t.accent}; background: {t.accent}; }}"
        )

    def _toggled(self, _on: bool) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        words = [action.text() for action in self._actions.values() if action.isChecked()]
        self.setPlaceholderText(", ".join(words) or self._nothing)
        self.setToolTip("\n".join(words))
        self.setAccessibleDescription(self.placeholderText())
