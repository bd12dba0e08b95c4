"""Files held over the window and let go: said before it is done, then asked in the right dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from sip_explorer.qt.importing.asking import ask_import_images
from sip_explorer.qt.salience_exchange import ask_import_salience, dropped_paths
from sip_explorer.qt.widgets.drop_overlay import DropOverlay
from sip_explorer.state.dropping import Dropped

if TYPE_CHECKING:
    from sip_explorer.qt.window import MainWindow


class Drops(QObject):
    """Follows a drag over the window.

    What the files are is looked up in the disk thread, so that the drag never waits; a drop that comes
    before the answer is acted on when it is there.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._paths: list[Path] = []
        self._found: Dropped | None = None
        self._let_go = False
        self._held_over: QObject | None = None
        self.overlay = DropOverlay(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        self.overlay.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            return self._drop(event)
        if event.type() == QEvent.Type.DragLeave:
            if self._held_over is watched:
                self._held_over = None
                # Another part of the window may take the drag over at once: the overlay itself.
                QTimer.singleShot(0, self, self._hide_if_gone)
            return True
        if isinstance(event, QDragMoveEvent):  # entering is a kind of it
            return self._hold(watched, event)
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self.overlay.setGeometry(self._window.rect())
        return False

    def act(self, dropped: Dropped) -> None:
        """Open the dialogue for what was dropped; say why where there is none."""
        window, paths = self._window, dropped.paths
        if dropped.kind == "nothing":
            window.session.problem.emit(dropped.sentence, "")
        elif dropped.kind == "workspace":
            window.open_workspace(str(paths[0]))
        elif dropped.kind == "model":
            window.ask_add_model(paths[0])
        elif dropped.kind == "masks":
            ask_import_salience(window, paths, images_too=dropped.other == "images")
        else:
            ask_import_images(window, paths, adds=dropped.kind == "pictures")

    # ---- below ----------------------------------------------------------------------------

    def _hold(self, watched: QObject, event: QDragMoveEvent) -> bool:
        paths = dropped_paths(event.mimeData())
        if not paths:
            event.ignore()
            return True
        if isinstance(event, QDragEnterEvent):
            self._held_over = watched
            if paths != self._paths or self._found is None:
                self._look(paths)
        if self._found is not None:
            self.overlay.say(self._found.sentence, refused=self._found.kind == "nothing")
        else:
            self.overlay.say(f"Looking at {_called(paths)} …")
        if (
            self._found is not None
            and self._found.kind == "nothing"
            and not isinstance(event, QDragEnterEvent)
        ):
            event.ignore()
        else:
            event.acceptProposedAction()
        return True

    def _drop(self, event: QDropEvent) -> bool:
        paths = dropped_paths(event.mimeData())
        self._held_over = None
        self.overlay.hide()
        if not paths:
            event.ignore()
            return True
        event.acceptProposedAction()
        if paths != self._paths:
            self._look(paths)
        self._let_go = True
        # Not in the drag itself: the program that files come from waits until it ends.
        QTimer.singleShot(0, self, self._go_on)
        return True

    def _look(self, paths: Sequence[Path]) -> None:
        self._paths, self._found, self._let_go = list(paths), None, False
        self._window.recognising.ask(self._paths, self._answer)

    def _answer(self, found: Dropped) -> None:
        self._found = found
        if self._let_go:
            self._go_on()
        elif self.overlay.isVisible():
            self.overlay.say(found.sentence, refused=found.kind == "nothing")

    def _go_on(self) -> None:
        if self._let_go and self._found is not None:
            found = self._found
            self._forget()
            self.act(found)

    def _hide_if_gone(self) -> None:
        if self._held_over is None and not self._let_go:
            self.overlay.hide()
            self._window.recognising.forget()
            self._forget()

    def _forget(self) -> None:
        # The same files may be others the next time, and the workspace another.
        self._paths, self._found, self._let_go = [], None, False


def _called(paths: Sequence[Path]) -> str:
    return paths[0].name if len(paths) == 1 else f"{len(paths):,} files"
