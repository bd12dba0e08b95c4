"""The images of the workspace: search, grid, and what to do where nothing is found."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.library.image_grid import ImageGrid
from sip_explorer.qt.rooms.library.missing_bar import MissingBar
from sip_explorer.qt.rooms.library.search_bar import SearchBar
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.state import Session
from sip_explorer.state.library import Library

EMPTY = (
    "This workspace has no images yet. Add some: class folders, a data set's own files, or single pictures."
)


class ImagesView(QWidget):
    """Follows the library.

    Parameters
    ----------
    add : callable
        Asks for images to be added.
    """

    def __init__(
        self, session: Session, library: Library, add: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self.search = SearchBar(session, library)
        self.missing = MissingBar(session, library)
        self.grid = ImageGrid(session, library, self)
        self.empty = EmptyState(EMPTY, "Add images…", add)
        self.nothing = EmptyState("", "Show all images", lambda: library.ask(""))
        self._stack = QStackedWidget()
        for widget in (self.grid, self.empty, self.nothing):
            self._stack.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)  # room for a message over the title
        layout.setSpacing(8)
        layout.addWidget(self.search)
        layout.addWidget(self.missing)
        layout.addWidget(self._stack, 1)
        self.search.left.connect(self._enter_grid)
        library.found_changed.connect(self._show)
        self._show()

    def _enter_grid(self) -> None:
        if self._stack.currentWidget() is self.grid:
            self.grid.setFocus()
            if not self.grid.currentIndex().isValid() and len(self.grid.images.ids):
                self.grid.setCurrentIndex(self.grid.images.index(0))

    def _show(self) -> None:
        workspace = self._session.workspace
        if workspace is None or not len(workspace.index.ids):
            self._stack.setCurrentWidget(self.empty)
        elif self._library.sentence:
            self.nothing.sentence.setText(self._library.sentence)
            self._stack.setCurrentWidget(self.nothing)
        else:
            self._stack.setCurrentWidget(self.grid)
