"""The models of the workspace: the list, and the card of the one that is selected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.models.model_card import ModelCardView
from sip_explorer.qt.rooms.library.model_table import ModelTable
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.state import Session

EMPTY = "No trained model is in this workspace yet. Add a checkpoint, or train one in the Train room."


class ModelsView(QWidget):
    """Follows the session's models.

    Parameters
    ----------
    add : callable
        Asks for a model to be added.
    """

    def __init__(self, session: Session, add: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.table = ModelTable(session)
        self.card = ModelCardView(session)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(self.table)
        split.addWidget(self.card)
        split.setSizes([3000, 2000])  # shares
        self.empty = EmptyState(EMPTY, "Add a trained model…", add)
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.addWidget(self._stack)
        self.table.shown.connect(self._show)
        self._show(self.table.current)

    def _show(self, entry_id: str) -> None:
        self._stack.setCurrentIndex(0 if self._session.models else 1)
        self.card.show_model(entry_id)
